//! Every container has a limit for cpu and memory, or its pod has.

use krm_fn::Node;
use krm_fn::workload::ResourceFields;

use super::Report;
use crate::cluster::{Cluster, Place};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for place in cluster.places.iter().filter(|place| place.runs) {
        if let Some(missing) = missing(place, &["limits"]) {
            let (field, fix) = match place.container.fields.resources {
                Some(ResourceFields::Spark) => (
                    "coreLimit".to_owned(),
                    "set `coreLimit` and `memoryLimit` to what it may use at most",
                ),
                fields if key(fields) == "resources" => (
                    "resources.limits".to_owned(),
                    "set `resources.limits.cpu` and `resources.limits.memory` to what it may use at most",
                ),
                fields => (
                    format!("{}.limits", key(fields)),
                    "set `cpu` and `memory` there to what it may use at most",
                ),
            };
            let problem = format!("container {} has no limit for {missing}", place.container.label());
            report.container_of(place.subject, &place.container, &field, problem, fix);
        }
    }
}

/// The key of the resources.
pub(super) fn key(fields: Option<ResourceFields>) -> &'static str {
    match fields {
        Some(ResourceFields::Requirements(key)) => key,
        Some(ResourceFields::Spark) | None => "resources",
    }
}

/// The resources, in words, that stand in none of these mappings of the container's or the pod's `resources`; none where
/// the kind has no place for them.
pub(super) fn missing(place: &Place<'_>, mappings: &[&str]) -> Option<String> {
    let fields = place.container.fields.resources?;
    let has = |owner: Node<'_>, path: &[&str]| owner.text_at(path).is_some_and(|amount| amount != "0");
    let is_set = |resource: &str| {
        if fields == ResourceFields::Spark {
            let fields: &[&str] = match (resource, mappings) {
                ("cpu", ["limits"]) => &["coreLimit"],
                ("cpu", _) => &["coreRequest", "cores", "coreLimit"],
                (_, ["limits"]) => &["memoryLimit"],
                _ => &["memory", "memoryLimit"],
            };
            return fields.iter().any(|field| has(place.container.node, &[field]));
        }
        let around = place.around.iter().map(|around| around.node);
        std::iter::once(place.container.node).chain(around).any(|owner| {
            let keys = [key(Some(fields)), "resources", "podResources"];
            mappings
                .iter()
                .any(|mapping| keys.iter().any(|key| has(owner, &[key, mapping, resource])))
        })
    };
    let missing: Vec<&str> = ["cpu", "memory"]
        .into_iter()
        .filter(|resource| !is_set(resource))
        .collect();
    (!missing.is_empty()).then(|| missing.join(" or "))
}
