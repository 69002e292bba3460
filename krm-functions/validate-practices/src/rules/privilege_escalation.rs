//! Every container says that its processes get no more privileges than it has; without a word, they may.

use super::Report;
use crate::cluster::{Cluster, says_false};

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let places = cluster.places.iter().filter(|place| place.runs);
    for place in places.filter(|place| place.container.fields.security_context) {
        if !says_false(place.container_security(&["allowPrivilegeEscalation"])) {
            let container = &place.container;
            report.container_of(
                place.subject,
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
