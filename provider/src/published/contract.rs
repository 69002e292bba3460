//! The contract file.

use std::path::Path;

use endpoint_contract::{ContractError, Endpoints, EnvironmentEndpoints};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Document, PublishError, file};

/// The contract file of one environment.
pub struct Contract<'a> {
    /// Name of the environment.
    pub environment: &'a str,
}

impl Document for Contract<'_> {
    const WHAT: &'static str = "endpoint contract";
    const MODE: u32 = 0o644;

    fn environment(&self) -> &str {
        self.environment
    }

    fn header(&self) -> String {
        format!(
            "# Endpoints of the environment {:?}, written by Terraform (mlplat_environment): \
             an edit is undone by the next apply.",
            self.environment
        )
    }

    fn recognises(&self, text: &str) -> bool {
        let head: Result<Head, _> = serde_saphyr::from_str(text);
        head.is_ok_and(|head| {
            head.api_version == endpoint_contract::API_VERSION
                && head.kind == endpoint_contract::KIND
                && head.metadata.name == self.environment
        })
    }
}

/// What tells whose contract a file is, even one whose body does not parse.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    api_version: String,
    kind: String,
    metadata: Name,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// The contract as YAML. The same endpoints always give the same text.
///
/// # Errors
/// [`ContractError::Invalid`] when a field holds what no endpoint can have.
pub fn render(environment: &str, endpoints: &Endpoints) -> Result<String, ContractError> {
    let contract = EnvironmentEndpoints::new(environment, endpoints.clone());
    contract.validate()?;
    Ok(serde_saphyr::to_string(&contract).expect("structs, strings and numbers are always YAML"))
}

/// The whole text of the contract file: the line that says whose it is, and the contract.
///
/// # Errors
/// Those of [`render`].
pub fn file_text(environment: &str, endpoints: &Endpoints) -> Result<String, ContractError> {
    let yaml = render(environment, endpoints)?;
    let header = Contract { environment }.header();
    Ok(format!("{header}\n{yaml}"))
}

/// Reads a contract and checks it.
///
/// # Errors
/// When it is no contract; the text names the line or the fields.
pub fn parse(text: &str) -> Result<EnvironmentEndpoints, String> {
    let contract: EnvironmentEndpoints = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    contract.validate().map_err(|error| error.to_string())?;
    Ok(contract)
}

/// Reads the contract file of whichever environment; `None` = there is no file.
///
/// # Errors
/// When it cannot be read, or is no contract.
pub fn load(path: &Path) -> Result<Option<EnvironmentEndpoints>, PublishError> {
    let Some(text) = file::read(path)? else { return Ok(None) };
    parse(&text).map(Some).map_err(|why| PublishError::Invalid {
        path: path.display().to_string(),
        why,
    })
}

/// SHA-256 of a text, in lower-case hexadecimal digits.
#[must_use]
pub fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use endpoint_contract::{HostPort, Redis};

    use super::*;
    use crate::published;

    fn endpoints() -> Endpoints {
        let host = HostPort {
            address: "127.0.0.1".into(),
            port: 16379,
        };
        Endpoints {
            redis: Some(Redis {
                host,
                cluster: None,
                database: 0,
                tls: false,
                credentials: None,
            }),
            ..Endpoints::default()
        }
    }

    #[test]
    fn the_text_is_what_people_would_write() {
        assert_eq!(
            file_text("local", &endpoints()).unwrap(),
            "# Endpoints of the environment \"local\", written by Terraform (mlplat_environment): \
             an edit is undone by the next apply.\n\
             apiVersion: mlplat.dev/v1alpha1\n\
             kind: EnvironmentEndpoints\n\
             metadata:\n  name: local\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n\
             spec:\n  endpoints:\n    redis:\n      host:\n        address: \"127.0.0.1\"\n        port: 16379\n      \
             database: 0\n      tls: false\n"
        );
    }

    #[test]
    fn names_that_look_like_numbers_or_words_of_yaml_stay_text() {
        for name in [
            "1e3",
            "0777",
            "1_000",
            "2024-01-01",
            "null",
            "yes",
            "no",
            "on",
            "y",
            "true",
            "0x1f",
            "12.5",
            "1.2.3",
        ] {
            let Ok(text) = file_text(name, &endpoints()) else {
                continue;
            };
            assert_eq!(parse(&text).unwrap().metadata.name, name);
            assert!(!text.contains(&format!("name: {name}\n")) || name == "1.2.3", "{text}");
        }
    }

    #[test]
    fn only_our_own_contract_is_overwritten_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("endpoints.yaml");
        let ours = Contract { environment: "local" };
        for foreign in [
            "",
            "kind: Deployment\n",
            "hello",
            &file_text("other", &endpoints()).unwrap(),
        ] {
            fs::write(&path, foreign).unwrap();
            assert!(
                matches!(published::write(&ours, &path, "x"), Err(PublishError::Foreign { .. })),
                "{foreign}"
            );
            published::remove(&ours, &path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), foreign);
        }
        let text = file_text("local", &endpoints()).unwrap();
        let without_header = text.split_once('\n').unwrap().1;
        let broken = format!("{}\nspec: {{", ours.header());
        for own in [text.as_str(), without_header, &broken] {
            fs::write(&path, own).unwrap();
            published::write(&ours, &path, &text).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        published::remove(&ours, &path).unwrap();
        assert!(!path.exists());
    }
}
