//! A NetworkPolicy of its namespace selects every pod; what none selects may talk to anybody.

use super::Report;
use crate::cluster::{Cluster, namespace};
use crate::labels::{LabelSelector, Selectors};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut policies = Selectors::default();
    for policy in cluster.all_of("networking.k8s.io", "NetworkPolicy") {
        let selector = policy.root().at(&["spec", "podSelector"]).map(LabelSelector::read);
        policies.add(namespace(policy), selector.unwrap_or_default(), ());
    }
    for workload in &cluster.workloads {
        // Labels that a controller decides on are not known here.
        let Some(labels) = &workload.labels else { continue };
        if policies.selecting(&workload.namespace(), labels).next().is_none() {
            report.object(
                workload.subject,
                metadata_labels(&workload.path),
                "no NetworkPolicy selects the pods, so that anybody reaches them and they reach anybody",
                "add one whose `podSelector` matches the pods' labels, in their namespace",
            );
        }
    }
}

/// The path of the pods' labels, beside the path of their specification.
pub(super) fn metadata_labels(path: &str) -> String {
    format!("{}metadata.labels", path.strip_suffix("spec").unwrap_or_default())
}
