//! The manifest with the Secrets that a contract refers to. It holds secret values: nothing of it is ever printed.

use std::collections::BTreeMap;
use std::fmt;

use endpoint_contract::SecretKey;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_saphyr::DoubleQuoted;

use super::Document;

/// The label that tells whose a Secret is.
pub const ENVIRONMENT: &str = "mlplat.dev/environment";

/// The Secret manifest of one environment.
pub struct SecretManifest<'a> {
    /// Name of the environment.
    pub environment: &'a str,
}

impl Document for SecretManifest<'_> {
    const WHAT: &'static str = "Secret manifest";
    const MODE: u32 = 0o600;

    fn environment(&self) -> &str {
        self.environment
    }

    fn header(&self) -> String {
        format!(
            "# Secrets of the environment {:?}, written by Terraform (mlplat_environment): never commit this file.",
            self.environment
        )
    }

    fn recognises(&self, text: &str) -> bool {
        let ours = |document: &Found| {
            document.kind == "Secret"
                && document
                    .metadata
                    .labels
                    .get(ENVIRONMENT)
                    .is_some_and(|name| name == self.environment)
        };
        found(text).is_some_and(|documents| !documents.is_empty() && documents.iter().all(ours))
    }
}

/// How the manifest on the disk compares to what it should hold. Values are not compared: that would need a trace of
/// them in the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It holds the keys it should, and only its owner can read it.
    Current,
    /// There is no file.
    Missing,
    /// Its permissions let others read it.
    Exposed,
    /// It does not hold exactly the keys that the contract refers to, or cannot be read.
    Edited,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "current",
            Self::Missing => "missing",
            Self::Exposed => "exposed",
            Self::Edited => "edited",
        })
    }
}

/// The whole text of the manifest: one Secret per name, as documents of one stream.
#[must_use]
pub fn render(environment: &str, values: &BTreeMap<SecretKey, &str>) -> String {
    let mut secrets: BTreeMap<&str, BTreeMap<&str, DoubleQuoted<&str>>> = BTreeMap::new();
    for (key, value) in values {
        secrets
            .entry(&key.name)
            .or_default()
            .insert(&key.key, DoubleQuoted(*value));
    }
    let documents = secrets.into_iter().map(|(name, string_data)| {
        let secret = Written {
            api_version: "v1",
            kind: "Secret",
            metadata: WrittenMetadata {
                name,
                labels: BTreeMap::from([(ENVIRONMENT, environment)]),
            },
            r#type: "Opaque",
            string_data,
        };
        serde_saphyr::to_string(&secret).expect("structs and strings are always YAML")
    });
    let header = SecretManifest { environment }.header();
    format!("{header}\n{}", documents.collect::<Vec<_>>().join("---\n"))
}

/// Compares the manifest's text and permissions with the keys it should hold.
#[must_use]
pub fn status(text: Option<&str>, mode: Option<u32>, keys: impl IntoIterator<Item = SecretKey>) -> Status {
    let Some(text) = text else { return Status::Missing };
    if mode.is_some_and(|mode| mode & 0o077 != 0) {
        return Status::Exposed;
    }
    // No error of the parser may be shown: it would quote lines of the file.
    let Some(documents) = found(text) else {
        return Status::Edited;
    };
    let held: BTreeMap<SecretKey, ()> = documents
        .into_iter()
        .flat_map(|document| {
            let name = document.metadata.name;
            document.string_data.into_keys().map(move |key| {
                (
                    SecretKey {
                        name: name.clone(),
                        key,
                    },
                    (),
                )
            })
        })
        .collect();
    if held.into_keys().eq(keys) {
        Status::Current
    } else {
        Status::Edited
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: WrittenMetadata<'a>,
    r#type: &'a str,
    /// Quoted, so that no value is ever read as a number, a date or a boolean.
    string_data: BTreeMap<&'a str, DoubleQuoted<&'a str>>,
}

#[derive(Serialize)]
struct WrittenMetadata<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

/// What is looked at in a manifest on the disk: names, never values.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    kind: String,
    metadata: FoundMetadata,
    #[serde(default)]
    string_data: BTreeMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct FoundMetadata {
    name: String,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

fn found(text: &str) -> Option<Vec<Found>> {
    serde_saphyr::from_multiple(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str, key: &str) -> SecretKey {
        SecretKey {
            name: name.into(),
            key: key.into(),
        }
    }

    #[test]
    fn every_secret_is_a_document_and_every_value_is_quoted() {
        let values = BTreeMap::from([
            (key("db", "password"), "0777"),
            (key("db", "username"), "it's \"me\""),
            (key("cache", "password"), "yes\n"),
        ]);
        assert_eq!(
            render("local", &values),
            r#"# Secrets of the environment "local", written by Terraform (mlplat_environment): never commit this file.
apiVersion: v1
kind: Secret
metadata:
  name: cache
  labels:
    mlplat.dev/environment: local
type: Opaque
stringData:
  password: "yes\n"
---
apiVersion: v1
kind: Secret
metadata:
  name: db
  labels:
    mlplat.dev/environment: local
type: Opaque
stringData:
  password: "0777"
  username: "it's \"me\""
"#
        );
    }

    #[test]
    fn drift_is_told_by_existence_permissions_and_keys() {
        let keys = [key("db", "password"), key("db", "username")];
        let values = keys.iter().cloned().map(|key| (key, "x")).collect();
        let text = render("local", &values);
        let status = |text: Option<&str>, mode| status(text, Some(mode), keys.clone());
        assert_eq!(status(Some(&text), 0o600), Status::Current);
        assert_eq!(status(None, 0o600), Status::Missing);
        assert_eq!(status(Some(&text), 0o640), Status::Exposed);
        assert_eq!(status(Some(&text.replace("username", "user")), 0o600), Status::Edited);
        assert_eq!(status(Some("stringData: ["), 0o600), Status::Edited);
    }

    #[test]
    fn a_manifest_is_known_by_its_label_when_its_header_is_gone() {
        let ours = SecretManifest { environment: "local" };
        let text = render("local", &BTreeMap::from([(key("db", "password"), "x")]));
        assert!(ours.recognises(&text));
        assert!(!ours.recognises(&render("other", &BTreeMap::from([(key("db", "password"), "x")]))));
        assert!(!ours.recognises("kind: Secret\nmetadata: {name: db}\nstringData: {a: b}\n"));
        assert!(!ours.recognises(""));
    }
}
