//! The `spec` of kind InjectEndpoints, as the user writes it.

use contract_source::EndpointsFrom;
use endpoint_contract::{Endpoints, Protocol, View};
use krm_fn::selector;
use serde::Deserialize;

/// What to inject, into what, and how. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The `EnvironmentEndpoints` object of the stream to take; without it, the only one there is.
    pub(crate) endpoints_from: Option<EndpointsFrom>,
    /// The endpoints themselves, instead of an object of the stream.
    pub(crate) endpoints: Option<Endpoints>,
    /// The side from which the containers reach the endpoints.
    pub(crate) view: View,
    /// Which workloads and containers; none = all of them.
    pub(crate) selectors: Vec<selector::Spec>,
    /// Which endpoints; without it, all that the contract has.
    pub(crate) protocols: Option<Vec<Protocol>>,
    /// What to do with a variable that a container has already, with another value.
    pub(crate) on_conflict: OnConflict,
    /// Where new variables go.
    pub(crate) order: Order,
    /// The ConfigMap that the function makes.
    pub(crate) config_map: ConfigMap,
}

/// What to do with a variable that is there with another value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum OnConflict {
    /// The contract's value takes its place.
    #[default]
    Replace,
    /// It stays.
    Keep,
    /// The run fails and names it.
    Error,
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
    /// Its name.
    pub(crate) name: String,
}

impl Default for ConfigMap {
    fn default() -> Self {
        Self {
            name: "mlplat-endpoints".to_owned(),
        }
    }
}
