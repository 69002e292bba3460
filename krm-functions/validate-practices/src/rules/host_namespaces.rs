//! No pod shares the node's network, processes or IPC.

use super::Report;
use crate::cluster::{Cluster, is_set, says_false};

/// Fields of a pod's specification, and what the pod then sees.
const FIELDS: [(&str, &str); 3] = [
    ("hostNetwork", "network, which no NetworkPolicy covers"),
    ("hostPID", "processes"),
    ("hostIPC", "inter-process communication"),
];

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for (field, shared) in FIELDS {
            let node = workload.spec.at(&[field]);
            if is_set(node) && !says_false(node) {
                report.pod(
                    workload,
                    field,
                    format!("the pod shares the node's {shared}"),
                    "remove it; to be reached from outside, a pod needs a Service",
                );
            }
        }
    }
}
