//! The walk down two objects side by side.

use std::borrow::Cow;
use std::collections::HashSet;

use krm_fn::{Node, NodeKind, Object, Stream};

use crate::allow::{Allow, Aspect};
use crate::difference::{Change, Difference, Side};
use crate::expansion::{self, Variables};
use crate::path::{self, Path, Step};
use crate::{image, list, pairs, rules};

/// Deeper objects are not compared but reported; Kubernetes' own types stay below 60.
const DEPTH: usize = 200;

/// How many steps of the path to something too deep are shown.
const SHOWN: usize = 8;

/// How many merged mappings one mapping may bring along, directly or not.
const MERGES: usize = 64;

/// Every forbidden difference between two rendered environments, in the order of the left one; what only the right one has
/// comes last. Objects for tools only are left out.
#[must_use]
pub fn compare<'a>(left: &'a Stream, right: &'a Stream, allow: &Allow) -> Vec<Difference<'a>> {
    Comparison::of(left, right, allow).differences
}

/// What a comparison finds.
#[derive(Debug)]
pub struct Comparison<'a> {
    /// The forbidden differences.
    pub differences: Vec<Difference<'a>>,
    /// For each exception, whether a difference fell under it.
    pub used: Vec<bool>,
}

impl<'a> Comparison<'a> {
    /// Compares two rendered environments.
    #[must_use]
    pub fn of(left: &'a Stream, right: &'a Stream, allow: &Allow) -> Self {
        let mut this = Self {
            differences: Vec::new(),
            used: vec![false; allow.exceptions.len()],
        };
        // Without aliases no walk takes more steps than the text has characters: this bounds what aliases multiply.
        let mut steps_left = left.text().len() + right.text().len();
        for pair in pairs::objects(left, right, allow) {
            match pair {
                (Some(left), Some(right)) => {
                    let mut walk = Walk {
                        allow,
                        left,
                        right,
                        found: &mut this,
                        steps_left,
                        stopped: false,
                    };
                    walk.nodes(None, left.root(), right.root());
                    steps_left = walk.steps_left;
                }
                (left, right) => this.missing_object(left, right, allow),
            }
        }
        this
    }

    fn missing_object(&mut self, left: Option<Object<'a>>, right: Option<Object<'a>>, allow: &Allow) {
        let Some(object) = left.or(right) else { return };
        let side = |object: Object<'a>| Side {
            object,
            node: object.root(),
        };
        let change = if left.is_some() {
            Change::OnlyLeft
        } else {
            Change::OnlyRight
        };
        self.note(
            allow,
            Difference {
                change,
                field: String::new(),
                left: left.map(side),
                right: right.map(side),
            },
            object,
        );
    }

    /// Keeps the difference unless an exception names it.
    fn note(&mut self, allow: &Allow, difference: Difference<'a>, object: Object<'a>) {
        match allow.exception(&object.kind(), &object.name(), &difference.field) {
            Some(at) => self.used[at] = true,
            None => self.differences.push(difference),
        }
    }
}

/// A field of one side: itself or, where it is missing, the nearest around it.
#[derive(Clone, Copy)]
struct Spot<'a> {
    node: Node<'a>,
    there: bool,
}

impl<'a> Spot<'a> {
    fn of(node: Node<'a>) -> Self {
        Self { node, there: true }
    }

    /// The value that is there, or what is missing in this one.
    fn or_missing(self, node: Option<Node<'a>>) -> Self {
        match node {
            Some(node) => Self::of(node),
            None => Self { there: false, ..self },
        }
    }

    fn items(self) -> Vec<Node<'a>> {
        let list = self.there.then_some(self.node);
        list.into_iter().flat_map(Node::items).map(Node::resolve).collect()
    }
}

struct Walk<'a, 'w> {
    allow: &'w Allow,
    left: Object<'a>,
    right: Object<'a>,
    found: &'w mut Comparison<'a>,
    steps_left: usize,
    stopped: bool,
}

impl<'a> Walk<'a, '_> {
    fn nodes(&mut self, path: Option<&Path<'_>>, left: Node<'a>, right: Node<'a>) {
        let (left, right) = (left.resolve(), right.resolve());
        let spots = (Spot::of(left), Spot::of(right));
        if path.is_some_and(|path| path.depth() > DEPTH) || self.steps_left == 0 {
            // One report for the object is enough.
            if !self.stopped {
                self.report(path, Change::TooLarge, spots.0, spots.1);
            }
            self.stopped = true;
            return;
        }
        self.steps_left -= 1;
        match (left.kind(), right.kind()) {
            (NodeKind::Map, NodeKind::Map) => self.maps(path, spots.0, spots.1),
            (NodeKind::Seq, NodeKind::Seq) => self.lists(path, spots.0, spots.1),
            (NodeKind::Scalar, NodeKind::Scalar) => {
                if let Some(change) = self.scalars(path, left, right) {
                    self.report(path, change, spots.0, spots.1);
                }
            }
            _ => self.report(path, Change::Value, spots.0, spots.1),
        }
    }

    fn maps(&mut self, path: Option<&Path<'_>>, left: Spot<'a>, right: Spot<'a>) {
        let annotations = path.is_some_and(|path| path.key() == Some("annotations"));
        let fields = |spot: Spot<'a>| {
            let mut fields = if spot.there { fields(spot.node) } else { Vec::new() };
            fields.retain(|(key, _)| !(annotations && rules::is_tools_annotation(key)));
            fields
        };
        let (left_fields, right_fields) = (fields(left), fields(right));
        let keys = |fields: &[(Cow<'a, str>, Node<'a>)]| -> Vec<Cow<'a, str>> {
            fields.iter().map(|(key, _)| key.clone()).collect()
        };
        for (at, other) in pairs::by_key(&keys(&left_fields), &keys(&right_fields)) {
            let one = at.map(|at| &left_fields[at]);
            let two = other.map(|other| &right_fields[other]);
            let Some((key, _)) = one.or(two) else { continue };
            let below = Path::below(path, Step::Key(key));
            self.either(
                &below,
                left.or_missing(one.map(|(_, node)| *node)),
                right.or_missing(two.map(|(_, node)| *node)),
            );
        }
    }

    fn lists(&mut self, path: Option<&Path<'_>>, left: Spot<'a>, right: Spot<'a>) {
        let (left_items, right_items) = (left.items(), right.items());
        let Some((left_names, right_names)) = list::identities(&left_items, &right_items) else {
            for at in 0..left_items.len().max(right_items.len()) {
                let below = Path::below(path, Step::At(at));
                let (one, two) = (left_items.get(at).copied(), right_items.get(at).copied());
                self.either(&below, left.or_missing(one), right.or_missing(two));
            }
            return;
        };
        let key = path.and_then(Path::key);
        let pairs = pairs::by_key(&left_names, &right_names);
        let variables = (key == Some("env")).then(|| (Variables::of(&left_items), Variables::of(&right_items)));
        for &(at, other) in &pairs {
            let name = at.map(|at| &left_names[at]).or(other.map(|other| &right_names[other]));
            let Some(name) = name else { continue };
            let below = Path::below(path, Step::Item(name));
            self.either(
                &below,
                left.or_missing(at.map(|at| left_items[at])),
                right.or_missing(other.map(|other| right_items[other])),
            );
            if let (Some((here, there)), Some(at), Some(other)) = (&variables, at, other)
                && let Some(name) = expansion::expanded_on_one_side(left_items[at], (here, at), (there, other))
            {
                let below = Path::below(Some(&below), Step::Key("value"));
                let (one, two) = (Spot::of(left_items[at]), Spot::of(right_items[other]));
                self.report(Some(&below), Change::Expansion(name), one, two);
            }
        }
        let both: Vec<usize> = pairs.iter().filter_map(|&(at, other)| at.and(other)).collect();
        if list::is_ordered(key) && !both.is_sorted() {
            self.report(path, Change::Order, left, right);
        }
    }

    /// One field, which at least one side has.
    fn either(&mut self, path: &Path<'_>, left: Spot<'a>, right: Spot<'a>) {
        let present = if left.there { left.node } else { right.node }.resolve();
        match (left.there, right.there) {
            (true, true) => self.nodes(Some(path), left.node, right.node),
            // Their entries are allowed one by one.
            _ if present.kind() == NodeKind::Map && matches!(path.key(), Some("annotations" | "labels")) => {
                let resolved = |spot: Spot<'a>| spot.or_missing(spot.there.then_some(present));
                self.maps(Some(path), resolved(left), resolved(right));
            }
            _ if present.kind() == NodeKind::Seq && path.key() == Some("env") => {
                let resolved = |spot: Spot<'a>| spot.or_missing(spot.there.then_some(present));
                self.lists(Some(path), resolved(left), resolved(right));
            }
            (true, false) => self.report(Some(path), Change::OnlyLeft, left, right),
            (false, _) => self.report(Some(path), Change::OnlyRight, left, right),
        }
    }

    /// How two scalars differ; `None` where they mean the same.
    fn scalars(&self, path: Option<&Path<'_>>, left: Node<'a>, right: Node<'a>) -> Option<Change> {
        let (one, two) = (left.text()?, right.text()?);
        let alike = one == two && left.as_str().is_some() == right.as_str().is_some();
        let key = path.and_then(Path::key);
        if alike && !matches!(key, Some("namespace" | "kubernetes.io/metadata.name")) {
            return None;
        }
        let steps = path.map(Path::steps).unwrap_or_default();
        if rules::is_namespace(&steps) {
            let expected = self.allow.namespace(&one);
            return (expected != two).then(|| Change::Namespace(expected.to_owned()));
        }
        let same = alike
            // Objects are paired by their names.
            || steps == [Step::Key("metadata"), Step::Key("name")]
            || (rules::is_reference(&steps) && self.allow.stem(&one) == self.allow.stem(&two))
            || (self.allow.has(Aspect::Registry) && rules::is_image(&steps) && image::same_but_registry(&one, &two, &self.allow.registries));
        (!same).then_some(Change::Value)
    }

    fn report(&mut self, path: Option<&Path<'_>>, change: Change, left: Spot<'a>, right: Spot<'a>) {
        let steps = path.map(Path::steps).unwrap_or_default();
        if change != Change::TooLarge && rules::belongs_to_environment(self.allow, self.left, &steps, &change) {
            return;
        }
        let side = |object, spot: Spot<'a>| {
            Some(Side {
                object,
                node: spot.node,
            })
        };
        // Where the walk ends for its depth, the beginning of the path says enough.
        let shown = if change == Change::TooLarge { SHOWN } else { steps.len() };
        let field = path::written(&steps[..shown.min(steps.len())]);
        let difference = Difference {
            change,
            field,
            left: side(self.left, left),
            right: side(self.right, right),
        };
        self.found.note(self.allow, difference, self.left);
    }
}

/// The fields of a mapping that say something, with those that it merges (`<<`); null is as good as missing.
fn fields(map: Node<'_>) -> Vec<(Cow<'_, str>, Node<'_>)> {
    let mut found = Vec::new();
    let mut merges = MERGES;
    collect(map, &mut merges, &mut found);
    if merges < MERGES {
        let mut seen = HashSet::with_capacity(found.len());
        found.retain(|(key, _): &(Cow<'_, str>, Node<'_>)| seen.insert(key.clone()));
    }
    found.retain(|(_, value)| !value.is_null());
    found
}

fn collect<'a>(map: Node<'a>, merges: &mut usize, found: &mut Vec<(Cow<'a, str>, Node<'a>)>) {
    let is_merge = |key: Node<'a>| key.source() == "<<" && key.as_str().is_none();
    for (key, value) in map.entries().filter(|(key, _)| !is_merge(*key)) {
        // A key that is no scalar is none that Kubernetes could read; its text tells it apart all the same.
        found.push((key.text().unwrap_or(Cow::Borrowed(key.source())), value.resolve()));
    }
    for (_, value) in map.entries().filter(|(key, _)| is_merge(*key)) {
        let source = value.resolve();
        for source in std::iter::once(source).chain(source.items().map(Node::resolve)) {
            let Some(left) = merges.checked_sub(1) else { return };
            *merges = left;
            collect(source, merges, found);
        }
    }
}
