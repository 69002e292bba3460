//! A PodDisruptionBudget selects the pods of every workload with more than one replica; without one, draining nodes may
//! stop all of them at once.

use std::collections::HashMap;

use super::Report;
use crate::cluster::{Cluster, Workload, namespace};
use crate::labels::{LabelSelector, Selectors};

/// The kinds that an eviction is counted for.
const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

/// The least replicas that an autoscaler keeps, by namespace, kind and name of its target.
type Autoscaled = HashMap<(String, String, String), i64>;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut budgets = Selectors::default();
    for budget in cluster.all_of("policy", "PodDisruptionBudget") {
        if let Some(selector) = budget.root().at(&["spec", "selector"]).filter(|node| !node.is_null()) {
            budgets.add(namespace(budget), LabelSelector::read(selector));
        }
    }
    let autoscaled = autoscaled(cluster);
    for workload in &cluster.workloads {
        let replicas = replicas(workload, &autoscaled);
        if replicas < 2 || !KINDS.contains(&workload.subject.object.kind().as_ref()) {
            continue;
        }
        let labels = workload.labels.as_ref();
        if labels.is_some_and(|labels| !budgets.any_selects(&workload.namespace(), labels)) {
            report.object(
                workload.subject,
                "spec.replicas",
                format!(
                    "no PodDisruptionBudget selects the {replicas} pods, so that draining nodes may stop all of them"
                ),
                "add one whose `selector` matches the pods' labels, in their namespace, such as with `minAvailable: 1`",
            );
        }
    }
}

/// How many pods there are at least: the workload's own word, or an autoscaler's where that is more.
fn replicas(workload: &Workload<'_>, autoscaled: &Autoscaled) -> i64 {
    let object = workload.subject.object;
    let target = (
        workload.namespace(),
        object.kind().into_owned(),
        object.name().into_owned(),
    );
    let own = object
        .root()
        .text_at(&["spec", "replicas"])
        .and_then(|text| text.parse().ok());
    let least = autoscaled.get(&target).copied();
    own.max(least).unwrap_or(1)
}

fn autoscaled(cluster: &Cluster<'_>) -> Autoscaled {
    let autoscalers = cluster.all_of("autoscaling", "HorizontalPodAutoscaler");
    autoscalers
        .map(|autoscaler| {
            let text = |path: &[&str]| autoscaler.root().text_at(path).unwrap_or_default().into_owned();
            let (kind, name) = (
                text(&["spec", "scaleTargetRef", "kind"]),
                text(&["spec", "scaleTargetRef", "name"]),
            );
            let least = text(&["spec", "minReplicas"]).parse().unwrap_or(1);
            ((namespace(autoscaler), kind, name), least)
        })
        .collect()
}
