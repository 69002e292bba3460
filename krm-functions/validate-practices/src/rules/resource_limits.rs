//! Every container has a limit for cpu and memory, or its pod has.

use krm_fn::workload::Container;

use super::Report;
use crate::cluster::{Cluster, Workload};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in &workload.containers {
            if let Some(missing) = missing(workload, container, &["limits"]) {
                report.container(
                    workload,
                    container,
                    "resources.limits",
                    format!("container {} has no limit for {missing}", container.label()),
                    "set `resources.limits.cpu` and `resources.limits.memory` to what it may use at most",
                );
            }
        }
    }
}

/// The resources, in words, that stand in none of these mappings of the container's or the pod's `resources`.
pub(super) fn missing(workload: &Workload<'_>, container: &Container<'_>, mappings: &[&str]) -> Option<String> {
    let is_set = |resource: &str| {
        mappings.iter().any(|mapping| {
            [container.node, workload.spec].into_iter().any(|owner| {
                let amount = owner.text_at(&["resources", mapping, resource]);
                amount.is_some_and(|amount| amount != "0")
            })
        })
    };
    let missing: Vec<&str> = ["cpu", "memory"]
        .into_iter()
        .filter(|resource| !is_set(resource))
        .collect();
    (!missing.is_empty()).then(|| missing.join(" or "))
}
