//! Pod templates of kinds that nothing here knows: found by their shape, so that none is passed over in silence.

use super::below;
use super::places::Places;
use crate::{Finding, Node, NodeKind, Object, Severity};

/// Groups whose objects hold containers as patterns or as schemas, and run none.
const GROUPS: [&str; 4] = [
    "apiextensions.k8s.io",
    "kyverno.io",
    "policies.kyverno.io",
    "templates.gatekeeper.sh",
];

/// Fields of which a container has at least one beside its name.
const FIELDS: [&str; 9] = [
    "image",
    "env",
    "envFrom",
    "command",
    "args",
    "resources",
    "securityContext",
    "ports",
    "volumeMounts",
];

/// How deep objects are looked into.
const DEPTH: usize = 40;

/// How many nodes of one object are looked at: aliases can multiply them.
const NODES: usize = 1_000_000;

/// A pod's specification in an object whose kind does not say that it has one there.
#[derive(Clone, Debug)]
pub struct Unknown<'a> {
    /// The object.
    pub object: Object<'a>,
    /// The path of the specification.
    pub path: String,
    /// The specification.
    pub spec: Node<'a>,
    /// The field of the configuration that adds kinds.
    field: String,
}

/// The specifications that are not among those that are known.
pub(super) fn find<'a>(object: Object<'a>, field: &str, known: impl FnOnce() -> Places<'a>) -> Vec<Unknown<'a>> {
    let lists = ["containers", "initContainers"];
    if GROUPS.contains(&object.group().as_ref()) || !lists.iter().any(|list| object.root().may_say(list)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut left = NODES;
    for (key, value) in object.root().entries() {
        let key = key.text().unwrap_or_default();
        if key != "status" && key != "metadata" {
            walk(value, &key, DEPTH, &mut left, &mut found);
        }
    }
    if found.is_empty() {
        return Vec::new();
    }
    let known = known();
    let is_known = |path: &String| {
        known.pods.iter().any(|pod| pod.path == *path)
            || ["containers[", "initContainers["].iter().any(|list| {
                let list = below(path, list);
                known
                    .containers
                    .iter()
                    .chain(&known.defaults)
                    .any(|one| one.path.starts_with(&list))
            })
    };
    found.retain(|(path, _)| !is_known(path));
    found
        .into_iter()
        .map(|(path, spec)| Unknown {
            object,
            path,
            spec,
            field: field.to_owned(),
        })
        .collect()
}

fn walk<'a>(node: Node<'a>, path: &str, depth: usize, left: &mut usize, found: &mut Vec<(String, Node<'a>)>) {
    let (Some(depth), Some(fewer)) = (depth.checked_sub(1), left.checked_sub(1)) else {
        return;
    };
    *left = fewer;
    let node = node.resolve();
    match node.kind() {
        NodeKind::Seq => {
            for (at, item) in node.items().enumerate() {
                walk(item, &format!("{path}[{at}]"), depth, left, found);
            }
        }
        NodeKind::Map => {
            if is_pod(node) {
                found.push((path.to_owned(), node));
                return;
            }
            for (key, value) in node.entries() {
                let key = key.text().unwrap_or_default();
                if key != "status" {
                    walk(value, &below(path, &key), depth, left, found);
                }
            }
        }
        NodeKind::Scalar | NodeKind::Alias => {}
    }
}

/// Whether the mapping has a list of containers.
fn is_pod(node: Node<'_>) -> bool {
    ["containers", "initContainers"].iter().any(|list| {
        let list = node.at(&[list]).into_iter().flat_map(Node::items);
        list.map(Node::resolve).any(|one| {
            let has_name = one.text_at(&["name"]).is_some();
            let image = one.text_at(&["image"]).is_some();
            image || (has_name && FIELDS.iter().any(|field| one.at(&[field]).is_some()))
        })
    })
}

impl Unknown<'_> {
    /// What to say of it.
    #[must_use]
    pub fn finding(&self, severity: Severity, what: &str) -> Finding {
        let message = format!(
            "this looks like the specification of a pod, but nothing is known of {} here, so that {what}. To fix: {}",
            self.kind(),
            self.way()
        );
        Finding::new(severity, message)
            .of(self.object)
            .field(self.path.as_str())
            .at(self.spec.position())
    }

    /// `kind JobSet of jobset.x-k8s.io`.
    #[must_use]
    pub fn kind(&self) -> String {
        match self.object.group().as_ref() {
            "" => format!("kind {}", self.object.kind()),
            group => format!("kind {} of {group}", self.object.kind()),
        }
    }

    /// How the configuration learns the kind.
    #[must_use]
    pub fn way(&self) -> String {
        // The entries of a list are alike.
        let mut path = String::new();
        for (at, part) in self.path.split('[').enumerate() {
            match part.split_once(']') {
                Some((_, rest)) if at > 0 => path = format!("{path}[*]{rest}"),
                _ => path.push_str(part),
            }
        }
        let place = match path.strip_suffix(".spec") {
            Some(template) => format!("podTemplates: [\".{template}\"]"),
            None => format!("containers: [{{path: \".{path}.containers[*]\"}}]"),
        };
        format!(
            "add `{{group: \"{}\", kind: {}, {place}}}` to `{}`",
            self.object.group(),
            self.object.kind(),
            self.field
        )
    }
}
