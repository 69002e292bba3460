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
    for (subject, around) in &cluster.around {
        for (field, shared) in FIELDS {
            let node = around.node.at(&[field]);
            if is_set(node) && !says_false(node) {
                report.object(
                    *subject,
                    format!("{}.{field}", around.path),
                    format!("the pod shares the node's {shared}"),
                    "remove it; to be reached from outside, a pod needs a Service",
                );
            }
        }
    }
}
