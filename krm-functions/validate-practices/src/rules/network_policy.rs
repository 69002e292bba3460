//! A NetworkPolicy of its namespace selects every pod; what none selects may talk to anybody.

use super::Report;
use crate::cluster::{Cluster, namespace};
use crate::labels::{LabelSelector, Selectors};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut policies = Selectors::default();
    for policy in cluster.all_of("networking.k8s.io", "NetworkPolicy") {
        let selector = policy.root().at(&["spec", "podSelector"]).map(LabelSelector::read);
        policies.add(namespace(policy), selector.unwrap_or_default());
    }
    for workload in &cluster.workloads {
        if !policies.any_selects(&workload.namespace(), &workload.labels) {
            report.object(
                workload.subject,
                metadata_labels(workload.path),
                "no NetworkPolicy selects the pods, so that anybody reaches them and they reach anybody",
                "add one whose `podSelector` matches the pods' labels, in their namespace",
            );
        }
    }
}

/// The path of the pods' labels.
pub(super) fn metadata_labels(path: &[&str]) -> String {
    let template = &path[..path.len() - 1];
    [template, &["metadata", "labels"]].concat().join(".")
}
