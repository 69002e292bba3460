//! The document itself, as it stands in a file or in a stream of Kubernetes objects.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::check_object_name;
use crate::problem::Checker;
use crate::{ContractError, Endpoints};

/// `apiVersion` of the documents that this crate reads and writes.
pub const API_VERSION: &str = "mlplat.dev/v1alpha1";
/// `kind` of the documents that this crate reads and writes.
pub const KIND: &str = "EnvironmentEndpoints";

/// The endpoints of one environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnvironmentEndpoints {
    /// The version of the contract.
    pub api_version: ApiVersion,
    /// Always `EnvironmentEndpoints`.
    pub kind: Kind,
    /// Name and annotations.
    pub metadata: Metadata,
    /// The endpoints.
    pub spec: Spec,
}

/// The versions that are understood. A document of another one is refused when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum ApiVersion {
    /// The first version.
    #[serde(rename = "mlplat.dev/v1alpha1")]
    V1Alpha1,
}

/// The kind of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Kind {
    /// The only one.
    EnvironmentEndpoints,
}

/// What tools of the Kubernetes world put beside a name. Other fields of Kubernetes' metadata are refused: a contract
/// never comes from an API server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of the environment: `local`, `prod`.
    pub name: String,
    /// Set by kustomize's `namespace:`; means nothing here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Set by kustomize's `labels:`; they mean nothing here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// `config.kubernetes.io/local-config: "true"` keeps the document out of what is applied to a cluster.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// The body of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// One entry per protocol that the environment offers.
    pub endpoints: Endpoints,
}

impl EnvironmentEndpoints {
    /// A document for the environment, marked as local configuration.
    #[must_use]
    pub fn new(name: impl Into<String>, endpoints: Endpoints) -> Self {
        Self {
            api_version: ApiVersion::V1Alpha1,
            kind: Kind::EnvironmentEndpoints,
            metadata: Metadata {
                name: name.into(),
                annotations: BTreeMap::from([("config.kubernetes.io/local-config".into(), "true".into())]),
                ..Metadata::default()
            },
            spec: Spec { endpoints },
        }
    }

    /// Checks every field that the types leave open. All problems are found in one pass.
    ///
    /// # Errors
    /// [`ContractError::Invalid`] with every wrong field and its fix.
    pub fn validate(&self) -> Result<(), ContractError> {
        let mut at = Checker::new();
        at.field("metadata", |at| {
            at.field("name", |at| check_object_name(at, &self.metadata.name))
        });
        at.field("spec", |at| at.field("endpoints", |at| self.spec.endpoints.check(at)));
        at.finish()
    }
}
