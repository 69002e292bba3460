//! What objects were called before a prefix or suffix. What a function adds may refer to the old name, and the last build
//! follows it, by the annotations in which kustomize itself keeps old names during a build.

use krm_fn::{Edits, Object, Stream, Value};

const EARLIER: [&str; 3] = ["previousKinds", "previousNames", "previousNamespaces"];

/// The documents, each renamed object with its old name. The other documents are the same ones, not renamed.
pub(super) fn noted(documents: &str, before: &str) -> Result<String, String> {
    let parse = |text: &str| Stream::parse(text.to_owned()).map_err(|error| error.to_string());
    let (stream, before) = (parse(documents)?, parse(before)?);
    let same = stream.objects().len() == before.objects().len()
        && stream
            .objects()
            .zip(before.objects())
            .all(|(one, other)| one.kind() == other.kind());
    if !same {
        return Err(
            "other objects are built without namePrefix and nameSuffix, so old names cannot be told from new ones. \
                    To fix: patch objects by the names that they have in their bases"
                .to_owned(),
        );
    }
    let mut edits = Edits::default();
    for (object, before) in stream
        .objects()
        .zip(before.objects())
        .filter(|(one, other)| one.name() != other.name())
    {
        note(object, before, &mut edits).map_err(|error| error.to_string())?;
    }
    stream.edited(edits).map_err(|error| error.to_string())
}

fn note(object: Object<'_>, before: Object<'_>, edits: &mut Edits) -> Result<(), krm_fn::EditError> {
    let Some(metadata) = object.root().get("metadata") else {
        return Ok(());
    };
    let namespace = before.namespace().unwrap_or("default".into());
    let values = [before.kind(), before.name(), namespace];
    let notes = EARLIER.iter().zip(values).map(|(name, value)| {
        (
            format!("internal.config.kubernetes.io/{name}"),
            Value::from(value.as_ref()),
        )
    });
    match metadata.get("annotations") {
        Some(annotations) => {
            for (name, value) in notes {
                edits.set(annotations, &name, &value)?;
            }
            Ok(())
        }
        None => edits.set(metadata, "annotations", &Value::map(notes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_object_keeps_its_old_name_and_another_is_untouched() {
        let before = "kind: Secret\nmetadata:\n  name: a\n---\nkind: Namespace\nmetadata:\n  name: n\n";
        let after = before.replace("name: a", "name: dev-a");
        assert_eq!(
            noted(&after, before).unwrap(),
            "kind: Secret\nmetadata:\n  name: dev-a\n  annotations:\n    \
             internal.config.kubernetes.io/previousKinds: \"Secret\"\n    \
             internal.config.kubernetes.io/previousNames: \"a\"\n    \
             internal.config.kubernetes.io/previousNamespaces: \"default\"\n---\nkind: Namespace\nmetadata:\n  name: n\n"
        );
        assert!(noted(&after, "kind: Secret\nmetadata:\n  name: a\n").is_err());
    }
}
