//! Where workloads keep their pod templates, containers and images.

mod fields;
mod kinds;
mod mapping;
mod path;
mod places;
mod table;
mod unknown;

#[cfg(test)]
mod crds;

use std::borrow::Cow;

use serde::Deserialize;

pub use self::fields::{Fields, ResourceFields};
pub use self::kinds::Kinds;
pub use self::mapping::{ContainerPath, Spec};
pub use self::places::Places;
pub use self::unknown::Unknown;
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
    fields: Fields,
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
    /// The fields that its kind has at this place.
    pub fields: Fields,
}

/// A mapping whose fields hold for containers below it that do not set them: a pod's specification, or what stands for one.
#[derive(Clone, Debug)]
pub struct Around<'a> {
    /// The mapping.
    pub node: Node<'a>,
    /// Its path.
    pub path: String,
    /// Whether it has the fields of a container, not those of a pod.
    pub is_container: bool,
    /// The path that the containers are below.
    scope: String,
}

/// A field that names an image.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    /// The mapping that has it.
    pub holder: Node<'a>,
    /// Its key.
    pub key: &'static str,
    /// The path of the mapping; empty for the object itself.
    pub path: String,
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

/// Whether objects of this kind run containers, as far as the table knows.
#[must_use]
pub fn is_workload(object: Object<'_>) -> bool {
    places::row(object).is_some()
}

/// The containers of a workload, each pod's init containers first, as far as the table knows.
#[must_use]
pub fn containers(object: Object<'_>) -> Vec<Container<'_>> {
    Places::of(object).containers
}

impl<'a> Pod<'a> {
    /// Its containers, init containers first.
    #[must_use]
    pub fn containers(&self) -> Vec<Container<'a>> {
        let mut found = Vec::new();
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
                let path = below(&self.path, &format!("{list}[{at}]"));
                found.push(Container::new(node, path, kind, "", self.fields));
            }
        }
        found
    }
}

impl<'a> Container<'a> {
    /// What to call it in a message: its name, or its path where it has none, as is usual in Knative.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.name.is_empty() { &self.path } else { &self.name }
    }

    fn new(node: Node<'a>, path: String, kind: ContainerType, name: &str, fields: Fields) -> Self {
        Self {
            node,
            name: node.text_at(&["name"]).unwrap_or(name.into()).into_owned(),
            path,
            kind,
            holder: Some(node),
            key: "env".into(),
            fields,
        }
    }
}

impl Around<'_> {
    /// Whether its fields hold for what stands at this path.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.scope.as_str());
        self.scope.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

impl Image<'_> {
    /// The path of the field.
    #[must_use]
    pub fn field(&self) -> String {
        below(&self.path, self.key)
    }
}

/// A path below another, which may be empty.
fn below(path: &str, rest: &str) -> String {
    match (path, rest) {
        (path, "") => path.to_owned(),
        ("", rest) => rest.to_owned(),
        (path, rest) => format!("{path}.{rest}"),
    }
}
