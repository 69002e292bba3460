//! The `spec` of kind ValidateParity, as the user writes it.

use std::collections::BTreeMap;

use krm_fn::{Error, Output};
use serde::Deserialize;

use crate::allow::{Allow, Aspect, Exception};

/// What to compare with, and what may differ. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Config {
    /// The file with the other environment, rendered; instead of `--with`. It lies in the same repository, or
    /// where there is none in or below the folder in which the function runs, and is at most 256 MiB large.
    pub(crate) against: Option<String>,
    /// What of set-environment may differ.
    environment: Option<Vec<Aspect>>,
    /// Registries with a path, of which an image's path is no part.
    registries: Vec<String>,
    /// Namespaces here, and what they are called there.
    namespaces: BTreeMap<String, String>,
    /// Names of ConfigMaps and Secrets with a generated end, besides kustomize's hashes.
    generated_names: Vec<String>,
    /// The ConfigMap that inject-endpoints makes.
    config_map: Option<ConfigMap>,
    /// Differences that are meant.
    allow: Vec<Exception>,
    /// What a run answers that finds nothing.
    pub(crate) output: Output,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigMap {
    /// Its name; without it, `mlplat-endpoints`.
    name: String,
}

impl Config {
    /// What may differ.
    ///
    /// # Errors
    /// For an exception without a field or reason, and for a pattern of generated names that is none.
    pub fn allow(&self) -> Result<Allow, Error> {
        let usual = Allow::default();
        Allow {
            environment: self.environment.clone().unwrap_or(usual.environment),
            registries: self.registries.clone(),
            namespaces: self.namespaces.clone(),
            generated: self.generated_names.clone(),
            endpoints: self.config_map.as_ref().map_or(usual.endpoints, |one| one.name.clone()),
            exceptions: self.allow.clone(),
            stages: false,
        }
        .checked()
    }
}
