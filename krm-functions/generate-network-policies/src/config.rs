//! The `spec` of kind GenerateNetworkPolicies, as the user writes it.

use std::collections::BTreeMap;

use contract_source::EndpointsFrom;
use endpoint_contract::{Endpoints, Protocol, View};
use krm_fn::{selector, workload};
use serde::Deserialize;

/// What to allow, and to whom. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The `EnvironmentEndpoints` object of the stream to take; without it, the only one there is.
    pub(crate) endpoints_from: Option<EndpointsFrom>,
    /// The endpoints themselves, instead of an object of the stream.
    pub(crate) endpoints: Option<Endpoints>,
    /// The side from which the pods reach the endpoints.
    pub(crate) view: View,
    /// Which workloads; none = those that are given the endpoints.
    pub(crate) selectors: Vec<selector::Spec>,
    /// Kinds of workloads besides the known ones, and places besides those that are known, in the words of
    /// servicebinding.io's ClusterWorkloadResourceMapping.
    pub(crate) workloads: Vec<workload::Spec>,
    /// What to do when a name that selects something matches nothing: of a selector, or a kind of `workloads`.
    pub(crate) on_no_match: selector::OnNoMatch,
    /// Which endpoints; without it, all that the contract has.
    pub(crate) protocols: Option<Vec<Protocol>>,
    /// The networks behind the endpoints.
    pub(crate) cidrs: Cidrs,
    /// Where names are resolved.
    pub(crate) dns: Dns,
    /// What the policies' names end in; without it, `endpoints`.
    pub(crate) name_suffix: NameSuffix,
}

/// By protocol, the networks in which an endpoint's servers are: the only way to allow one that has a DNS name.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Cidrs {
    /// Of the database.
    pub(crate) postgres: Vec<String>,
    /// Of the cache.
    pub(crate) redis: Vec<String>,
    /// Of the object store.
    pub(crate) s3: Vec<String>,
}

impl Cidrs {
    /// Those of one protocol.
    pub(crate) fn of(&self, protocol: Protocol) -> &[String] {
        match protocol {
            Protocol::Postgres => &self.postgres,
            Protocol::Redis => &self.redis,
            Protocol::S3 => &self.s3,
        }
    }
}

/// The cluster's name servers: pods, and addresses beside them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Dns {
    /// The namespace of the pods; without it, `kube-system`.
    pub(crate) namespace: String,
    /// The labels of the pods; without them, `k8s-app: kube-dns`.
    pub(crate) pod_labels: BTreeMap<String, String>,
    /// The port, by UDP and TCP; without it, 53.
    pub(crate) port: u16,
    /// Name servers that are no pods of that kind, such as the cache of a node.
    pub(crate) cidrs: Vec<String>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            namespace: "kube-system".to_owned(),
            pod_labels: BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]),
            port: 53,
            cidrs: Vec::new(),
        }
    }
}

/// What a policy's name ends in, after the workload's name and kind.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct NameSuffix(pub(crate) String);

impl Default for NameSuffix {
    fn default() -> Self {
        Self("endpoints".to_owned())
    }
}
