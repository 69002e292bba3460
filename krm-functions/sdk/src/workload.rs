//! Where the core kinds keep their pod templates and containers.

use crate::{Node, Object};

/// Groups and kinds, and the path from the object to the pod's specification.
const POD_SPECS: &[(&[&str], &str, &[&str])] = &[
    (&[""], "Pod", &["spec"]),
    (&[""], "PodTemplate", &["template", "spec"]),
    (&[""], "ReplicationController", &["spec", "template", "spec"]),
    (&["apps", "extensions"], "Deployment", &["spec", "template", "spec"]),
    (&["apps"], "StatefulSet", &["spec", "template", "spec"]),
    (&["apps", "extensions"], "DaemonSet", &["spec", "template", "spec"]),
    (&["apps", "extensions"], "ReplicaSet", &["spec", "template", "spec"]),
    (&["batch"], "Job", &["spec", "template", "spec"]),
    (
        &["batch"],
        "CronJob",
        &["spec", "jobTemplate", "spec", "template", "spec"],
    ),
];

/// The lists of containers that get variables.
const LISTS: [&str; 2] = ["initContainers", "containers"];

/// A container and where it stands in its object.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Its mapping.
    pub node: Node<'a>,
    /// Its name; empty where it has none.
    pub name: String,
    /// `spec.template.spec.containers[0]`.
    pub path: String,
}

/// The path to the pod's specification; `None` for an object that runs no container.
pub fn pod_spec(object: Object<'_>) -> Option<&'static [&'static str]> {
    let kind = object.kind();
    let (groups, _, path) = POD_SPECS.iter().find(|(_, known, _)| *known == kind)?;
    groups.contains(&object.group().as_ref()).then_some(*path)
}

/// The containers below a path that [`pod_spec`] gave, init containers first.
pub fn containers<'a>(object: Object<'a>, path: &'static [&'static str]) -> impl Iterator<Item = Container<'a>> {
    let spec = object.root().at(path);
    LISTS.into_iter().flat_map(move |list| {
        let items = spec.and_then(|spec| spec.at(&[list])).into_iter().flat_map(Node::items);
        items.enumerate().map(move |(at, node)| Container {
            node,
            name: node.text_at(&["name"]).unwrap_or_default().into_owned(),
            path: format!("{}.{list}[{at}]", path.join(".")),
        })
    })
}
