//! Every container that goes on running has a liveness probe.

use krm_fn::Node;

use super::Report;
use crate::cluster::{Cluster, is_set};

/// What a probe can do; one without any of them is refused by Kubernetes.
const ACTIONS: [&str; 4] = ["httpGet", "tcpSocket", "exec", "grpc"];

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in workload.long_running().filter(|one| !probes(one.node, "livenessProbe")) {
            report.container(
                workload,
                container,
                "livenessProbe",
                format!(
                    "container {} has no liveness probe, so nobody restarts it when it hangs",
                    container.label()
                ),
                "add a `livenessProbe` that asks the process alone, not the services behind it",
            );
        }
    }
}

/// Whether the container has a probe that does something.
pub(super) fn probes(container: Node<'_>, probe: &str) -> bool {
    ACTIONS.iter().any(|action| is_set(container.at(&[probe, action])))
}
