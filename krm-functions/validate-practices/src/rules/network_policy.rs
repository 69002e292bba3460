//! A NetworkPolicy of its namespace selects every pod; what none selects may talk to anybody.

use std::collections::HashMap;

use super::Report;
use crate::cluster::{Cluster, namespace};
use crate::labels::LabelSelector;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut policies: HashMap<String, Vec<LabelSelector>> = HashMap::new();
    for policy in cluster.all_of("networking.k8s.io", "NetworkPolicy") {
        let selector = policy.root().at(&["spec", "podSelector"]).map(LabelSelector::read);
        policies
            .entry(namespace(policy))
            .or_default()
            .push(selector.unwrap_or_default());
    }
    for workload in &cluster.workloads {
        let mut here = policies.get(&workload.namespace()).into_iter().flatten();
        if !here.any(|selector| selector.selects(&workload.labels)) {
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
