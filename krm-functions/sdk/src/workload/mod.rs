//! Where workloads keep their pod templates and containers. Kinds are known by group, in any version.

mod mapping;
mod path;
mod table;

use std::borrow::Cow;

use serde::Deserialize;

pub use self::mapping::{ContainerPath, Mappings, Spec};
use self::table::{Place, WORKLOADS, Workload};
use crate::{Node, Object};

/// A pod that a workload makes.
#[derive(Clone, Debug)]
pub struct Pod<'a> {
    /// The pod template, whose `metadata` has the pods' labels; `None` where a controller decides on them.
    pub template: Option<Node<'a>>,
    /// The pod's specification.
    pub spec: Node<'a>,
    /// `spec.template.spec`.
    pub path: String,
}

/// A container and where it stands in its object.
#[derive(Clone, Debug)]
pub struct Container<'a> {
    /// Its mapping.
    pub node: Node<'a>,
    /// Its name; empty where it has none.
    pub name: String,
    /// `spec.template.spec.containers[0]`.
    pub path: String,
    /// When it runs.
    pub kind: ContainerType,
    /// The mapping that holds its list of variables, which is the container itself but for workloads that a user has
    /// described; `None` where that mapping is missing.
    pub holder: Option<Node<'a>>,
    /// The list's key there.
    pub key: Cow<'static, str>,
}

/// When a container runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ContainerType {
    /// As long as the pod does.
    Container,
    /// Before the others, to its end.
    InitContainer,
    /// Beside the others: an init container that always restarts, or an entry of `sidecars`.
    Sidecar,
}

/// Whether objects of this kind run containers.
#[must_use]
pub fn is_workload(object: Object<'_>) -> bool {
    known(object).is_some()
}

/// The pods that a workload makes; none for other objects, and for workloads that are made of containers alone.
#[must_use]
pub fn pods(object: Object<'_>) -> Vec<Pod<'_>> {
    let Some(workload) = known(object) else {
        return Vec::new();
    };
    workload
        .places
        .iter()
        .flat_map(|place| pods_at(object, *place))
        .collect()
}

/// The containers of a workload, each pod's init containers first; none for other objects.
#[must_use]
pub fn containers(object: Object<'_>) -> Vec<Container<'_>> {
    let Some(workload) = known(object) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for place in workload.places {
        for pod in pods_at(object, *place) {
            pod.note_containers(&mut found);
        }
        let (path, name, kind) = match *place {
            Place::Template(_) | Place::Spec(_) => continue,
            Place::Container(path, name) => (path, name, ContainerType::Container),
            Place::Sidecar(path) => (path, "", ContainerType::Sidecar),
            Place::Init(path) => (path, "", ContainerType::InitContainer),
        };
        let mut nodes = Vec::new();
        path::walk(object.root(), &path::of_table(path), "", &mut nodes);
        // A step of Tekton that refers to a StepAction may have no variables of its own.
        for (node, path) in nodes.into_iter().filter(|(node, _)| node.at(&["ref"]).is_none()) {
            found.push(Container::new(node, path, kind, name));
        }
    }
    found
}

impl<'a> Pod<'a> {
    /// Its containers, init containers first.
    #[must_use]
    pub fn containers(&self) -> Vec<Container<'a>> {
        let mut found = Vec::new();
        self.note_containers(&mut found);
        found
    }

    fn note_containers(&self, found: &mut Vec<Container<'a>>) {
        for (list, is_init) in [("initContainers", true), ("containers", false)] {
            let items = self.spec.at(&[list]).into_iter().flat_map(Node::items);
            for (at, node) in items.enumerate() {
                let always = || {
                    node.text_at(&["restartPolicy"])
                        .is_some_and(|policy| policy == "Always")
                };
                let kind = match is_init {
                    true if always() => ContainerType::Sidecar,
                    true => ContainerType::InitContainer,
                    false => ContainerType::Container,
                };
                found.push(Container::new(node, format!("{}.{list}[{at}]", self.path), kind, ""));
            }
        }
    }
}

impl<'a> Container<'a> {
    /// What to call it in a message: its name, or its path where it has none, as is usual in Knative.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.path } else { &self.name }
    }

    fn new(node: Node<'a>, path: String, kind: ContainerType, name: &str) -> Self {
        Self {
            node,
            name: node.text_at(&["name"]).unwrap_or(name.into()).into_owned(),
            path,
            kind,
            holder: Some(node),
            key: "env".into(),
        }
    }
}

fn known(object: Object<'_>) -> Option<&'static Workload> {
    let kind = object.kind();
    let of_kind = WORKLOADS.iter().filter(|workload| workload.kind == kind);
    of_kind
        .into_iter()
        .find(|workload| workload.groups.contains(&object.group().as_ref()))
}

fn pods_at<'a>(object: Object<'a>, place: Place) -> Vec<Pod<'a>> {
    let (path, has_template) = match place {
        Place::Template(path) => (path, true),
        Place::Spec(path) => (path, false),
        Place::Container(..) | Place::Sidecar(_) | Place::Init(_) => return Vec::new(),
    };
    let mut nodes = Vec::new();
    path::walk(object.root(), &path::of_table(path), "", &mut nodes);
    let pod = |(node, path): (Node<'a>, String)| {
        if !has_template {
            return Some(Pod {
                template: None,
                spec: node,
                path,
            });
        }
        Some(Pod {
            template: Some(node),
            spec: node.at(&["spec"])?,
            path: if path.is_empty() {
                "spec".to_owned()
            } else {
                format!("{path}.spec")
            },
        })
    };
    nodes.into_iter().filter_map(pod).collect()
}
