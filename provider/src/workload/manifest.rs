//! The fields of Kubernetes objects that decide a container's environment; every other field is passed over.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct ContainerSpec {
    pub(super) env: Option<Vec<EnvVar>>,
    #[serde(rename = "envFrom")]
    pub(super) env_from: Option<Vec<EnvFrom>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct EnvVar {
    pub(super) name: String,
    pub(super) value: Option<String>,
    #[serde(rename = "valueFrom")]
    pub(super) value_from: Option<ValueFrom>,
}

/// Exactly one source is set in a valid manifest; a source that is not listed here is refused by its own name.
#[derive(Debug, Deserialize)]
pub(super) enum ValueFrom {
    #[serde(rename = "configMapKeyRef")]
    ConfigMap(KeyRef),
    #[serde(rename = "secretKeyRef")]
    Secret(KeyRef),
    #[serde(rename = "fieldRef")]
    Field(FieldRef),
    #[serde(rename = "resourceFieldRef")]
    Resource(serde::de::IgnoredAny),
    #[serde(rename = "fileKeyRef")]
    File(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
pub(super) struct KeyRef {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) optional: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FieldRef {
    pub(super) field_path: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EnvFrom {
    pub(super) prefix: Option<String>,
    pub(super) config_map_ref: Option<SourceRef>,
    pub(super) secret_ref: Option<SourceRef>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SourceRef {
    pub(super) name: String,
    pub(super) optional: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
    pub(super) labels: Option<BTreeMap<String, String>>,
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ConfigMapData {
    pub(super) data: Option<BTreeMap<String, String>>,
}

/// No `Debug`: it would show the values.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SecretData {
    /// Base64; `stringData` wins over it, as in the API server.
    pub(super) data: Option<BTreeMap<String, String>>,
    pub(super) string_data: Option<BTreeMap<String, String>>,
}
