//! The functions that a kustomization lists, in the order in which kustomize runs them.

use std::fmt;
use std::path::{Path, PathBuf};

use krm_fn::{Object, Stream};
use serde::Deserialize;
use serde_json::Value;

use super::tree::{clean, entries, release};
use super::{Client, KustomizeError, Tree};

/// The list that names a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Run first; they make objects.
    Generators,
    /// Run after kustomize's own transformations; they change objects.
    Transformers,
    /// Run last; they only look.
    Validators,
}

impl Field {
    /// All of them, in kustomize's order.
    pub const ALL: [Self; 3] = [Self::Generators, Self::Transformers, Self::Validators];

    /// As kustomizations write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Generators => "generators",
            Self::Transformers => "transformers",
            Self::Validators => "validators",
        }
    }
}

/// How a function is run, as its configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A part of kustomize itself (`apiVersion: builtin`).
    Builtin,
    /// A program: a path, which counts from the kustomization, or a name to be found in PATH.
    Exec(String),
    /// An image that is run by `docker`.
    Container {
        /// Its name.
        image: String,
        /// What else its specification asks for, which only kustomize itself gives.
        more: bool,
    },
    /// No annotation: a legacy plugin, found by group, version and kind.
    Plugin,
    /// Something else, such as Starlark.
    Other,
}

/// A function that a kustomization lists.
#[derive(Debug, Clone)]
pub struct Use {
    /// The kustomization's folder.
    pub folder: PathBuf,
    /// The same as the user would write it.
    pub shown: PathBuf,
    /// The list.
    pub field: Field,
    /// The entry, as it is written there; inline configurations by their kind.
    pub entry: String,
    /// `apiVersion` of the configuration.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it is run.
    pub way: Way,
    /// The whole configuration.
    pub(super) config: String,
}

/// `overlays/local/kustomization.yaml: transformers: inject-endpoints.yaml (InjectEndpoints inject-endpoints)`.
impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            entry,
            kind,
            name,
            ..
        } = self;
        write!(
            f,
            "{}: {}: {entry} ({kind} {name})",
            self.shown.join("kustomization.yaml").display(),
            field.name()
        )
    }
}

/// What the annotation `config.kubernetes.io/function` says.
#[derive(Deserialize)]
struct Specification {
    exec: Option<Exec>,
    container: Option<serde_json::Map<String, Value>>,
}

#[derive(Deserialize)]
struct Exec {
    path: String,
}

/// All functions of a tree, kustomization by kustomization.
///
/// # Errors
/// When a configuration cannot be read or, where it is a kustomization of its own, be built.
pub fn uses(tree: &Tree, client: &Client) -> Result<Vec<Use>, KustomizeError> {
    let mut found = Vec::new();
    for folder in tree.kustomizations.keys() {
        for field in Field::ALL {
            found.extend(
                listed(tree, client, folder, field)?
                    .into_iter()
                    .filter(|one| one.way != Way::Builtin),
            );
        }
    }
    Ok(found)
}

/// What one list of one kustomization names: kustomize reads inline configurations first.
pub(super) fn listed(tree: &Tree, client: &Client, folder: &Path, field: Field) -> Result<Vec<Use>, KustomizeError> {
    let kustomization = &tree.kustomizations[folder];
    let (inline, named): (Vec<&str>, Vec<&str>) =
        entries(kustomization, field.name()).partition(|entry| entry.contains('\n'));
    let mut found = Vec::new();
    for entry in inline.into_iter().chain(named) {
        let path = clean(&folder.join(entry));
        let text = if entry.contains('\n') {
            entry.to_owned()
        } else if path.is_dir() {
            client
                .build(&tree.place(&path))
                .map_err(|message| KustomizeError::Client {
                    client: client.kind.name().to_owned(),
                    folder: path.clone(),
                    message: tree.in_users_words(&message),
                })?
        } else {
            let copied = tree.place(&path);
            std::fs::read_to_string(&copied).map_err(KustomizeError::file(&path))?
        };
        let syntax = |message: String| KustomizeError::Syntax {
            path: if entry.contains('\n') {
                folder.join("kustomization.yaml")
            } else {
                path.clone()
            },
            message,
        };
        let stream = Stream::parse(release(&text)).map_err(|error| syntax(error.to_string()))?;
        for object in stream.objects() {
            found.push(Use {
                folder: folder.to_owned(),
                shown: tree.shown(folder),
                field,
                entry: if entry.contains('\n') {
                    "inline".to_owned()
                } else {
                    entry.to_owned()
                },
                api_version: object.api_version().into_owned(),
                kind: object.kind().into_owned(),
                name: object.name().into_owned(),
                way: way(object).map_err(syntax)?,
                config: document(object),
            });
        }
    }
    Ok(found)
}

fn way(object: Object<'_>) -> Result<Way, String> {
    if object.api_version() == "builtin" {
        return Ok(Way::Builtin);
    }
    let annotation = ["config.kubernetes.io/function", "config.k8s.io/function"];
    let Some(text) = annotation.iter().find_map(|name| object.annotation(name)) else {
        return Ok(Way::Plugin);
    };
    let specification: Specification = serde_saphyr::from_str(&text)
        .map_err(|error| format!("the annotation {} of {object}: {error}", annotation[0]))?;
    Ok(match (specification.exec, specification.container) {
        (Some(exec), None) => Way::Exec(exec.path),
        (None, Some(container)) => match container.get("image").and_then(Value::as_str) {
            Some(image) => Way::Container {
                image: image.to_owned(),
                more: container.len() > 1,
            },
            None => Way::Other,
        },
        _ => Way::Other,
    })
}

/// The object as a document of its own: what stands within a list is brought back to the margin.
pub(super) fn document(object: Object<'_>) -> String {
    let node = object.root();
    let indent = node.position().column - 1;
    let mut text = String::new();
    for (at, line) in node.source().trim_end().split_inclusive('\n').enumerate() {
        let blank = line.len() - line.trim_start_matches(' ').len();
        text.push_str(if at == 0 { line } else { &line[blank.min(indent)..] });
    }
    text.push('\n');
    text
}
