//! The `spec` of kind SetEnvironment, as the user writes it.

use std::collections::BTreeMap;

use krm_fn::{selector, workload};
use serde::Deserialize;

/// What is so in this environment. Every part may be left out; of several entries that take one object, the last decides.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Where images come from.
    pub(crate) images: Vec<Image>,
    /// How Services are exposed.
    pub(crate) services: Vec<Service>,
    /// How Ingresses are served.
    pub(crate) ingresses: Vec<Ingress>,
    /// What claims are made of.
    pub(crate) storage: Vec<Storage>,
    /// How much containers log.
    pub(crate) log_levels: Vec<LogLevel>,
    /// Replicas and resources that `workloads` take by name.
    pub(crate) presets: BTreeMap<String, Size>,
    /// How large workloads are.
    pub(crate) workloads: Vec<Workload>,
    /// Kinds of workloads besides the known ones, and places besides those that are known, in the words of
    /// servicebinding.io's ClusterWorkloadResourceMapping. The other functions call it `workloads`.
    pub(crate) workload_kinds: Vec<workload::Spec>,
    /// What to do when a name that selects something matches nothing: of a selector, a prefix of images, or a kind of
    /// `workloadKinds`.
    pub(crate) on_no_match: selector::OnNoMatch,
}

impl Config {
    /// Whether nothing is set that concerns containers.
    pub(crate) fn is_of_objects(&self) -> bool {
        self.images.is_empty() && self.log_levels.is_empty() && self.workloads.is_empty() && self.storage.is_empty()
    }
}

/// A part of image names that gives way to another.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Image {
    /// Whole components: `docker.io`, `docker.io/library`, or a whole name.
    pub(crate) from: String,
    /// What stands there instead.
    pub(crate) to: String,
}

/// How a Service is exposed.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Service {
    /// Which; none = all that can be exposed.
    #[serde(default)]
    pub(crate) selectors: Vec<selector::Spec>,
    /// `spec.type`.
    pub(crate) r#type: Exposure,
    /// Names or numbers of ports, and their ports on every node.
    #[serde(default)]
    pub(crate) node_ports: BTreeMap<String, i64>,
}

/// `type` of a Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum Exposure {
    /// Inside the cluster only.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// On a port of every node.
    NodePort,
    /// By a load balancer of the cloud.
    LoadBalancer,
}

impl Exposure {
    /// As it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ClusterIp => "ClusterIP",
            Self::NodePort => "NodePort",
            Self::LoadBalancer => "LoadBalancer",
        }
    }
}

/// How an Ingress is served.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Ingress {
    /// Which; none = all.
    pub(crate) selectors: Vec<selector::Spec>,
    /// `spec.ingressClassName`; `alb` or `nginx` where a block of that name is given and nothing else is said.
    pub(crate) class_name: Option<String>,
    /// For the AWS Load Balancer Controller.
    pub(crate) alb: Option<Alb>,
    /// For ingress-nginx.
    pub(crate) nginx: Option<Nginx>,
    /// Encryption.
    pub(crate) tls: Option<Tls>,
    /// Any others, which win over those of the blocks.
    pub(crate) annotations: BTreeMap<String, String>,
}

/// Annotations of the AWS Load Balancer Controller.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Alb {
    /// From where it is reached.
    pub(crate) scheme: Option<Scheme>,
    /// What it sends requests to.
    pub(crate) target_type: Option<TargetType>,
    /// Ingresses of one group share a load balancer.
    pub(crate) group_name: Option<String>,
    /// The path that it asks for to see whether a target is well.
    pub(crate) healthcheck_path: Option<String>,
    /// The TLS versions and ciphers, by the name of a policy of AWS.
    pub(crate) ssl_policy: Option<String>,
}

/// From where an ALB is reached.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Scheme {
    Internal,
    InternetFacing,
}

/// What an ALB sends requests to.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TargetType {
    Ip,
    Instance,
}

/// Annotations of ingress-nginx.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Nginx {
    /// The largest request: `8m`.
    pub(crate) proxy_body_size: Option<String>,
    /// Seconds that an answer may take.
    pub(crate) proxy_read_timeout: Option<u32>,
    /// Seconds that sending a request on may take.
    pub(crate) proxy_send_timeout: Option<u32>,
}

/// Where the certificate is.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Tls {
    /// The ARN of a certificate in ACM; for an ALB.
    pub(crate) certificate_arn: Option<String>,
    /// A Secret of type kubernetes.io/tls.
    pub(crate) secret_name: Option<String>,
    /// The names that the Secret is for; without them, those of the rules.
    pub(crate) hosts: Option<Vec<String>>,
    /// Whether plain HTTP is sent on to HTTPS, as it is unless it says `false`.
    pub(crate) redirect: Option<bool>,
}

/// What claims are made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Storage {
    /// Which PersistentVolumeClaims and workloads; none = all that claim storage.
    #[serde(default)]
    pub(crate) selectors: Vec<selector::Spec>,
    /// `storageClassName`; empty = volumes that somebody made by hand.
    pub(crate) storage_class_name: String,
}

/// One variable of containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LogLevel {
    /// Which containers; none = all.
    #[serde(default)]
    pub(crate) selectors: Vec<selector::Spec>,
    /// Its name.
    #[serde(default = "log_level")]
    pub(crate) variable: String,
    /// What it says.
    pub(crate) value: String,
}

fn log_level() -> String {
    "LOG_LEVEL".to_owned()
}

/// How large something is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Size {
    /// `spec.replicas`.
    pub(crate) replicas: Option<u32>,
    /// Of every container that is meant.
    pub(crate) resources: Option<Resources>,
}

/// What a container asks for and may have; what is not given stays.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Resources {
    /// By name. They take the place of the container's own `cpu` and `memory`; its other resources, such as
    /// `nvidia.com/gpu` and `ephemeral-storage`, stay unless they are named.
    pub(crate) requests: Option<BTreeMap<String, String>>,
    /// By name, in the same way.
    pub(crate) limits: Option<BTreeMap<String, String>>,
    /// `true`: of the requests or limits that are given, those that are not named go, whatever they are.
    pub(crate) replace: bool,
}

/// How large workloads are.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Workload {
    /// Which; none = all.
    pub(crate) selectors: Vec<selector::Spec>,
    /// One of `presets`.
    pub(crate) preset: Option<String>,
    /// `spec.replicas`, whatever the preset says.
    pub(crate) replicas: Option<u32>,
    /// Of every container that is meant, whatever the preset says.
    pub(crate) resources: Option<Resources>,
}
