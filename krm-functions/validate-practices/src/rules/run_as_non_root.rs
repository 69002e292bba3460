//! No container may run as root: `runAsNonRoot` is true, and no `runAsUser` is 0. A container's own word goes before
//! the pod's.

use super::Report;
use crate::cluster::{Cluster, is_set, says_true};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in &workload.containers {
            let effective = |field: &str| {
                let own = container.node.at(&["securityContext", field]);
                if is_set(own) {
                    own
                } else {
                    workload.spec.at(&["securityContext", field])
                }
            };
            if !says_true(effective("runAsNonRoot")) {
                report.container(
                    workload,
                    container,
                    "securityContext.runAsNonRoot",
                    format!("container {} may run as root", container.label()),
                    "set `securityContext.runAsNonRoot: true` of the pod, with a `runAsUser` that the image can run as",
                );
            } else if effective("runAsUser")
                .and_then(|user| user.text())
                .is_some_and(|user| user == "0")
            {
                report.container(
                    workload,
                    container,
                    "securityContext.runAsUser",
                    format!(
                        "container {} runs as user 0, which is root: it will not start",
                        container.label()
                    ),
                    "set `runAsUser` to a user other than 0",
                );
            }
        }
    }
}
