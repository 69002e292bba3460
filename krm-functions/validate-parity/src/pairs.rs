//! Which of one side belongs to which of the other.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::Hash;

use krm_fn::{Object, Stream};

use crate::allow::Allow;

/// The left one's number and the right one's; at least one of them.
pub(crate) type Pair = (Option<usize>, Option<usize>);

/// Pairs equal keys: those of the left in their order, and then what only the right has. Keys are unique on each side.
pub(crate) fn by_key<K: Eq + Hash>(left: &[K], right: &[K]) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(left.len());
    let mut taken = vec![false; right.len()];
    let mut places: Option<HashMap<&K, usize>> = None;
    for (at, key) in left.iter().enumerate() {
        // Both sides come from the same bases, so the same place is nearly always the right one.
        let found = if right.get(at) == Some(key) {
            Some(at)
        } else {
            places
                .get_or_insert_with(|| right.iter().enumerate().map(|(at, key)| (key, at)).collect())
                .get(key)
                .copied()
        };
        if let Some(found) = found {
            taken[found] = true;
        }
        pairs.push((Some(at), found));
    }
    pairs.extend((0..right.len()).filter(|&at| !taken[at]).map(|at| (None, Some(at))));
    pairs
}

/// The objects that reach a cluster, in pairs.
pub(crate) fn objects<'a>(
    left: &'a Stream,
    right: &'a Stream,
    allow: &Allow,
) -> Vec<(Option<Object<'a>>, Option<Object<'a>>)> {
    let applied = |stream: &'a Stream| -> Vec<Object<'a>> {
        stream.objects().filter(|object| !object.is_local_config()).collect()
    };
    let (left, right) = (applied(left), applied(right));
    let mut candidates: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, object) in right.iter().enumerate() {
        candidates
            .entry(key(*object, allow, str::to_owned))
            .or_default()
            .push(at);
    }
    let keys: Vec<_> = left
        .iter()
        .map(|object| key(*object, allow, |name| allow.namespace(name).to_owned()))
        .collect();
    let mut of_left: Vec<Option<usize>> = vec![None; left.len()];
    // The nearest relatives find each other first: same name and namespace, same namespace, any.
    let namespace = |at: usize| left[at].namespace().map(|name| allow.namespace(&name).to_owned());
    let same_namespace = |at: usize, other: usize| namespace(at).as_deref() == right[other].namespace().as_deref();
    let same_name = |at: usize, other: usize| left[at].name() == right[other].name();
    let closeness: [&dyn Fn(usize, usize) -> bool; 3] = [
        &|at, other| same_name(at, other) && same_namespace(at, other),
        &same_namespace,
        &|_, _| true,
    ];
    for near in closeness {
        for at in 0..left.len() {
            if of_left[at].is_some() {
                continue;
            }
            let Some(others) = candidates.get_mut(&keys[at]) else {
                continue;
            };
            if let Some(place) = others.iter().position(|&other| near(at, other)) {
                of_left[at] = Some(others.remove(place));
            }
        }
    }
    let mut alone: Vec<usize> = candidates.into_values().flatten().collect();
    alone.sort_unstable();
    let pairs = left.iter().zip(&of_left);
    pairs
        .map(|(object, other)| (Some(*object), other.map(|other| right[other])))
        .chain(alone.into_iter().map(|other| (None, Some(right[other]))))
        .collect()
}

/// What objects of both sides have in common: group, kind, and the name without what an environment adds.
fn key<'a>(
    object: Object<'a>,
    allow: &Allow,
    namespace: impl Fn(&str) -> String,
) -> (Cow<'a, str>, Cow<'a, str>, String) {
    let (group, kind) = (object.group(), object.kind());
    let mut name = object.name();
    if name.is_empty() {
        name = object.root().text_at(&["metadata", "generateName"]).unwrap_or_default();
    }
    let name = match (group.as_ref(), kind.as_ref()) {
        ("", "ConfigMap" | "Secret") => allow.stem(&name).to_owned(),
        ("", "Namespace") => namespace(&name),
        _ => name.into_owned(),
    };
    (group, kind, name)
}
