//! The manifest by which the External Secrets Operator makes the Secrets that a contract refers to. It holds references
//! only, and may be committed.

use std::collections::BTreeMap;

use endpoint_contract::SecretKey;
use serde::{Deserialize, Serialize};
use serde_saphyr::DoubleQuoted;

use super::Document;

/// The label that tells whose an ExternalSecret is.
const ENVIRONMENT: &str = "mlplat.dev/environment";

/// The ExternalSecret manifest of one environment.
pub struct ExternalSecretManifest<'a> {
    /// Name of the environment.
    pub environment: &'a str,
}

impl Document for ExternalSecretManifest<'_> {
    const WHAT: &'static str = "ExternalSecret manifest";
    const MODE: u32 = 0o644;

    fn environment(&self) -> &str {
        self.environment
    }

    fn header(&self) -> String {
        format!(
            "# Where the Secrets of the environment {:?} come from, written by Terraform (mlplat_environment): an edit is \
             undone by the next apply.",
            self.environment
        )
    }

    fn recognises(&self, text: &str) -> bool {
        let found: Result<Vec<Found>, _> = serde_saphyr::from_multiple(text);
        let ours = |document: &Found| {
            let label = document.metadata.labels.get(ENVIRONMENT);
            document.kind == "ExternalSecret" && label.is_some_and(|name| name == self.environment)
        };
        found.is_ok_and(|documents| !documents.is_empty() && documents.iter().all(ours))
    }
}

/// The store that the operator fetches from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store<'a> {
    /// `ClusterSecretStore` or `SecretStore`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a str,
    /// How often it is asked: `1h`.
    pub refresh_interval: &'a str,
}

/// Where the value of a Secret's key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A secret of the store, or a property of its JSON.
    Remote {
        /// Its name in the store.
        key: String,
        /// `None` = the whole secret.
        property: Option<String>,
    },
    /// A template of the operator's, over the other keys of the same Secret.
    Template(String),
}

/// The whole text of the manifest: one ExternalSecret per Secret, as documents of one stream.
#[must_use]
pub fn render(environment: &str, store: &Store<'_>, sources: &BTreeMap<SecretKey, Source>) -> String {
    let mut secrets: BTreeMap<&str, Contents<'_>> = BTreeMap::new();
    for (key, source) in sources {
        let Contents { data, templates } = secrets.entry(&key.name).or_default();
        match source {
            Source::Remote { key: remote, property } => data.push(Data {
                secret_key: &key.key,
                remote_ref: RemoteRef {
                    key: DoubleQuoted(remote),
                    property: property.as_deref().map(DoubleQuoted),
                },
            }),
            Source::Template(text) => {
                templates.insert(&key.key, DoubleQuoted(text));
            }
        }
    }
    let documents = secrets.into_iter().map(|(name, Contents { data, templates })| {
        let manifest = Written {
            api_version: "external-secrets.io/v1",
            kind: "ExternalSecret",
            metadata: WrittenMetadata {
                name,
                labels: BTreeMap::from([(ENVIRONMENT, environment)]),
            },
            spec: Spec {
                refresh_interval: store.refresh_interval,
                secret_store_ref: StoreRef {
                    kind: store.kind,
                    name: store.name,
                },
                target: (!templates.is_empty()).then_some(Target {
                    template: Template {
                        merge_policy: "Merge",
                        data: templates,
                    },
                }),
                data,
            },
        };
        serde_saphyr::to_string(&manifest).expect("structs and strings are always YAML")
    });
    let header = ExternalSecretManifest { environment }.header();
    format!("{header}\n{}", documents.collect::<Vec<_>>().join("---\n"))
}

/// What one Secret is made of.
#[derive(Default)]
struct Contents<'a> {
    data: Vec<Data<'a>>,
    templates: BTreeMap<&'a str, DoubleQuoted<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    api_version: &'a str,
    kind: &'a str,
    metadata: WrittenMetadata<'a>,
    spec: Spec<'a>,
}

#[derive(Serialize)]
struct WrittenMetadata<'a> {
    name: &'a str,
    labels: BTreeMap<&'a str, &'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Spec<'a> {
    refresh_interval: &'a str,
    secret_store_ref: StoreRef<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target<'a>>,
    data: Vec<Data<'a>>,
}

#[derive(Serialize)]
struct StoreRef<'a> {
    kind: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Target<'a> {
    template: Template<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Template<'a> {
    merge_policy: &'a str,
    data: BTreeMap<&'a str, DoubleQuoted<&'a str>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    secret_key: &'a str,
    remote_ref: RemoteRef<'a>,
}

#[derive(Serialize)]
struct RemoteRef<'a> {
    key: DoubleQuoted<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    property: Option<DoubleQuoted<&'a str>>,
}

#[derive(Deserialize)]
struct Found {
    kind: String,
    metadata: FoundMetadata,
}

#[derive(Deserialize)]
struct FoundMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use endpoint_contract::in_url;

    use super::*;

    fn sources() -> BTreeMap<SecretKey, Source> {
        let key = |name: &str, key: &str| SecretKey {
            name: name.into(),
            key: key.into(),
        };
        let remote = |key: &str, property: Option<&str>| Source::Remote {
            key: key.into(),
            property: property.map(Into::into),
        };
        BTreeMap::from([
            (key("db", "password"), remote("rds!db-1", Some("password"))),
            (
                key("db", "url"),
                Source::Template(format!("postgresql://{}@db/a", in_url("password"))),
            ),
            (key("cache", "token"), remote("app/cache", None)),
        ])
    }

    const STORE: Store<'_> = Store {
        kind: "ClusterSecretStore",
        name: "aws",
        refresh_interval: "1h",
    };

    #[test]
    fn every_secret_is_a_document_of_references() {
        assert_eq!(
            render("prod", &STORE, &sources()),
            r#"# Where the Secrets of the environment "prod" come from, written by Terraform (mlplat_environment): an edit is undone by the next apply.
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: cache
  labels:
    mlplat.dev/environment: prod
spec:
  refreshInterval: 1h
  secretStoreRef:
    kind: ClusterSecretStore
    name: aws
  data:
  - secretKey: token
    remoteRef:
      key: "app/cache"
---
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: db
  labels:
    mlplat.dev/environment: prod
spec:
  refreshInterval: 1h
  secretStoreRef:
    kind: ClusterSecretStore
    name: aws
  target:
    template:
      mergePolicy: Merge
      data:
        url: "postgresql://{{ index . \"password\" | urlquery | replace \"+\" \"%20\" }}@db/a"
  data:
  - secretKey: password
    remoteRef:
      key: "rds!db-1"
      property: "password"
"#
        );
    }

    #[test]
    fn a_manifest_is_known_by_its_label_when_its_header_is_gone() {
        let text = render("prod", &STORE, &sources());
        let headless = text.split_once('\n').unwrap().1;
        let ours = ExternalSecretManifest { environment: "prod" };
        assert!(ours.recognises(headless));
        assert!(!ExternalSecretManifest { environment: "dev" }.recognises(headless));
        assert!(!ours.recognises("kind: ExternalSecret\nmetadata: {name: db}\n") && !ours.recognises(""));
    }
}
