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

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for workload in &cluster.workloads {
        let fix = "remove it; where the workload manages the node itself, waive the rule for it";
        let is_on = |owner: Node<'_>, flag: &[&str]| {
            let field = owner.at(&["securityContext"]).and_then(|context| context.at(flag));
            is_set(field) && !says_false(field)
        };
        if is_on(workload.spec, FLAGS[1]) {
            let field = "securityContext.windowsOptions.hostProcess";
            report.pod(workload, field, "the pod may do on its node what root may", fix);
        }
        for container in &workload.containers {
            for flag in FLAGS.into_iter().filter(|flag| is_on(container.node, flag)) {
                report.container(
                    workload,
                    container,
                    &format!("securityContext.{}", flag.join(".")),
                    format!("container {} may do on its node what root may", container.label()),
                    fix,
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
                    report.container(
                        workload,
                        container,
                        &format!("securityContext.capabilities.add[{at}]"),
                        format!(
                            "container {} gets the capability {capability}, which reaches beyond it",
                            container.label()
                        ),
                        "remove it; where the workload manages the node itself, waive the rule for it",
                    );
                }
            }
        }
    }
}
