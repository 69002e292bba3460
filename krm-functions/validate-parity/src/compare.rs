//! The walk down two objects side by side.

use std::borrow::Cow;
use std::collections::HashSet;

use krm_fn::credential::plain_secret;
use krm_fn::{Node, NodeKind, Object, Stream};

use crate::allow::{Allow, Aspect};
use crate::difference::{Change, Difference, Side};
use crate::expansion::{self, Variables};
use crate::given::{ENVIRONMENT, Given};
use crate::path::{self, Path, Step};
use crate::stage::{self, Places, Stage};
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
        let given = [Given::of(left), Given::of(right)];
        let mut found = Found::at(Stage::Rendered, left, right, allow, &given).0;
        if allow.stages && stage::is_known(left) && stage::is_known(right) {
            let before = Found::at(Stage::Before, left, right, allow, &given).0;
            let before = Places::of(&before, [left, right], allow);
            found.retain(|difference| before.have(difference, allow));
        }
        let mut this = Self {
            differences: Vec::with_capacity(found.len()),
            used: vec![false; allow.exceptions.len()],
        };
        for difference in found {
            let object = difference.object();
            match allow.exception(&object.kind(), &object.name(), &difference.field) {
                Some(at) => this.used[at] = true,
                None => this.differences.push(difference),
            }
        }
        this
    }
}

/// Whether two objects say the same, but for annotations that only tools see.
pub(crate) fn same(left: Object<'_>, right: Object<'_>) -> bool {
    let mut found = Found(Vec::new());
    let allow = Allow {
        environment: Vec::new(),
        ..Allow::default()
    };
    Walk {
        allow: &allow,
        given: [None, None],
        given_variable: false,
        published: false,
        left,
        right,
        found: &mut found,
        steps_left: usize::MAX,
        stopped: false,
    }
    .nodes(None, left.root(), right.root());
    found.0.is_empty()
}

/// The differences that only an exception could still allow.
struct Found<'a>(Vec<Difference<'a>>);

impl<'a> Found<'a> {
    /// Compares the objects of one stage.
    fn at(stage: Stage, left: &'a Stream, right: &'a Stream, allow: &Allow, given: &[Option<Given>; 2]) -> Self {
        let mut this = Self(Vec::new());
        let given = [given[0].as_ref(), given[1].as_ref()];
        // Without aliases no walk takes more steps than the text has characters: this bounds what aliases multiply.
        let mut steps_left = left.text().len() + right.text().len();
        for couple in pairs::objects(left, right, allow, stage, given) {
            match (couple.left, couple.right) {
                (Some(left), Some(right)) => {
                    let mut walk = Walk {
                        allow,
                        given,
                        given_variable: true,
                        published: couple.published,
                        left,
                        right,
                        found: &mut this,
                        steps_left,
                        stopped: false,
                    };
                    if couple.published {
                        walk.metadata();
                    } else {
                        walk.nodes(None, left.root(), right.root());
                    }
                    steps_left = walk.steps_left;
                }
                // The other side's contract asks for no such Secret.
                _ if couple.published => {}
                (left, right) => this.missing_object(left, right),
            }
        }
        this
    }

    fn missing_object(&mut self, left: Option<Object<'a>>, right: Option<Object<'a>>) {
        let side = |object: Object<'a>| Side {
            object,
            node: object.root(),
        };
        let change = if left.is_some() {
            Change::OnlyLeft
        } else {
            Change::OnlyRight
        };
        self.0.push(Difference {
            change,
            field: String::new(),
            left: left.map(side),
            right: right.map(side),
            secret: false,
        });
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
    /// What the contracts of both sides give, where they are known.
    given: [Option<&'w Given>; 2],
    /// Whether the variable that the walk is in has the contracts' values.
    given_variable: bool,
    /// Whether Terraform publishes the two objects.
    published: bool,
    left: Object<'a>,
    right: Object<'a>,
    found: &'w mut Found<'a>,
    steps_left: usize,
    stopped: bool,
}

impl<'a> Walk<'a, '_> {
    /// What Terraform publishes for both contracts: of it only what others have added may be forbidden to differ.
    fn metadata(&mut self) {
        let metadata = |object: Object<'a>| object.root().at(&["metadata"]);
        if let (Some(left), Some(right)) = (metadata(self.left), metadata(self.right)) {
            self.nodes(Some(&Path::below(None, Step::Key("metadata"))), left, right);
        }
    }

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
        let labels_of_published =
            self.published && path.is_some_and(|path| path.key() == Some("labels") && path.depth() == 2);
        let fields = |spot: Spot<'a>| {
            let mut fields = if spot.there { fields(spot.node) } else { Vec::new() };
            fields.retain(|(key, _)| !(annotations && rules::is_tools_annotation(key)));
            fields.retain(|(key, _)| !(labels_of_published && key == ENVIRONMENT));
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
            let (one, two) = (at.map(|at| left_items[at]), other.map(|other| right_items[other]));
            if variables.is_some() {
                let gives = |given: Option<&Given>, entry: Option<Node<'a>>| match (given, entry) {
                    (Some(given), Some(entry)) => given.gives(name, entry, self.allow),
                    _ => true,
                };
                self.given_variable = gives(self.given[0], one) && gives(self.given[1], two);
            }
            self.either(&below, left.or_missing(one), right.or_missing(two));
            self.given_variable = true;
            if let (Some((here, there)), Some(at), Some(other)) = (&variables, at, other) {
                let one = (left_items[at], here, at);
                let two = (right_items[other], there, other);
                let ours = expansion::broken(one, two).map(|name| (name, true));
                if let Some((name, left)) = ours.or_else(|| expansion::broken(two, one).map(|name| (name, false))) {
                    let below = Path::below(Some(&below), Step::Key("value"));
                    let (one, two) = (Spot::of(left_items[at]), Spot::of(right_items[other]));
                    self.report(Some(&below), Change::Expansion { name, left }, one, two);
                }
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
        // What is not expanded is wrong whatever the contract says.
        let is_certain = matches!(change, Change::TooLarge | Change::Expansion { .. });
        let given = self.given_variable && self.gives_keys(&steps, left, right);
        if !is_certain && rules::belongs_to_environment(self.allow, self.left, &steps, &change, given) {
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
            secret: is_secret(&steps, left) || is_secret(&steps, right),
        };
        self.found.0.push(difference);
    }

    /// Whether the ConfigMap of inject-endpoints holds what the contracts say, at a path of it.
    fn gives_keys(&self, steps: &[Step<'_>], left: Spot<'a>, right: Spot<'a>) -> bool {
        let [Step::Key("data"), Step::Key(key)] = steps else {
            return true;
        };
        let gives = |given: Option<&Given>, spot: Spot<'a>| match given {
            Some(given) if spot.there => spot
                .node
                .resolve()
                .text()
                .is_some_and(|text| given.gives_key(key, &text)),
            _ => true,
        };
        !rules::is_endpoints(self.allow, self.left) || (gives(self.given[0], left) && gives(self.given[1], right))
    }
}

/// Whether a value looks like a credential, by its name or its shape; an argument of a command by the option that it is.
fn is_secret(steps: &[Step<'_>], spot: Spot<'_>) -> bool {
    let Some(text) = spot.node.resolve().text().filter(|_| spot.there) else {
        return false;
    };
    let option = text.strip_prefix('-').and_then(|option| option.split_once('='));
    plain_secret(rules::name_of_value(steps), &text).is_some()
        || option.is_some_and(|(option, value)| plain_secret(option, value).is_some())
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
