//! Reads text into types: a function's configuration, or an object. Unknown fields are refused with a suggestion.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::index::Index;
use crate::layout::column;
use crate::node::Node;
use crate::object::Object;
use crate::position::Position;
use crate::suggestion::nearest;

/// Text that is not what a type expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The object that is read, in words, and the file it stands in; `None` where the caller names them.
    pub object: Option<String>,
    /// Where, if the reader knows, in a text that the user has. What a client has rewritten has no such place.
    pub position: Option<Position>,
    /// The path of the field, `spec.selectors[0].names`; `None` for the whole, and where there is no path.
    pub path: Option<String>,
    /// What is wrong, and what to do.
    pub message: String,
}

impl std::error::Error for ConfigError {}

/// `EnvironmentEndpoints dev (endpoints.yaml, line 4, column 7): spec.endpoints.postgres: message`. A place says where
/// the field is; without one, and of an object, its path does.
impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.object, self.position) {
            (Some(object), None) => write!(f, "{object}: ")?,
            (Some(object), Some(at)) => match object.strip_suffix(')') {
                Some(object) => write!(f, "{object}, {at}): ")?,
                None => write!(f, "{object} ({at}): ")?,
            },
            (None, Some(at)) => write!(f, "{at}: ")?,
            (None, None) => {}
        }
        if let Some(path) = self
            .path
            .as_ref()
            .filter(|_| self.object.is_some() || self.position.is_none())
        {
            write!(f, "{path}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl ConfigError {
    /// Of the whole text.
    fn whole(message: String) -> Self {
        Self {
            object: None,
            position: None,
            path: None,
            message,
        }
    }

    /// The same error of an object whose text a client has rewritten: who it is and the field's path, and no line.
    pub(crate) fn of_rewritten(self, object: Object<'_>) -> Self {
        Self {
            object: Some(described(object)),
            position: None,
            ..self
        }
    }
}

/// The object in words, with its file where that is known: `EnvironmentEndpoints dev (endpoints.yaml)`.
fn described(object: Object<'_>) -> String {
    match object.file() {
        Some(file) => format!("{object} ({file})"),
        None => object.to_string(),
    }
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
        return Err(ConfigError::whole(format!(
            "this function is configured by kind {kind}, not {}. To fix: set `kind: {kind}`",
            envelope.kind
        )));
    }
    if envelope.api_version != api_version {
        let (found, known) = (envelope.api_version, api_version);
        return Err(ConfigError::whole(format!(
            "apiVersion {found:?} of kind {kind} is not known. To fix: set `apiVersion: {known}`"
        )));
    }
    Ok(Read {
        name: envelope.metadata.and_then(|metadata| metadata.name).unwrap_or_default(),
        spec: envelope.spec,
    })
}

/// Reads a whole object. The error says who it is, and where in the file that holds it, if one does.
pub(crate) fn from_object<T: DeserializeOwned>(object: Object<'_>) -> Result<T, ConfigError> {
    from_node(object.root()).map_err(|error| match object.root().index().file {
        Some(_) => ConfigError {
            object: Some(described(object)),
            ..error
        },
        None => error.of_rewritten(object),
    })
}

/// Reads the text of a node; places are those of the whole text.
fn from_node<T: DeserializeOwned>(node: Node<'_>) -> Result<T, ConfigError> {
    from_text(&text_of(node)).map_err(|error| moved(error, node))
}

/// The node's text as a document of its own: in block style its first line gets back the indentation that the others have.
pub(crate) fn text_of(node: Node<'_>) -> String {
    let indent = if node.raw().flags.flow { 0 } else { column(node) };
    " ".repeat(indent) + node.source()
}

/// The error with its place counted in the text that `node` is a part of.
fn moved(error: ConfigError, node: Node<'_>) -> ConfigError {
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
            object: None,
            path: position.and_then(|at| path_at(text, at)),
            position,
            message: message(&error),
        }
    })
}

/// The path of the deepest field at a place of a text with one document.
fn path_at(text: &str, at: Position) -> Option<String> {
    let index = Index::parse(text.to_owned()).ok()?;
    let mut node = Node::new(&index, *index.documents.first()?);
    let mut path = String::new();
    let holds = |node: Node<'_>| {
        let raw = node.raw();
        // A node that is not written holds nothing.
        index.position(raw.start as usize) <= at && at < index.position(raw.end as usize)
    };
    loop {
        if let Some((key, value)) = node.entries().find(|(key, value)| holds(*key) || holds(*value)) {
            path.push_str(if path.is_empty() { "" } else { "." });
            path.push_str(&key.text().unwrap_or_default());
            if holds(key) {
                break;
            }
            node = value;
        } else if let Some((number, item)) = node.items().enumerate().find(|(_, item)| holds(*item)) {
            path.push_str(&format!("[{number}]"));
            node = item;
        } else {
            break;
        }
    }
    (!path.is_empty()).then_some(path)
}

/// The error in words, without its place; "did you mean" where a name is unknown.
fn message(error: &serde_saphyr::Error) -> String {
    use serde_saphyr::Error::{SerdeMissingField, SerdeUnknownField, SerdeUnknownVariant};
    match error.without_snippet() {
        SerdeMissingField { field, .. } => format!("`{field}` is required, and it is not set. To fix: set it"),
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

    #[test]
    fn an_object_is_named_with_the_file_or_without_a_line() {
        let text =
            "kind: A\nmetadata: {name: a}\n---\nkind: A\nmetadata: {name: b}\nspec:\n  list:\n  - onconflict: x\n";
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its shape matters")]
        struct Whole {
            spec: List,
        }
        #[derive(Debug, Deserialize)]
        #[allow(dead_code, reason = "only its shape matters")]
        struct List {
            list: Vec<Spec>,
        }
        let read = |stream: &crate::Stream| {
            stream
                .objects()
                .nth(1)
                .unwrap()
                .parse::<Whole>()
                .unwrap_err()
                .to_string()
        };
        let stream = crate::Stream::parse(text.to_owned()).unwrap();
        let fix = "unknown field `onconflict`. To fix: did you mean `onConflict`? Known are `onConflict`";
        assert_eq!(read(&stream), format!("A b: spec.list[0].onconflict: {fix}"));
        assert_eq!(
            read(&stream.in_file("a.yaml")),
            format!("A b (a.yaml, line 8, column 5): spec.list[0].onconflict: {fix}")
        );
        let missing = from_text::<Whole>("kind: A\nmetadata: {}\nspec: {}\n")
            .unwrap_err()
            .to_string();
        assert!(
            missing.ends_with("`list` is required, and it is not set. To fix: set it"),
            "{missing}"
        );
    }
}
