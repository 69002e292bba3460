//! Items of lists: what tells them apart, and whether their order matters.

use krm_fn::{Node, NodeKind};

/// Lists in which Kubernetes gives the order no meaning. (In `env` it matters for `$(NAME)`: see `expansion`.)
const UNORDERED: [&str; 9] = [
    "containers",
    "ephemeralContainers",
    "env",
    "volumes",
    "volumeMounts",
    "volumeDevices",
    "ports",
    "imagePullSecrets",
    "hostAliases",
];

/// Fields that tell items apart, the first that does is taken; beside a port stands its protocol.
const IDENTITIES: [&str; 5] = ["name", "mountPath", "devicePath", "containerPort", "port"];

/// Whether the order of this list matters.
pub(crate) fn is_ordered(key: Option<&str>) -> bool {
    !key.is_some_and(|key| UNORDERED.contains(&key))
}

/// What tells the items of two lists apart, side by side; `None` where only their numbers do.
pub(crate) fn identities(left: &[Node<'_>], right: &[Node<'_>]) -> Option<(Vec<String>, Vec<String>)> {
    IDENTITIES
        .into_iter()
        .find_map(|field| Some((unique(left, field)?, unique(right, field)?)))
}

fn unique(items: &[Node<'_>], field: &str) -> Option<Vec<String>> {
    let names: Vec<String> = items.iter().map(|item| identity(*item, field)).collect::<Option<_>>()?;
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.windows(2).all(|two| two[0] != two[1]).then_some(names)
}

fn identity(item: Node<'_>, field: &str) -> Option<String> {
    if item.kind() != NodeKind::Map {
        return None;
    }
    let mut name = item.text_at(&[field])?.into_owned();
    if field.ends_with("ort")
        && let Some(protocol) = item.text_at(&["protocol"])
    {
        name.push('/');
        name.push_str(&protocol);
    }
    Some(name)
}
