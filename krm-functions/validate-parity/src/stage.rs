//! What the objects were before mlplat's own functions set what belongs to the environment. `mlplat render --for-parity`
//! and `mlplat verify` put these objects into the stream, for tools only: a difference between two environments that the
//! objects did not have then, the functions have made.
//!
//! A stream that a client hands to a function is not trusted with this: its author could say what he likes.

use std::collections::{BTreeSet, HashMap};

use krm_fn::{EditError, Edits, Object, Stream, Value};

use crate::allow::Allow;
use crate::difference::{Change, Difference};

/// The annotation of an object as it was before the functions.
const STAGE: (&str, &str) = ("provenance.mlplat.dev/stage", "before-functions");

/// Which objects of a stream are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Those that reach a cluster.
    Rendered,
    /// The same before the functions.
    Before,
}

impl Stage {
    pub(crate) fn has(self, object: Object<'_>) -> bool {
        match self {
            Self::Rendered => !object.is_local_config(),
            Self::Before => is_before(object),
        }
    }
}

fn is_before(object: Object<'_>) -> bool {
    object.is_local_config() && object.annotation(STAGE.0).is_some_and(|stage| stage == STAGE.1)
}

/// Whether a stream says what the objects were before.
pub(crate) fn is_known(stream: &Stream) -> bool {
    stream.objects().any(is_before)
}

/// Marks documents as what the objects were before the functions: they are for tools only, so that nothing applies them.
/// Objects that are for tools already stay as they are, but for those that say to be of that stage.
///
/// # Errors
/// For an object whose annotations cannot be written to.
pub fn mark(stream: &Stream) -> Result<String, EditError> {
    const LOCAL: (&str, &str) = ("config.kubernetes.io/local-config", "true");
    let mut edits = Edits::default();
    stream.remove(is_before, &mut edits)?;
    for object in stream.objects().filter(|object| !object.is_local_config()) {
        let root = object.root();
        let annotations = Value::map([LOCAL, STAGE]);
        let is_there = |node: &krm_fn::Node<'_>| !node.is_null();
        match root.get("metadata").filter(is_there) {
            None => edits.set(root, "metadata", &Value::map([("annotations", annotations)]))?,
            Some(metadata) => match metadata.get("annotations").filter(is_there) {
                None => edits.set(metadata, "annotations", &annotations)?,
                Some(there) => {
                    for (name, value) in [LOCAL, STAGE] {
                        edits.set(there, name, &Value::from(value))?;
                    }
                }
            },
        }
    }
    stream.edited(edits)
}

/// The places at which two environments differed before.
pub(crate) struct Places(HashMap<Place, BTreeSet<String>>);

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
    pub(crate) fn of<'d>(differences: impl Iterator<Item = &'d Difference<'d>>, allow: &Allow) -> Self {
        let mut places: HashMap<Place, BTreeSet<String>> = HashMap::new();
        for difference in differences {
            let fields = places.entry(place(difference.object(), allow)).or_default();
            fields.insert(difference.field.clone());
        }
        Self(places)
    }

    /// Whether there was a difference in the same field, in one around it or in one below it. What the functions cannot
    /// excuse is not asked for: an object that one side lacks, and the order of variables.
    pub(crate) fn have(&self, difference: &Difference<'_>, allow: &Allow) -> bool {
        let whole = difference.field.is_empty();
        if whole || matches!(difference.change, Change::Expansion { .. } | Change::TooLarge) {
            return true;
        }
        let Some(fields) = self.0.get(&place(difference.object(), allow)) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_marked_is_for_tools_and_a_forged_mark_goes() {
        let text = "kind: A\n---\nkind: B\nmetadata:\n  annotations:\n    a: b\n---\nkind: C\nmetadata:\n  annotations:\n    \
                    config.kubernetes.io/local-config: \"true\"\n    provenance.mlplat.dev/stage: before-functions\n---\n\
                    kind: D\nmetadata:\n  annotations:\n    config.kubernetes.io/local-config: \"true\"\n";
        let marked = Stream::parse(mark(&Stream::parse(text.to_owned()).unwrap()).unwrap()).unwrap();
        let kinds = |stage: Stage| -> Vec<String> {
            let objects = marked.objects().filter(|object| stage.has(*object));
            objects.map(|object| object.kind().into_owned()).collect()
        };
        assert_eq!(kinds(Stage::Before), ["A", "B"]);
        assert!(kinds(Stage::Rendered).is_empty());
        assert_eq!(marked.objects().count(), 3);
    }
}
