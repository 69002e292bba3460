//! What the objects were before mlplat's own functions set what belongs to the environment. `mlplat render --for-parity`
//! and `mlplat verify` put these objects into the stream, for tools only: a difference between two environments that the
//! objects did not have then, the functions have made.
//!
//! A stream that a client hands to a function is not trusted with this: its author could say what he likes.

use std::collections::{BTreeSet, HashMap, HashSet};

use krm_fn::{EditError, Edits, Object, Stream, Value};

use crate::allow::Allow;
use crate::difference::{Change, Difference};

/// The annotation of an object that only a comparison looks at.
const STAGE: &str = "provenance.mlplat.dev/stage";

/// Which objects of a stream are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Those that reach a cluster.
    Rendered,
    /// The same before the functions that set what belongs to the environment.
    Before,
    /// Those that such a function has made, as it has made them.
    Made,
}

impl Stage {
    /// How the annotation calls it; empty for what has none.
    fn name(self) -> &'static str {
        match self {
            Self::Rendered => "",
            Self::Before => "before-functions",
            Self::Made => "made-by-functions",
        }
    }

    pub(crate) fn has(self, object: Object<'_>) -> bool {
        let local = object.is_local_config();
        match self {
            Self::Rendered => !local,
            Self::Before | Self::Made => local && object.annotation(STAGE).is_some_and(|stage| stage == self.name()),
        }
    }
}

/// Whether a stream says what the objects were before.
pub(crate) fn is_known(stream: &Stream) -> bool {
    stream.objects().any(|object| Stage::Before.has(object))
}

/// Marks documents as those of a stage: they are for tools only, so that nothing applies them. Objects that are for tools
/// already stay as they are, but for those that say to be of a stage.
///
/// # Errors
/// For an object whose annotations cannot be written to.
pub fn mark(stream: &Stream, stage: Stage) -> Result<String, EditError> {
    const LOCAL: (&str, &str) = ("config.kubernetes.io/local-config", "true");
    let marks = [LOCAL, (STAGE, stage.name())];
    let mut edits = Edits::default();
    let forged = |object: Object<'_>| object.is_local_config() && object.annotation(STAGE).is_some();
    stream.remove(forged, &mut edits)?;
    for object in stream.objects().filter(|object| !object.is_local_config()) {
        let root = object.root();
        let annotations = Value::map(marks);
        let is_there = |node: &krm_fn::Node<'_>| !node.is_null();
        match root.get("metadata").filter(is_there) {
            None => edits.set(root, "metadata", &Value::map([("annotations", annotations)]))?,
            Some(metadata) => match metadata.get("annotations").filter(is_there) {
                None => edits.set(metadata, "annotations", &annotations)?,
                Some(there) => {
                    for (name, value) in marks {
                        edits.set(there, name, &Value::from(value))?;
                    }
                }
            },
        }
    }
    stream.edited(edits)
}

/// What may be excused: the objects that were there before, the places at which they differed, and what functions have made.
pub(crate) struct Places {
    differed: HashMap<Place, BTreeSet<String>>,
    /// By side, the left one first.
    before: [HashSet<Place>; 2],
    made: [HashSet<Place>; 2],
}

/// Group, kind, namespace and stem of a name.
type Place = (String, String, Option<String>, String);

fn place(object: Object<'_>, allow: &Allow) -> Place {
    let name = object.name();
    (
        object.group().into_owned(),
        object.kind().into_owned(),
        object.namespace().map(std::borrow::Cow::into_owned),
        allow.stem(&name).to_owned(),
    )
}

impl Places {
    /// `differences` are those of the objects before the functions.
    pub(crate) fn of(differences: &[Difference<'_>], sides: [&Stream; 2], allow: &Allow) -> Self {
        let mut differed: HashMap<Place, BTreeSet<String>> = HashMap::new();
        for difference in differences {
            let fields = differed.entry(place(difference.object(), allow)).or_default();
            fields.insert(difference.field.clone());
        }
        let before = |stream: &Stream| {
            let objects = stream.objects().filter(|object| Stage::Before.has(*object));
            objects.map(|object| place(object, allow)).collect()
        };
        Self {
            differed,
            before: sides.map(before),
            made: sides.map(|stream| made(stream, allow)),
        }
    }

    /// Whether a difference is not of the functions' making: its objects were there before and differed in the same field,
    /// in one around it or in one below it; or nothing is known of them. What the functions cannot excuse is not asked for:
    /// an object that one side lacks, and the order of variables.
    pub(crate) fn have(&self, difference: &Difference<'_>, allow: &Allow) -> bool {
        let whole = difference.field.is_empty();
        if whole || matches!(difference.change, Change::Expansion { .. } | Change::TooLarge) {
            return true;
        }
        let sides = [difference.left, difference.right];
        let places: Vec<(usize, Place)> = sides
            .iter()
            .enumerate()
            .filter_map(|(side, there)| Some((side, place(there.as_ref()?.object, allow))))
            .collect();
        if places.iter().all(|(side, place)| self.made[*side].contains(place)) {
            return false;
        }
        if !places.iter().all(|(side, place)| self.before[*side].contains(place)) {
            return true;
        }
        let Some(fields) = self.differed.get(&place(difference.object(), allow)) else {
            return false;
        };
        let field = difference.field.as_str();
        let ends = field.match_indices(['.', '[']).map(|(at, _)| at);
        let around = ends.chain([0, field.len()]).any(|end| fields.contains(&field[..end]));
        let below = ['.', '['].map(|next| format!("{field}{next}"));
        let has_below = |from: &String| {
            let mut next = fields.range::<String, _>(from..);
            next.next().is_some_and(|other| other.starts_with(from.as_str()))
        };
        around || below.iter().any(has_below)
    }
}

/// The objects that functions have made and that still are as they were made.
fn made(stream: &Stream, allow: &Allow) -> HashSet<Place> {
    let of_stage = |stage: Stage| -> HashMap<Place, Object<'_>> {
        let objects = stream.objects().filter(|object| stage.has(*object));
        objects.map(|object| (place(object, allow), object)).collect()
    };
    let (made, rendered) = (of_stage(Stage::Made), of_stage(Stage::Rendered));
    let is_unchanged = |(place, object): &(&Place, &Object<'_>)| {
        let now = rendered.get(*place);
        now.is_some_and(|now| crate::compare::same(**object, *now))
    };
    let unchanged = made.iter().filter(|(place, object)| is_unchanged(&(*place, *object)));
    unchanged.map(|(place, _)| place.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_for_tools_and_a_forged_mark_goes() {
        let text = "kind: A\n---\nkind: B\nmetadata:\n  annotations:\n    a: b\n---\nkind: C\nmetadata:\n  annotations:\n    \
                    config.kubernetes.io/local-config: \"true\"\n    provenance.mlplat.dev/stage: before-functions\n---\n\
                    kind: D\nmetadata:\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n";
        let marked = Stream::parse(mark(&Stream::parse(text.to_owned()).unwrap(), Stage::Before).unwrap()).unwrap();
        let kinds = |stage: Stage| -> Vec<String> {
            let objects = marked.objects().filter(|object| stage.has(*object));
            objects.map(|object| object.kind().into_owned()).collect()
        };
        assert_eq!(kinds(Stage::Before), ["A", "B"]);
        assert!(kinds(Stage::Rendered).is_empty());
        assert_eq!(marked.objects().count(), 3);
    }
}
