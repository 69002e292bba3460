//! The functions that a kustomization lists, and how each is run.

use std::fmt;
use std::path::{Path, PathBuf};

use krm_fn::{Object, Stream};
use serde::Deserialize;
use serde_json::Value;

use super::kustomization::{Place, place, read};
use super::render::Builder;
use super::{KustomizeError, Tree};

/// The annotation that says how a function is run, as kustomize writes it now and as it wrote it before.
pub(super) const ANNOTATIONS: [&str; 2] = ["config.kubernetes.io/function", "config.k8s.io/function"];
/// The group of our own functions.
const OURS: &str = "mlplat.dev/v1alpha1";
/// The kinds of our own functions, and their programs.
const PROGRAMS: [(&str, &str); 5] = [
    ("GenerateNetworkPolicies", "generate-network-policies"),
    ("InjectEndpoints", "inject-endpoints"),
    ("SetEnvironment", "set-environment"),
    ("ValidateParity", "validate-parity"),
    ("ValidatePractices", "validate-practices"),
];

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
    /// A program.
    Exec(Exec),
    /// An image that is run by `docker`.
    Container {
        /// Its name.
        image: String,
    },
    /// No annotation: a legacy plugin, found by group, version and kind.
    Plugin,
    /// Something else, such as Starlark.
    Other,
}

/// A program that is run as a function.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Exec {
    /// A path, which counts from the kustomization, or a name to be found in PATH.
    pub path: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables (`NAME=value`).
    pub envs: Vec<String>,
}

/// A function that a kustomization lists.
#[derive(Debug, Clone)]
pub struct Use {
    /// The kustomization's folder.
    pub folder: PathBuf,
    /// The kustomization's file as the user would write it.
    pub shown: String,
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
    /// The folder that is listed, where it is no file or inline.
    pub(super) from: Option<PathBuf>,
    /// Whether a client has put the configuration together, from patches and the like.
    pub(super) built: bool,
    /// The whole configuration.
    pub(super) config: String,
}

impl Use {
    /// The program of one of our own functions.
    pub(super) fn ours(&self) -> Option<&'static str> {
        program_of(&self.api_version, &self.kind)
    }
}

/// `overlays/local/kustomization.yaml: transformers: inject-endpoints.yaml (InjectEndpoints inject-endpoints)`.
impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            shown,
            field,
            entry,
            kind,
            name,
            ..
        } = self;
        write!(f, "{shown}: {}: {entry} ({kind} {name})", field.name())
    }
}

/// The program of one of our own functions.
fn program_of(api_version: &str, kind: &str) -> Option<&'static str> {
    let known = PROGRAMS.iter().find(|(known, _)| *known == kind);
    known.filter(|_| api_version == OURS).map(|(_, program)| *program)
}

/// Whether an object configures one of our own functions.
pub(super) fn is_ours(api_version: &str, kind: &str) -> bool {
    program_of(api_version, kind).is_some()
}

/// Whether a program is one of our own functions.
pub(super) fn is_our_program(name: &str) -> bool {
    PROGRAMS.iter().any(|(_, program)| *program == name)
}

/// What the annotation `config.kubernetes.io/function` says.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Specification {
    #[serde(rename = "deferFailure")]
    _defer_failure: bool,
    exec: Option<Exec>,
    container: Option<serde_json::Map<String, Value>>,
}

/// All functions of a tree, kustomization by kustomization. What is fetched is not looked into.
///
/// # Errors
/// When a configuration cannot be read or, where it is a kustomization of its own, be built.
pub fn uses(tree: &Tree, builder: &Builder<'_>) -> Result<Vec<Use>, KustomizeError> {
    let mut found = Vec::new();
    for folder in tree.kustomizations.keys() {
        for field in Field::ALL {
            for one in listed(tree, builder, folder, field)? {
                if one.way != Way::Builtin {
                    found.push(one);
                }
            }
        }
    }
    Ok(found)
}

/// Text with configurations of functions.
struct Source {
    text: String,
    file: PathBuf,
    from: Option<PathBuf>,
    built: bool,
}

/// What one list of one kustomization names.
fn listed(tree: &Tree, builder: &Builder<'_>, folder: &Path, field: Field) -> Result<Vec<Use>, KustomizeError> {
    let node = &tree.kustomizations[folder];
    let mut found = Vec::new();
    for entry in node.kustomization.entries(field.name()) {
        let place = place(folder, entry, true);
        for source in sources(tree, builder, folder, entry, &place)? {
            let syntax = |message: String| KustomizeError::Syntax {
                path: source.file.clone(),
                message,
            };
            let stream = Stream::parse(source.text.clone()).map_err(|error| syntax(error.to_string()))?;
            for object in stream.objects() {
                found.push(Use {
                    folder: folder.to_owned(),
                    shown: tree.file(folder),
                    field,
                    entry: if place == Place::Inline { "inline" } else { entry }.to_owned(),
                    api_version: object.api_version().into_owned(),
                    kind: object.kind().into_owned(),
                    name: object.name().into_owned(),
                    way: way(object),
                    from: source.from.clone(),
                    built: source.built,
                    config: document(object),
                });
            }
        }
    }
    Ok(found)
}

fn sources(
    tree: &Tree,
    builder: &Builder<'_>,
    folder: &Path,
    entry: &str,
    place: &Place,
) -> Result<Vec<Source>, KustomizeError> {
    let file = |file: &Path, root: &Path, from| {
        let text = read(file, root, tree.unrestricted).map_err(KustomizeError::file(file))?;
        Ok(Source {
            text,
            file: file.to_owned(),
            from,
            built: false,
        })
    };
    match place {
        Place::Inline => Ok(vec![Source {
            text: entry.to_owned(),
            file: tree.kustomizations[folder].kustomization.file.clone(),
            from: None,
            built: false,
        }]),
        Place::File(path) => Ok(vec![file(path, folder, None)?]),
        Place::Folder(path) => match tree.plain_files(path) {
            Some(files) => files
                .iter()
                .map(|(root, path_of)| file(path_of, root, Some(path.clone())))
                .collect(),
            None => Ok(vec![Source {
                text: builder.functions_of(path)?,
                file: path.clone(),
                from: Some(path.clone()),
                built: true,
            }]),
        },
        Place::Remote | Place::Other | Place::Missing => Ok(Vec::new()),
    }
}

/// How kustomize would run a function with this configuration.
pub(super) fn way(object: Object<'_>) -> Way {
    if object.api_version() == "builtin" {
        return Way::Builtin;
    }
    let written = |name| object.annotation(name).filter(|text| !text.is_empty());
    if let Some(text) = ANNOTATIONS.iter().find_map(|name| written(name)) {
        return specification(&text);
    }
    // What kustomize also reads, though it is not written any more.
    let config_fn = object.root().at(&["metadata", "configFn"]);
    if config_fn.is_some_and(|node| !node.is_null()) {
        return Way::Other;
    }
    written("config.kubernetes.io/container").map_or(Way::Plugin, |image| Way::Container {
        image: image.into_owned(),
    })
}

/// What an annotation asks for. A field in another case is one to kustomize too; here it makes the whole unknown.
pub(super) fn specification(text: &str) -> Way {
    let Ok(specification) = serde_saphyr::from_str::<Specification>(text) else {
        return Way::Other;
    };
    let container = specification.container.unwrap_or_default();
    let image = container
        .get("image")
        .and_then(Value::as_str)
        .filter(|image| !image.is_empty());
    match (image, specification.exec) {
        (Some(image), _) => Way::Container {
            image: image.to_owned(),
        },
        (None, Some(exec)) if !exec.path.is_empty() => Way::Exec(exec),
        _ => Way::Other,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_the_folders_of_the_functions() {
        let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("../krm-functions");
        let mut found: Vec<String> = std::fs::read_dir(folders)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("src/main.rs").is_file())
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        found.sort();
        assert_eq!(found, PROGRAMS.map(|(_, program)| program));
    }

    #[test]
    fn what_kustomize_may_read_otherwise_is_no_known_way() {
        assert!(matches!(specification("exec: {path: a}"), Way::Exec(exec) if exec.path == "a"));
        assert_eq!(specification("Exec: {path: a}"), Way::Other);
        assert_eq!(specification("exec: {Path: a}"), Way::Other);
        assert_eq!(specification("{}"), Way::Other);
        assert!(matches!(
            specification("{container: {image: a}, exec: {path: b}}"),
            Way::Container { .. }
        ));
    }
}
