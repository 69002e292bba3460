//! No container is privileged, a Windows host process, or given capabilities beyond those of Kubernetes' Pod Security
//! level "baseline".

use krm_fn::Node;

use super::Report;
use crate::cluster::{Cluster, is_set, says_false};

/// What "baseline" allows to add: kubernetes.io/docs/concepts/security/pod-security-standards.
const CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Fields of a `securityContext` that give the node away.
const FLAGS: [&[&str]; 2] = [&["privileged"], &["windowsOptions", "hostProcess"]];

const FIX: &str = "remove it; where the workload manages the node itself, waive the rule for it";

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let is_on = |owner: Node<'_>, flag: &[&str]| {
        let field = owner.at(&["securityContext"]).and_then(|context| context.at(flag));
        is_set(field) && !says_false(field)
    };
    for (subject, around) in cluster.around.iter().filter(|(_, around)| !around.is_container) {
        if is_on(around.node, FLAGS[1]) && !cluster.is_container(*subject, &around.path) {
            let field = format!("{}.securityContext.windowsOptions.hostProcess", around.path);
            report.object(*subject, field, "the pod may do on its node what root may", FIX);
        }
    }
    for place in cluster
        .places
        .iter()
        .filter(|place| place.container.fields.security_context)
    {
        let (subject, container) = (place.subject, &place.container);
        for flag in FLAGS.into_iter().filter(|flag| is_on(container.node, flag)) {
            report.container_of(
                subject,
                container,
                &format!("securityContext.{}", flag.join(".")),
                format!("container {} may do on its node what root may", container.label()),
                FIX,
            );
        }
        let added = container.node.at(&["securityContext", "capabilities", "add"]);
        let added = added
            .into_iter()
            .flat_map(Node::items)
            .filter_map(|one| one.resolve().text());
        for (at, capability) in added.enumerate() {
            let name = capability.strip_prefix("CAP_").unwrap_or(&capability);
            if !CAPABILITIES.contains(&name) {
                report.container_of(
                    subject,
                    container,
                    &format!("securityContext.capabilities.add[{at}]"),
                    format!(
                        "container {} gets the capability {capability}, which reaches beyond it",
                        container.label()
                    ),
                    FIX,
                );
            }
        }
    }
}
