//! `mlplat explain`: who set each variable of a workload, and where the value was taken from.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use endpoint_contract::{EnvironmentEndpoints, KIND, SecretKey, VariableValue, View};
use krm_fn::{Node, NodeKind, Object, Stream};
use serde::Deserialize;

use crate::cli::Outcome;
use crate::config::Config;

/// What inject-endpoints leaves on a workload when its configuration asks for `provenance`.
const PROVENANCE: &str = "provenance.mlplat.dev/";
/// What it leaves on the ConfigMap that it makes.
const MADE_BY: &str = "mlplat.dev/made-by";

/// Say where each variable of a workload comes from
///
/// Reads rendered manifests. Where inject-endpoints left its annotation (`provenance: true`), the field of the contract or
/// of the configuration is named; otherwise variables are looked up in the contract, which `mlplat render` does not print:
/// give it by --contract. Values are not shown; `mlplat run --print` shows them.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The workload, such as deployment/backend
    #[arg(value_name = "KIND/NAME")]
    workload: String,
    /// Rendered manifests; `-` is stdin
    #[arg(short = 'f', long = "filename", value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The workload's namespace; needed when several hold one of that name
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The environment's contract, as terraform apply writes it
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("cannot read {}: {error}. To fix: name a file that can be read", .file.display())]
    Read { file: PathBuf, error: io::Error },
    #[error("{}: {message}", .file.display())]
    Syntax { file: PathBuf, message: String },
    #[error("{} holds no EnvironmentEndpoints. To fix: name the contract that terraform apply wrote", .0.display())]
    NoContract(PathBuf),
    #[error("there is no {wanted} among these manifests. To fix: name one of {there}")]
    NoWorkload { wanted: String, there: String },
    #[error("{0} is there in several namespaces: {1}. To fix: choose one by --namespace")]
    Several(String, String),
}

/// The annotation's text.
#[derive(Deserialize)]
struct Provenance {
    function: String,
    contract: Option<String>,
    view: String,
    containers: BTreeMap<String, Origins>,
}

#[derive(Deserialize)]
struct Origins {
    name: String,
    variables: BTreeMap<String, String>,
}

/// Prints a table for each container.
pub(super) fn run(arguments: &Arguments, _: &Config, out: &mut dyn Write) -> Outcome {
    let manifests = read(&arguments.file)?;
    let read_contract = arguments.contract.as_deref().map(read).transpose()?;
    let file = arguments.contract.as_deref().unwrap_or(&arguments.file);
    let contract = contract(read_contract.as_ref().unwrap_or(&manifests), file)?;
    if let (None, Some(file)) = (&contract, &arguments.contract) {
        return Err(ExplainError::NoContract(file.clone()).into());
    }
    let object = find(&manifests, &arguments.workload, arguments.namespace.as_deref())?;
    let provenance = provenance(object).map_err(|message| ExplainError::Syntax {
        file: arguments.file.clone(),
        message,
    })?;
    let mut found = Vec::new();
    containers(object.root(), "", &mut found);
    for (path, container) in found {
        let name = container.text_at(&["name"]).unwrap_or_default();
        let explained = Explained {
            manifests: &manifests,
            contract: contract.as_ref(),
            origins: provenance
                .iter()
                .filter_map(|all| {
                    let here = all
                        .containers
                        .get(&path)
                        .or_else(|| all.containers.values().find(|one| one.name == name))?;
                    Some((all, here))
                })
                .collect(),
        };
        let rows = explained.rows(container);
        writeln!(out, "{object}, container {name} ({path})")?;
        out.write_all(table(&rows).as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Stream, ExplainError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| ExplainError::Read {
        file: file.to_owned(),
        error,
    })?;
    Stream::parse(text).map_err(|error| ExplainError::Syntax {
        file: file.to_owned(),
        message: error.to_string(),
    })
}

fn contract(stream: &Stream, file: &Path) -> Result<Option<EnvironmentEndpoints>, ExplainError> {
    let found = stream.objects().find(|object| object.kind() == KIND);
    found
        .map(|object| object.parse())
        .transpose()
        .map_err(|error| ExplainError::Syntax {
            file: file.to_owned(),
            message: error.to_string(),
        })
}

/// By kind in any case, also in the plural, and name.
fn find<'a>(stream: &'a Stream, wanted: &str, namespace: Option<&str>) -> Result<Object<'a>, ExplainError> {
    let (kind, name) = wanted.split_once('/').unwrap_or(("", wanted));
    let kind = kind.to_lowercase();
    let workloads: Vec<Object<'_>> = stream
        .objects()
        .filter(|object| {
            let mut found = Vec::new();
            containers(object.root(), "", &mut found);
            !found.is_empty()
        })
        .collect();
    let is_kind = |object: &Object<'_>| {
        let own = object.kind().to_lowercase();
        own == kind || format!("{own}s") == kind
    };
    let meant: Vec<Object<'_>> = workloads
        .iter()
        .filter(|object| is_kind(object) && object.name() == name)
        .filter(|object| namespace.is_none() || object.namespace().as_deref() == namespace)
        .copied()
        .collect();
    match meant.as_slice() {
        [one] => Ok(*one),
        [] => Err(ExplainError::NoWorkload {
            wanted: wanted.to_owned(),
            there: joined(
                workloads
                    .iter()
                    .map(|object| format!("{}/{}", object.kind().to_lowercase(), object.name())),
            ),
        }),
        several => Err(ExplainError::Several(
            wanted.to_owned(),
            joined(
                several
                    .iter()
                    .map(|object| object.namespace().unwrap_or("default".into()).into_owned()),
            ),
        )),
    }
}

fn joined(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}

/// Every container below a node, of whatever kind the object is, with its path.
fn containers<'a>(node: Node<'a>, path: &str, found: &mut Vec<(String, Node<'a>)>) {
    let node = node.resolve();
    for (at, item) in node.items().enumerate() {
        containers(item, &format!("{path}[{at}]"), found);
    }
    for (key, value) in node.entries() {
        let key = key.text().unwrap_or_default();
        let path = if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        };
        if !matches!(&*key, "containers" | "initContainers") || value.resolve().kind() != NodeKind::Seq {
            containers(value, &path, found);
            continue;
        }
        for (at, item) in value.resolve().items().enumerate() {
            if item.resolve().text_at(&["name"]).is_some() {
                found.push((format!("{path}[{at}]"), item.resolve()));
            }
        }
    }
}

fn provenance(object: Object<'_>) -> Result<Vec<Provenance>, String> {
    let annotations = object.root().at(&["metadata", "annotations"]);
    annotations
        .into_iter()
        .flat_map(Node::entries)
        .filter_map(|(key, value)| Some((key.text()?, value.text()?)))
        .filter(|(key, _)| key.starts_with(PROVENANCE))
        .map(|(key, text)| {
            serde_json::from_str(&text).map_err(|error| format!("the annotation {key} of {object}: {error}"))
        })
        .collect()
}

/// What is known about one container's variables.
struct Explained<'a> {
    manifests: &'a Stream,
    contract: Option<&'a EnvironmentEndpoints>,
    origins: Vec<(&'a Provenance, &'a Origins)>,
}

impl Explained<'_> {
    /// The variable, how it is set, and where its value was taken from.
    fn rows(&self, container: Node<'_>) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        for from in container.at(&["envFrom"]).into_iter().flat_map(Node::items) {
            for (field, kind) in [("configMapRef", "ConfigMap"), ("secretRef", "Secret")] {
                if let Some(name) = from.text_at(&[field, "name"]) {
                    let prefix = from.text_at(&["prefix"]).unwrap_or_default();
                    rows.push([
                        format!("{prefix}*"),
                        format!("all keys of {kind} {name}"),
                        self.made(kind, &name),
                    ]);
                }
            }
        }
        for variable in container.at(&["env"]).into_iter().flat_map(Node::items) {
            let Some(name) = variable.text_at(&["name"]) else {
                continue;
            };
            let origin = self.noted(&name).or_else(|| self.in_contract(&name, variable));
            rows.push([
                name.to_string(),
                set_by(variable),
                origin.unwrap_or_else(|| "the manifest".to_owned()),
            ]);
        }
        rows
    }

    fn made(&self, kind: &str, name: &str) -> String {
        let found = self
            .manifests
            .objects()
            .find(|object| object.kind() == kind && object.name() == name);
        match found.map(|object| object.annotation(MADE_BY)) {
            Some(Some(function)) => format!("made by {function}"),
            Some(None) => "the manifests".to_owned(),
            None => "not among these manifests".to_owned(),
        }
    }

    /// As the function's annotation has it.
    fn noted(&self, name: &str) -> Option<String> {
        let (all, origin) = self
            .origins
            .iter()
            .find_map(|(all, here)| Some((*all, here.variables.get(name)?)))?;
        let function = &all.function;
        Some(match origin.split_once(':') {
            Some(("contract", field)) => match &all.contract {
                Some(contract) => format!("contract {contract} ({} view), {field}, by {function}", all.view),
                None => format!(
                    "the endpoints of {function}'s configuration ({} view), {field}",
                    all.view
                ),
            },
            Some(("config", field)) => format!("configuration of {function}, spec.{field}"),
            _ => format!("the manifest; {function} kept it"),
        })
    }

    /// By comparison: the contract says exactly this of one side.
    fn in_contract(&self, name: &str, variable: Node<'_>) -> Option<String> {
        let contract = self.contract?;
        let mut known = false;
        for view in [View::Host, View::Cluster] {
            let variables = contract.spec.endpoints.variables(view).unwrap_or_default();
            for said in variables.iter().filter(|said| said.name == name) {
                known = true;
                let same = match &said.value {
                    VariableValue::Literal(text) | VariableValue::Composed(text) => {
                        variable.text_at(&["value"]).is_some_and(|value| value == *text)
                    }
                    VariableValue::SecretKey(SecretKey { name, key }) => {
                        let reference = |field| variable.text_at(&["valueFrom", "secretKeyRef", field]);
                        reference("key").is_some_and(|it| it == *key)
                            && reference("name").is_some_and(|it| it.starts_with(name.as_str()))
                    }
                };
                if same {
                    return Some(format!(
                        "contract {} ({view} view), {}",
                        contract.metadata.name, said.field
                    ));
                }
            }
        }
        known.then(|| {
            format!(
                "the manifest; the contract {} says something else",
                contract.metadata.name
            )
        })
    }
}

fn set_by(variable: Node<'_>) -> String {
    let text = |path: &[&str]| variable.text_at(path).unwrap_or_default();
    for (field, kind) in [("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")] {
        if variable.at(&["valueFrom", field]).is_some() {
            return format!(
                "{kind} {}, key {}",
                text(&["valueFrom", field, "name"]),
                text(&["valueFrom", field, "key"])
            );
        }
    }
    match variable.at(&["valueFrom"]) {
        Some(_) => match &*text(&["valueFrom", "fieldRef", "fieldPath"]) {
            "" => "the pod".to_owned(),
            field => format!("the pod's {field}"),
        },
        None => "value".to_owned(),
    }
}

fn table(rows: &[[String; 3]]) -> String {
    if rows.is_empty() {
        return "no variables\n".to_owned();
    }
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or_default()
    };
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [name, set_by, origin] in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:first$}  {set_by:second$}  {origin}");
    }
    text
}
