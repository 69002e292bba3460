//! No Role or ClusterRole has a wildcard, and nobody is bound to `cluster-admin`, which consists of them.

use krm_fn::Node;

use super::Report;
use crate::cluster::{Cluster, Subject};

const FIELDS: [&str; 4] = ["apiGroups", "resources", "verbs", "nonResourceURLs"];

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for &subject in &cluster.subjects {
        let object = subject.object;
        if object.group() != "rbac.authorization.k8s.io" {
            continue;
        }
        match object.kind().as_ref() {
            "Role" | "ClusterRole" => wildcards(subject, report),
            "RoleBinding" | "ClusterRoleBinding" => {
                let role = |field| object.root().text_at(&["roleRef", field]).unwrap_or_default();
                if (role("kind").as_ref(), role("name").as_ref()) == ("ClusterRole", "cluster-admin") {
                    report.object(
                        subject,
                        "roleRef.name",
                        "cluster-admin may do everything",
                        "bind a role with the resources and verbs that are needed",
                    );
                }
            }
            _ => {}
        }
    }
}

fn wildcards<'a>(subject: Subject<'a>, report: &mut Report<'a>) {
    let rules = subject.object.root().at(&["rules"]).into_iter().flat_map(Node::items);
    for (number, rule) in rules.enumerate() {
        for field in FIELDS {
            let entries = rule.at(&[field]).into_iter().flat_map(Node::items);
            for (at, entry) in entries.enumerate() {
                let text = entry.resolve().text().unwrap_or_default();
                let wild = match field {
                    // `/healthz/*` is a part of what is served, `/*` all of it.
                    "nonResourceURLs" => matches!(text.as_ref(), "*" | "/*"),
                    _ => text.contains('*'),
                };
                if wild {
                    report.object(
                        subject,
                        format!("rules[{number}].{field}[{at}]"),
                        format!("{text} grants what is there now and all that is to come"),
                        "list what is needed by name",
                    );
                }
            }
        }
    }
}
