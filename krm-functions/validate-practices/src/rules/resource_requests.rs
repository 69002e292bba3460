//! Every container requests cpu and memory, or its pod does. Where there is a limit and no request, Kubernetes takes
//! the limit for the request.

use super::{Report, resource_limits};
use crate::cluster::Cluster;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        for container in &workload.containers {
            if let Some(missing) = resource_limits::missing(workload, container, &["requests", "limits"]) {
                report.container(
                    workload,
                    container,
                    "resources.requests",
                    format!("container {} has no request for {missing}", container.label()),
                    "set `resources.requests.cpu` and `resources.requests.memory` to what it needs in normal times",
                );
            }
        }
    }
}
