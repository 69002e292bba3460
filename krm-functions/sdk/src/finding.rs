//! What a function has to say about the objects: the `results` of a ResourceList, and lines on stderr.

use std::fmt;

use crate::object::Object;
use crate::position::Position;
use crate::value::Value;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The answer is wrong or unsafe: the run fails.
    Error,
    /// The answer is right, but somebody should look.
    Warning,
    /// Good to know; not printed on stderr.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    severity: Severity,
    message: String,
    object: Option<Reference>,
    field: Option<String>,
    position: Option<Position>,
}

/// Who an object is, without the stream it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
    /// The file it came from and its number there, where the client says so.
    file: Option<(String, Option<i64>)>,
    text: String,
}

impl Finding {
    /// A finding about nothing in particular.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            object: None,
            field: None,
            position: None,
        }
    }

    /// The finding is about this object.
    #[must_use]
    pub fn of(mut self, object: Object<'_>) -> Self {
        let annotation = |names: [&str; 2]| names.iter().find_map(|name| object.annotation(name));
        let index = annotation(["internal.config.kubernetes.io/index", "config.kubernetes.io/index"]);
        let path = annotation(["internal.config.kubernetes.io/path", "config.kubernetes.io/path"]);
        self.object = Some(Reference {
            api_version: object.api_version().into_owned(),
            kind: object.kind().into_owned(),
            name: object.name().into_owned(),
            namespace: object.namespace().map(std::borrow::Cow::into_owned),
            file: path.map(|path| (path.into_owned(), index.and_then(|index| index.parse().ok()))),
            text: object.to_string(),
        });
        self
    }

    /// The finding is about this field: a path such as `spec.template.spec.containers[0].env`.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    /// The finding is about this place in the input.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The finding as an entry of `results`.
    pub(crate) fn to_value(&self) -> Value {
        let mut entries = vec![
            ("message".to_owned(), Value::from(self.message.as_str())),
            ("severity".to_owned(), Value::from(self.severity.to_string())),
        ];
        if let Some(object) = &self.object {
            let mut reference = vec![
                ("apiVersion".to_owned(), Value::from(object.api_version.as_str())),
                ("kind".to_owned(), Value::from(object.kind.as_str())),
                ("name".to_owned(), Value::from(object.name.as_str())),
            ];
            if let Some(namespace) = &object.namespace {
                reference.push(("namespace".to_owned(), Value::from(namespace.as_str())));
            }
            entries.push(("resourceRef".to_owned(), Value::Map(reference)));
        }
        if let Some(path) = &self.field {
            entries.push(("field".to_owned(), Value::map([("path", path.as_str())])));
        }
        if let Some((path, index)) = self.object.as_ref().and_then(|object| object.file.as_ref()) {
            let mut file = vec![("path".to_owned(), Value::from(path.as_str()))];
            file.extend(index.map(|index| ("index".to_owned(), Value::Int(index))));
            entries.push(("file".to_owned(), Value::Map(file)));
        }
        Value::Map(entries)
    }
}

/// `Deployment demo/backend (backend.yaml, line 4, column 3): spec.replicas: message`, as far as it is known.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self
            .object
            .as_ref()
            .and_then(|object| object.file.as_ref())
            .map(|(path, _)| path.clone());
        let place = file
            .into_iter()
            .chain(self.position.map(|at| at.to_string()))
            .collect::<Vec<_>>()
            .join(", ");
        match (&self.object, place.is_empty()) {
            (Some(object), true) => write!(f, "{}: ", object.text)?,
            (Some(object), false) => write!(f, "{} ({place}): ", object.text)?,
            (None, false) => write!(f, "{place}: ")?,
            (None, true) => {}
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// All that a run has found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Notes a finding.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Notes an error about an object.
    pub fn error(&mut self, object: Object<'_>, message: impl Into<String>) {
        self.push(Finding::new(Severity::Error, message).of(object));
    }

    /// Notes a warning about an object.
    pub fn warning(&mut self, object: Object<'_>, message: impl Into<String>) {
        self.push(Finding::new(Severity::Warning, message).of(object));
    }

    /// The findings, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Whether the run fails.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::Seq(self.list.iter().map(Finding::to_value).collect())
    }
}
