//! Every container requests cpu and memory, or its pod does. Where there is a limit and no request, Kubernetes takes
//! the limit for the request.

use krm_fn::workload::ResourceFields;

use super::{Report, resource_limits};
use crate::cluster::Cluster;

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for place in cluster.places.iter().filter(|place| place.runs) {
        if let Some(missing) = resource_limits::missing(place, &["requests", "limits"]) {
            let (field, fix) = match place.container.fields.resources {
                Some(ResourceFields::Spark) => (
                    "coreRequest".to_owned(),
                    "set `coreRequest` and `memory` to what it needs in normal times",
                ),
                fields if resource_limits::key(fields) != "resources" => (
                    format!("{}.requests", resource_limits::key(fields)),
                    "set `cpu` and `memory` there to what it needs in normal times",
                ),
                _ => (
                    "resources.requests".to_owned(),
                    "set `resources.requests.cpu` and `resources.requests.memory` to what it needs in normal times",
                ),
            };
            let problem = format!("container {} has no request for {missing}", place.container.label());
            report.container_of(place.subject, &place.container, &field, problem, fix);
        }
    }
}
