//! No container may run as root: `runAsNonRoot` is true, and no `runAsUser` is 0. A container's own word goes before
//! that of a template and the pod's.

use super::Report;
use crate::cluster::{Cluster, says_true};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let places = cluster.places.iter().filter(|place| place.runs);
    for place in places.filter(|place| place.container.fields.security_context) {
        let (subject, container) = (place.subject, &place.container);
        if !says_true(place.security("runAsNonRoot")) {
            report.container_of(
                subject,
                container,
                "securityContext.runAsNonRoot",
                format!("container {} may run as root", container.label()),
                "set `securityContext.runAsNonRoot: true` of the pod, with a `runAsUser` that the image can run as",
            );
        } else if place
            .security("runAsUser")
            .and_then(|user| user.text())
            .is_some_and(|user| user == "0")
        {
            report.container_of(
                subject,
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
