//! The fields that may differ, by the kind of object.

use krm_fn::workload;
use krm_fn::{Object, selector};

use crate::allow::{Allow, Aspect};
use crate::contract;
use crate::difference::Change;
use crate::path::Step;

/// Fields that may differ.
struct Rule {
    /// What must be allowed for it; `None` = nothing.
    aspect: Option<Aspect>,
    groups: &'static [&'static str],
    kinds: &'static [&'static str],
    /// Paths of the fields; `*` is any item of a list.
    fields: &'static [&'static [&'static str]],
}

const RULES: &[Rule] = &[
    Rule {
        aspect: None,
        groups: &[""],
        kinds: &["Secret"],
        fields: &[&["data"], &["stringData"]],
    },
    Rule {
        aspect: Some(Aspect::Exposure),
        groups: &[""],
        kinds: &["Service"],
        // Besides type and node ports what Kubernetes takes beside some types only.
        fields: &[
            &["spec", "type"],
            &["spec", "ports", "*", "nodePort"],
            &["spec", "allocateLoadBalancerNodePorts"],
            &["spec", "externalTrafficPolicy"],
            &["spec", "healthCheckNodePort"],
            &["spec", "loadBalancerClass"],
            &["spec", "loadBalancerIP"],
            &["spec", "loadBalancerSourceRanges"],
        ],
    },
    Rule {
        aspect: Some(Aspect::Ingress),
        groups: &["networking.k8s.io", "extensions"],
        kinds: &["Ingress"],
        fields: &[
            &["metadata", "annotations"],
            &["spec", "ingressClassName"],
            &["spec", "tls"],
        ],
    },
    Rule {
        aspect: Some(Aspect::StorageClass),
        groups: &[""],
        kinds: &["PersistentVolumeClaim"],
        fields: &[&["spec", "storageClassName"]],
    },
    Rule {
        aspect: Some(Aspect::StorageClass),
        groups: &["apps"],
        kinds: &["StatefulSet"],
        fields: &[&["spec", "volumeClaimTemplates", "*", "spec", "storageClassName"]],
    },
    Rule {
        aspect: Some(Aspect::Replicas),
        groups: &["", "apps", "extensions", "argoproj.io"],
        kinds: &[
            "Deployment",
            "StatefulSet",
            "ReplicaSet",
            "ReplicationController",
            "Rollout",
        ],
        fields: &[&["spec", "replicas"]],
    },
];

/// Lists of containers.
const CONTAINERS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Whether a difference at this path belongs to the environment. `given`: whether the values are those of the contracts, as
/// far as these are known.
pub(crate) fn belongs_to_environment(
    allow: &Allow,
    object: Object<'_>,
    steps: &[Step<'_>],
    change: &Change,
    given: bool,
) -> bool {
    let (group, kind) = (object.group(), object.kind());
    RULES.iter().any(|rule| {
        rule.aspect.is_none_or(|aspect| allow.has(aspect))
            && rule.kinds.contains(&kind.as_ref())
            && rule.groups.contains(&group.as_ref())
            && rule.fields.iter().any(|path| starts_with(steps, path))
    }) || (allow.has(Aspect::Resources) && is_resources(object, steps))
        || (given && comes_from_contract(allow, object, steps, change))
}

/// Whether the object is the ConfigMap that inject-endpoints makes.
pub(crate) fn is_endpoints(allow: &Allow, object: Object<'_>) -> bool {
    object.kind() == "ConfigMap" && object.group().is_empty() && object.name() == allow.endpoints
}

/// Whether a path is or lies below another.
fn starts_with(steps: &[Step<'_>], path: &[&str]) -> bool {
    steps.len() >= path.len()
        && steps.iter().zip(path).all(|(step, wanted)| match step {
            Step::Key(key) => key == wanted,
            Step::Item(_) | Step::At(_) => *wanted == "*",
        })
}

/// `resources` of a container.
fn is_resources(object: Object<'_>, steps: &[Step<'_>]) -> bool {
    let of_container = |steps: &[Step<'_>]| {
        matches!(
            steps,
            [Step::Key(list), Step::Item(_) | Step::At(_), Step::Key("resources")] if CONTAINERS.contains(list)
        )
    };
    workload::is_workload(object) && steps.windows(3).any(of_container)
}

/// The contract's variables, and their ConfigMap's values.
fn comes_from_contract(allow: &Allow, object: Object<'_>, steps: &[Step<'_>], change: &Change) -> bool {
    let missing = matches!(change, Change::OnlyLeft | Change::OnlyRight);
    if is_endpoints(allow, object) {
        return match steps {
            [Step::Key("data"), Step::Key(key)] if missing => contract::may_lack_key(key),
            [Step::Key("data"), Step::Key(key)] => contract::names_key(key),
            _ => false,
        };
    }
    let known = workload::is_workload(object);
    let variable = (2..=steps.len()).find_map(|end| match &steps[..end] {
        [above @ .., Step::Key("env"), Step::Item(name)] if known || is_container(above) => Some(name),
        _ => None,
    });
    match (variable, steps.last()) {
        (Some(name), Some(Step::Item(_))) if missing => contract::may_lack(name),
        (Some(name), Some(Step::Key("value" | "valueFrom"))) => contract::names(name),
        (Some(name), _) => contract::names(name) && steps.contains(&Step::Key("valueFrom")),
        (None, _) => false,
    }
}

/// Whether the path is that of a container.
fn is_container(steps: &[Step<'_>]) -> bool {
    matches!(steps, [.., Step::Key(list), Step::Item(_) | Step::At(_)] if CONTAINERS.contains(list))
}

/// Whether the scalar at this path is the image of a container or volume.
pub(crate) fn is_image(steps: &[Step<'_>]) -> bool {
    match steps {
        [above @ .., Step::Key("image")] => is_container(above),
        [
            ..,
            Step::Key("volumes"),
            Step::Item(_),
            Step::Key("image"),
            Step::Key("reference"),
        ] => true,
        _ => false,
    }
}

/// Whether the scalar at this path is the name of a namespace.
pub(crate) fn is_namespace(steps: &[Step<'_>]) -> bool {
    matches!(steps, [.., Step::Key("namespace" | "kubernetes.io/metadata.name")])
        && !matches!(steps[0], Step::Key("data" | "stringData" | "binaryData"))
}

/// Whether the scalar at this path names a ConfigMap or Secret.
pub(crate) fn is_reference(steps: &[Step<'_>]) -> bool {
    const HOLDERS: [&str; 6] = [
        "configMapRef",
        "configMapKeyRef",
        "configMap",
        "secretRef",
        "secretKeyRef",
        "secret",
    ];
    match steps {
        [.., Step::Key("secretName")] => true,
        [.., Step::Key(holder), Step::Key("name")] => HOLDERS.contains(holder),
        _ => false,
    }
}

/// What the value at a path is called, where a name can tell a credential: the variable, or the last key.
pub(crate) fn name_of_value<'p>(steps: &[Step<'p>]) -> &'p str {
    match steps {
        [.., Step::Item(name), Step::Key("value")] => name,
        [.., Step::Key(name) | Step::Item(name)] => name,
        _ => "",
    }
}

/// Annotations of tools, which no cluster is meant to see.
pub(crate) fn is_tools_annotation(key: &str) -> bool {
    [
        "internal.config.kubernetes.io/*",
        "config.kubernetes.io/*",
        "config.k8s.io/*",
        "kustomize.config.k8s.io/*",
        "provenance.mlplat.dev/*",
    ]
    .iter()
    .any(|pattern| selector::matches(pattern, key))
}
