//! The `spec` of kind InjectEndpoints, as the user writes it.

use contract_source::EndpointsFrom;
use endpoint_contract::{Endpoints, Profile, Protocol, View};
use krm_fn::{selector, workload};
use serde::Deserialize;

/// What to inject, into what, and how. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The `EnvironmentEndpoints` object of the stream to take; without it, the only one there is. A name that
    /// `namePrefix` has changed is found by the original one.
    pub(crate) endpoints_from: Option<EndpointsFrom>,
    /// The endpoints themselves, in the words of the contract's `spec.endpoints`, instead of an object of the stream.
    pub(crate) endpoints: Option<Endpoints>,
    /// The side from which the containers reach the endpoints. An endpoint without that view is an error.
    pub(crate) view: View,
    /// Which endpoints; without it, all that the contract has.
    pub(crate) protocols: Option<Vec<Protocol>>,
    /// Whose variables; without it, those of `libpq`, `database-url`, `redis`, `redis-url`, `s3`, `aws-sdk`, `boto3` and
    /// `mlflow`. `[]` is none but those that `variables` asks for.
    pub(crate) profiles: Option<Vec<Profile>>,
    /// Variables under names of your own, others besides, and variables to take away.
    pub(crate) variables: Vec<OwnVariable>,
    /// ConfigMaps and Secrets whose keys become variables. What a container has already stays before them.
    pub(crate) env_from: Vec<EnvFrom>,
    /// Which workloads and containers; none = all of them.
    pub(crate) selectors: Vec<selector::Spec>,
    /// Which of these are left alone. A selector without `containers` and `containerTypes` leaves whole workloads alone.
    pub(crate) exclude: Vec<selector::Spec>,
    /// Kinds of workloads besides the known ones, and places besides those that are known, in the words of
    /// servicebinding.io's ClusterWorkloadResourceMapping.
    pub(crate) workloads: Vec<workload::Spec>,
    /// What to do with a variable that a container has already, with another value.
    pub(crate) on_conflict: OnConflict,
    /// What to do when a name that selects something matches nothing: of a selector or exclusion, a profile, or a kind of
    /// `workloads`.
    pub(crate) on_no_match: selector::OnNoMatch,
    /// What to do when an injected variable refers to a Secret, a ConfigMap, a key or a variable that is not there.
    pub(crate) on_missing_ref: OnMissingRef,
    /// Where new variables go.
    pub(crate) order: Order,
    /// The ConfigMap that the function makes.
    pub(crate) config_map: ConfigMap,
    /// Whether to note on every workload where its variables come from: the annotation
    /// `provenance.mlplat.dev/<name of this configuration>`, which `mlplat explain` reads.
    pub(crate) provenance: bool,
}

/// A variable of your own. Beside `name` it has exactly one of `value`, `from`, `secretKeyRef`, `configMapKeyRef`,
/// `fieldRef` and `remove`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct OwnVariable {
    /// Its name. A variable of the contract of that name gives way.
    pub(crate) name: String,
    /// What it says. `$(NAME)` stands for another variable; one of the contract is injected with it.
    pub(crate) value: Option<String>,
    /// The variable of the contract, of whatever profile, whose value it gets: `PGHOST`.
    pub(crate) from: Option<String>,
    /// The key of a Secret.
    pub(crate) secret_key_ref: Option<KeyRef>,
    /// The key of a ConfigMap.
    pub(crate) config_map_key_ref: Option<KeyRef>,
    /// A field of the pod.
    pub(crate) field_ref: Option<FieldRef>,
    /// `true`: containers lose it.
    #[serde(default)]
    pub(crate) remove: bool,
    /// Whether `value` may look like a password or token.
    #[serde(default)]
    pub(crate) allow_plain_text: bool,
}

/// A key of a Secret or ConfigMap in the namespace of the workload.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KeyRef {
    /// The object's name.
    pub(crate) name: String,
    /// The key in its data.
    pub(crate) key: String,
    /// Whether the container starts without it.
    pub(crate) optional: Option<bool>,
}

/// A field of the pod, as Kubernetes' `fieldRef`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FieldRef {
    /// Such as `status.podIP` or `metadata.labels['app']`.
    pub(crate) field_path: String,
    /// The version that the path is written for.
    pub(crate) api_version: Option<String>,
}

/// A ConfigMap or Secret all of whose keys become variables: exactly one of the two.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EnvFrom {
    /// The ConfigMap.
    pub(crate) config_map_ref: Option<SourceRef>,
    /// The Secret.
    pub(crate) secret_ref: Option<SourceRef>,
    /// What is put before each key.
    pub(crate) prefix: Option<String>,
}

/// A Secret or ConfigMap in the namespace of the workload.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SourceRef {
    /// The object's name.
    pub(crate) name: String,
    /// Whether the container starts without it.
    pub(crate) optional: Option<bool>,
}

/// What to do with a variable that is there with another value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum OnConflict {
    /// The injected value takes its place; of `value` and `valueFrom` only one stays.
    #[default]
    Replace,
    /// It stays.
    Keep,
    /// The run fails and names it.
    Error,
}

/// What to do when an injected variable refers to what is not there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum OnMissingRef {
    /// An object of the stream that lacks the key fails the run; an object that is not in the stream may be in the cluster
    /// already; a `$(NAME)` that no variable of the container fits is warned of.
    #[default]
    Auto,
    /// All of that fails the run: every Secret and ConfigMap must be in the stream, or given by `--with`.
    Error,
    /// All of that is warned of.
    Warn,
    /// Nothing.
    Ignore,
}

/// Where new variables go in a container's list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Order {
    /// At the end, but before the first variable that refers to one of them.
    #[default]
    Auto,
    /// At the beginning.
    First,
    /// At the end.
    Last,
}

/// The ConfigMap that the bases depend on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConfigMap {
    /// Its name; without it, `mlplat-endpoints`.
    pub(crate) name: String,
}

impl Default for ConfigMap {
    fn default() -> Self {
        Self {
            name: "mlplat-endpoints".to_owned(),
        }
    }
}
