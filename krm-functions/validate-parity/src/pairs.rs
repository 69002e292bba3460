//! Which of one side belongs to which of the other.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use krm_fn::{Object, Stream};

use crate::allow::Allow;
use crate::given::{self, Given};
use crate::stage::Stage;

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

/// Objects of the two sides that belong together; at least one of them.
pub(crate) struct Couple<'a> {
    pub(crate) left: Option<Object<'a>>,
    pub(crate) right: Option<Object<'a>>,
    /// Whether Terraform publishes them, each for its own contract.
    pub(crate) published: bool,
}

/// The objects of a stage, in pairs. `given` is what the contracts of both sides give.
pub(crate) fn objects<'a>(
    left: &'a Stream,
    right: &'a Stream,
    allow: &Allow,
    stage: Stage,
    given: [Option<&Given>; 2],
) -> Vec<Couple<'a>> {
    let of_stage =
        |stream: &'a Stream| -> Vec<Object<'a>> { stream.objects().filter(|object| stage.has(*object)).collect() };
    let (left, right) = (of_stage(left), of_stage(right));
    let published = given::published((&left, given[0]), (&right, given[1]));
    let is_published = |object: Object<'a>| {
        matches!(object.kind().as_ref(), "Secret" | "ExternalSecret") && published.contains(object.name().as_ref())
    };
    let keys = |objects: &[Object<'a>], namespace: &dyn Fn(&str) -> String| -> Vec<Key<'a>> {
        objects
            .iter()
            .map(|object| Key::of(*object, allow, namespace, is_published(*object)))
            .collect()
    };
    let left_keys = keys(&left, &|name| allow.namespace(name).to_owned());
    let right_keys = keys(&right, &str::to_owned);
    let mut of_left: Vec<Option<usize>> = vec![None; left.len()];
    let mut taken = vec![false; right.len()];
    // The nearest relatives find each other first: same name and namespace, same namespace, any.
    let nearer_first: [for<'k> fn(&'k Key<'a>) -> Near<'k>; 3] = [Key::itself, Key::in_its_namespace, Key::anywhere];
    for near in nearer_first {
        let mut waiting: HashMap<Near<'_>, VecDeque<usize>> = HashMap::new();
        for at in (0..right.len()).filter(|&at| !taken[at]) {
            waiting.entry(near(&right_keys[at])).or_default().push_back(at);
        }
        for (key, found) in left_keys.iter().zip(&mut of_left).filter(|(_, found)| found.is_none()) {
            *found = waiting.get_mut(&near(key)).and_then(VecDeque::pop_front);
            found.iter().for_each(|&other| taken[other] = true);
        }
    }
    let alone = (0..right.len()).filter(|&at| !taken[at]);
    let pairs = left.iter().zip(&of_left);
    pairs
        .map(|(object, other)| (Some(*object), other.map(|other| right[other])))
        .chain(alone.map(|other| (None, Some(right[other]))))
        .map(|(left, right)| Couple {
            left,
            right,
            published: left.or(right).is_some_and(is_published),
        })
        .collect()
}

/// What an object is called, on the right side's terms.
struct Key<'a> {
    group: Cow<'a, str>,
    kind: Cow<'a, str>,
    /// The name without what an environment adds.
    stem: String,
    namespace: Option<String>,
    name: Cow<'a, str>,
}

/// What two objects have in common: group, kind and stem; the namespace; the whole name.
type Near<'k> = ((&'k str, &'k str, &'k str), Option<Option<&'k str>>, Option<&'k str>);

impl<'a> Key<'a> {
    fn of(object: Object<'a>, allow: &Allow, namespace: &dyn Fn(&str) -> String, published: bool) -> Self {
        let (mut group, mut kind, name) = (object.group(), object.kind(), object.name());
        // On a laptop a Secret, elsewhere an ExternalSecret that makes it.
        if published {
            (group, kind) = ("mlplat.dev".into(), "published".into());
        }
        let mut called = name.clone();
        if called.is_empty() {
            called = object.root().text_at(&["metadata", "generateName"]).unwrap_or_default();
        }
        let stem = match (group.as_ref(), kind.as_ref()) {
            ("", "ConfigMap" | "Secret") => allow.stem(&called).to_owned(),
            ("", "Namespace") => namespace(&called),
            _ => called.into_owned(),
        };
        Self {
            group,
            kind,
            stem,
            namespace: object.namespace().map(|name| namespace(&name)),
            name,
        }
    }

    fn itself(&self) -> Near<'_> {
        let (what, namespace, _) = self.in_its_namespace();
        (what, namespace, Some(&self.name))
    }

    fn in_its_namespace(&self) -> Near<'_> {
        (self.anywhere().0, Some(self.namespace.as_deref()), None)
    }

    fn anywhere(&self) -> Near<'_> {
        ((&self.group, &self.kind, &self.stem), None, None)
    }
}
