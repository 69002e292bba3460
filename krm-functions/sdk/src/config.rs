//! Reads text into types: a function's configuration, or an object. Unknown fields are refused with a suggestion.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::layout::column;
use crate::node::Node;
use crate::position::Position;
use crate::suggestion::nearest;

/// Text that is not what a type expects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", self.position.map(|at| format!("{at}: ")).unwrap_or_default())]
pub struct ConfigError {
    /// Where, if the reader knows.
    pub position: Option<Position>,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The envelope of a function's configuration; `spec` is the function's own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope<C> {
    api_version: String,
    kind: String,
    #[serde(default)]
    metadata: Option<Metadata>,
    #[serde(default)]
    spec: C,
}

/// Of the metadata only the name matters; the rest may be anything.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: Option<String>,
}

/// A configuration's name and `spec`.
pub(crate) struct Read<C> {
    pub(crate) name: String,
    pub(crate) spec: C,
}

/// Reads a configuration of this version and kind.
pub(crate) fn from_config<C>(text: &str, api_version: &str, kind: &str) -> Result<Read<C>, ConfigError>
where
    C: DeserializeOwned + Default,
{
    let envelope: Envelope<C> = from_text(text)?;
    if envelope.kind != kind {
        return Err(ConfigError {
            position: None,
            message: format!(
                "this function is configured by kind {kind}, not {}. To fix: set `kind: {kind}`",
                envelope.kind
            ),
        });
    }
    if envelope.api_version != api_version {
        let (found, known) = (envelope.api_version, api_version);
        return Err(ConfigError {
            position: None,
            message: format!("apiVersion {found:?} of kind {kind} is not known. To fix: set `apiVersion: {known}`"),
        });
    }
    Ok(Read {
        name: envelope.metadata.and_then(|metadata| metadata.name).unwrap_or_default(),
        spec: envelope.spec,
    })
}

/// Reads the text of a node; places are those of the whole text.
pub(crate) fn from_node<T: DeserializeOwned>(node: Node<'_>) -> Result<T, ConfigError> {
    from_text(&text_of(node)).map_err(|error| moved(error, node))
}

/// The node's text as a document of its own: in block style its first line gets back the indentation that the others have.
pub(crate) fn text_of(node: Node<'_>) -> String {
    let indent = if node.raw().flags.flow { 0 } else { column(node) };
    " ".repeat(indent) + node.source()
}

/// The error with its place counted in the text that `node` is a part of.
pub(crate) fn moved(error: ConfigError, node: Node<'_>) -> ConfigError {
    let start = node.position();
    let left = if node.raw().flags.flow { start.column - 1 } else { 0 };
    let position = error.position.map_or(start, |at| Position {
        line: at.line + start.line - 1,
        column: if at.line == 1 { at.column + left } else { at.column },
    });
    ConfigError {
        position: Some(position),
        ..error
    }
}

/// Reads one document.
pub(crate) fn from_text<T: DeserializeOwned>(text: &str) -> Result<T, ConfigError> {
    let options = serde_saphyr::options! { with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let position = error
            .location()
            .map(|at| Position {
                line: at.line() as usize,
                column: at.column() as usize,
            })
            .filter(|at| at.line > 0);
        ConfigError {
            position,
            message: message(&error),
        }
    })
}

/// The error in words, without its place; "did you mean" where a name is unknown.
fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error::{SerdeUnknownField, SerdeUnknownVariant};
    match error.without_snippet() {
        SerdeUnknownField { field, expected, .. } => unknown("field", field, expected),
        SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected),
        other => {
            let said = other.to_string();
            said.rsplit_once(" at line ")
                .map_or(said.clone(), |(said, _)| said.to_owned())
        }
    }
}

fn unknown(what: &str, found: &str, expected: &[&str]) -> String {
    let all = expected
        .iter()
        .map(|known| format!("`{known}`"))
        .collect::<Vec<_>>()
        .join(", ");
    match nearest(found, expected.iter().copied()) {
        Some(known) => format!("unknown {what} `{found}`. To fix: did you mean `{known}`? Known are {all}"),
        None if expected.is_empty() => format!("unknown {what} `{found}`. To fix: remove it; none is known here"),
        None => format!("unknown {what} `{found}`. To fix: use one of {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Spec {
        #[serde(default)]
        on_conflict: Option<String>,
    }

    fn error(text: &str) -> String {
        from_config::<Spec>(text, crate::API_VERSION, "Example")
            .err()
            .unwrap()
            .to_string()
    }

    #[test]
    fn an_unknown_field_is_refused_with_its_place_and_a_suggestion() {
        let said = error("apiVersion: mlplat.dev/v1alpha1\nkind: Example\nspec:\n  onconflict: Keep\n");
        assert_eq!(
            said,
            "line 4, column 3: unknown field `onconflict`. To fix: did you mean `onConflict`? Known are `onConflict`"
        );
    }

    #[test]
    fn another_kind_or_version_is_refused() {
        assert_eq!(
            error("apiVersion: mlplat.dev/v1alpha1\nkind: Other\n"),
            "this function is configured by kind Example, not Other. To fix: set `kind: Example`"
        );
        assert!(error("apiVersion: v1\nkind: Example\n").contains("apiVersion \"v1\" of kind Example is not known"));
    }

    #[test]
    fn metadata_may_hold_anything_and_spec_may_be_missing() {
        let text = "apiVersion: mlplat.dev/v1alpha1\nkind: Example\nmetadata: {name: a, annotations: {b: c}}\n";
        let read = from_config::<Spec>(text, crate::API_VERSION, "Example").ok().unwrap();
        assert!(read.name == "a" && read.spec.on_conflict.is_none());
    }

    #[test]
    fn a_place_inside_a_stream_is_that_of_the_whole_text() {
        for text in [
            "kind: A\nspec:\n  onConflict: [x]\n",
            "kind: A\nspec: {onConflict: [x]}\n",
            "{\"kind\": \"A\",\n\"spec\": {\"onConflict\": [1]}}",
        ] {
            let stream = crate::Stream::parse(text.to_owned()).unwrap();
            let spec = stream.objects().next().unwrap().root().get("spec").unwrap();
            let said = from_node::<Spec>(spec).unwrap_err().to_string();
            let at = Position::of(text, text.find('[').unwrap());
            assert!(said.starts_with(&format!("{at}: ")), "{said} in {text}");
        }
    }
}
