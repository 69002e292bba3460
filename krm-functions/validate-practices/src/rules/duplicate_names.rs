//! No list of a pod has two entries of one name where Kubernetes merges by it: `kubectl apply --server-side` refuses them,
//! and of two variables the kubelet takes the last.

use std::collections::HashMap;

use krm_fn::Node;

use super::Report;
use crate::cluster::Cluster;

const FIX: &str = "remove all but the one that is meant";

/// Lists of a container, and the fields that tell their entries apart.
const OF_CONTAINERS: [(&str, &[&str]); 4] = [
    ("env", &["name"]),
    ("ports", &["containerPort", "protocol"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
];

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    for place in &cluster.places {
        let (subject, container) = (place.subject, &place.container);
        for (list, fields) in OF_CONTAINERS {
            for (at, first, name) in duplicates(container.node.at(&[list]), fields) {
                let effect = if list == "env" {
                    ", and the kubelet takes the last"
                } else {
                    ""
                };
                let problem = format!(
                    "{list} of container {} has {name} already at {list}[{first}]{effect}",
                    container.label()
                );
                report.container_of(subject, container, &format!("{list}[{at}]"), problem, FIX);
                if list == "env" {
                    report.of_variable(name);
                }
            }
        }
    }
    for workload in &cluster.workloads {
        for (at, first, name) in duplicates(workload.spec.at(&["volumes"]), &["name"]) {
            let problem = format!("there is a volume {name} already at volumes[{first}]");
            report.pod(workload, &format!("volumes[{at}]"), problem, FIX);
        }
        let mut names: HashMap<&str, &str> = HashMap::new();
        for container in &workload.containers {
            if container.name.is_empty() {
                continue;
            }
            if let Some(first) = names.insert(&container.name, &container.path) {
                let problem = format!("there is a container {} already at {first}", container.name);
                report.object(workload.subject, format!("{}.name", container.path), problem, FIX);
            }
        }
    }
}

/// The entries of a list that say in these fields what an earlier one says: their numbers, that one's, and the text.
fn duplicates(list: Option<Node<'_>>, fields: &[&str]) -> Vec<(usize, usize, String)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (at, entry) in list.into_iter().flat_map(Node::items).map(Node::resolve).enumerate() {
        let Some(first) = fields.first().and_then(|field| entry.text_at(&[field])) else {
            continue;
        };
        let mut name = first.into_owned();
        if fields.contains(&"protocol") {
            name.push('/');
            name.push_str(&entry.text_at(&["protocol"]).unwrap_or("TCP".into()));
        }
        match seen.get(&name) {
            Some(&first) => found.push((at, first, name)),
            None => drop(seen.insert(name, at)),
        }
    }
    found
}
