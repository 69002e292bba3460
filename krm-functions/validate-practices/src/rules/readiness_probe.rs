//! Every container that goes on running has a readiness probe.

use super::{Report, liveness_probe::probes};
use crate::cluster::Cluster;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in workload
            .long_running()
            .filter(|one| !probes(one.node, "readinessProbe"))
        {
            report.container(
                workload,
                container,
                "readinessProbe",
                format!(
                    "container {} has no readiness probe, so it gets requests before it can answer",
                    container.label()
                ),
                "add a `readinessProbe` that succeeds when requests can be answered",
            );
        }
    }
}
