//! Every container says that its processes get no more privileges than it has; without a word, they may.

use super::Report;
use crate::cluster::{Cluster, says_false};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in &workload.containers {
            if !says_false(container.node.at(&["securityContext", "allowPrivilegeEscalation"])) {
                report.container(
                    workload,
                    container,
                    "securityContext.allowPrivilegeEscalation",
                    format!(
                        "processes of container {} may gain privileges, as by setuid",
                        container.label()
                    ),
                    "set `allowPrivilegeEscalation: false` in the container's `securityContext`",
                );
            }
        }
    }
}
