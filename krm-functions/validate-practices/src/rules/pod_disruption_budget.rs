//! A PodDisruptionBudget selects the pods of every workload with more than one replica; without one, draining nodes may
//! stop all of them at once.

use std::collections::HashMap;

use krm_fn::Object;

use super::Report;
use crate::cluster::{Cluster, Workload, is_set, namespace};
use crate::labels::{LabelSelector, Selectors};

/// The kinds that an eviction is counted for.
const KINDS: [&str; 4] = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];

/// The least replicas that an autoscaler keeps, by namespace, kind and name of its target.
type Autoscaled = HashMap<(String, String, String), i64>;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut budgets: Selectors<Object<'a>> = Selectors::default();
    for budget in cluster.all_of("policy", "PodDisruptionBudget") {
        if let Some(selector) = budget.root().at(&["spec", "selector"]).filter(|node| !node.is_null()) {
            budgets.add(namespace(budget), LabelSelector::read(selector), budget);
        }
    }
    let autoscaled = autoscaled(cluster);
    for workload in &cluster.workloads {
        if !KINDS.contains(&workload.subject.object.kind().as_ref()) {
            continue;
        }
        // Labels that a controller decides on are not known here.
        let Some(labels) = workload.labels.as_ref() else {
            continue;
        };
        let replicas = replicas(workload, &autoscaled);
        let found: Vec<Object<'a>> = budgets.selecting(&workload.namespace(), labels).copied().collect();
        match found.as_slice() {
            [] if replicas < 2 => {}
            [] => report.object(
                workload.subject,
                "spec.replicas",
                format!(
                    "no PodDisruptionBudget selects the {replicas} pods, so that draining nodes may stop all of them"
                ),
                "add one whose `selector` matches the pods' labels, in their namespace, such as with `minAvailable: 1`",
            ),
            [budget] => {
                if let Some(why) = allows_nothing(*budget, replicas) {
                    report.object(
                        workload.subject,
                        "spec.replicas",
                        format!("{budget} allows no eviction of its {replicas} pods, {why}: nodes cannot be drained"),
                        "allow one: `maxUnavailable: 1`, or a `minAvailable` below the replicas",
                    );
                }
            }
            [one, other, ..] => report.object(
                workload.subject,
                "spec.replicas",
                format!("{one} and {other} both select the pods, and Kubernetes evicts none that two budgets select"),
                "let one budget select them",
            ),
        }
    }
}

/// Why a budget never lets a pod go of so many; `None` where it lets one go.
fn allows_nothing(budget: Object<'_>, replicas: i64) -> Option<&'static str> {
    let amount = |field: &str| {
        let text = budget.root().text_at(&["spec", field])?;
        let amount = match text.strip_suffix('%') {
            // Kubernetes rounds up, of both fields.
            Some(percent) => (percent.parse::<i64>().ok()?.saturating_mul(replicas) + 99) / 100,
            None => text.parse().ok()?,
        };
        Some(amount)
    };
    let is_there = |field: &str| is_set(budget.root().at(&["spec", field]));
    if is_there("maxUnavailable") {
        return (replicas > 0 && amount("maxUnavailable") == Some(0)).then_some("for `maxUnavailable` is 0");
    }
    if is_there("minAvailable") {
        let all = replicas > 0 && amount("minAvailable").is_some_and(|least| least >= replicas);
        return all.then_some("for `minAvailable` is all of them");
    }
    Some("for it has neither `minAvailable` nor `maxUnavailable`")
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
    let of = |autoscaler: Object<'_>, least: &str, otherwise: i64| {
        let text = |path: &[&str]| autoscaler.root().text_at(path).unwrap_or_default().into_owned();
        let mut kind = text(&["spec", "scaleTargetRef", "kind"]);
        if kind.is_empty() {
            // KEDA's default.
            "Deployment".clone_into(&mut kind);
        }
        let name = text(&["spec", "scaleTargetRef", "name"]);
        let least = text(&["spec", least]).parse().unwrap_or(otherwise);
        ((namespace(autoscaler), kind, name), least)
    };
    let of_kubernetes = cluster.all_of("autoscaling", "HorizontalPodAutoscaler");
    let of_keda = cluster.all_of("keda.sh", "ScaledObject");
    of_kubernetes
        .map(|autoscaler| of(autoscaler, "minReplicas", 1))
        .chain(of_keda.map(|autoscaler| of(autoscaler, "minReplicaCount", 0)))
        .collect()
}
