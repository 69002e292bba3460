//! Where the values of one container's variables come from: what inject-endpoints noted, held against what is there, and
//! what the contract says.

use std::collections::BTreeMap;

use endpoint_contract::{EnvironmentEndpoints, Profile, Protocol, SecretKey, Variable, VariableValue, View};
use krm_fn::{Node, Object, Stream};
use serde::Deserialize;

use super::find::Container;

/// What inject-endpoints leaves on a workload when its configuration asks for `provenance`.
const PROVENANCE: &str = "provenance.mlplat.dev/";
/// What it leaves on the ConfigMap that it makes.
const MADE_BY: &str = "mlplat.dev/made-by";

/// The annotation's text.
#[derive(Deserialize)]
pub(super) struct Note {
    function: String,
    contract: Option<String>,
    view: View,
    containers: BTreeMap<String, Noted>,
}

/// The variables of one container: each with `contract:` and a field, `config:` and a field, or `kept`.
#[derive(Deserialize)]
struct Noted {
    name: String,
    variables: BTreeMap<String, String>,
}

pub(super) fn notes(object: Object<'_>) -> Result<Vec<Note>, String> {
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

/// One side of a contract.
struct Side<'a> {
    contract: &'a EnvironmentEndpoints,
    view: View,
    variables: Vec<Variable>,
}

/// What is known about one container's variables.
pub(super) struct Explained<'a> {
    manifests: &'a Stream,
    object: Object<'a>,
    /// All sides of all contracts. Those in which more of the container's variables fit come first, and the view of pods
    /// before that of the host.
    sides: Vec<Side<'a>>,
    notes: Vec<(&'a Note, &'a Noted)>,
}

impl<'a> Explained<'a> {
    pub(super) fn new(
        manifests: &'a Stream,
        object: Object<'a>,
        contracts: &'a [EnvironmentEndpoints],
        notes: &'a [Note],
        container: &Container<'_>,
    ) -> Self {
        let mut sides: Vec<Side<'_>> = contracts
            .iter()
            .flat_map(|contract| [View::Cluster, View::Host].map(|view| Side::new(contract, view)))
            .collect();
        sides.sort_by_cached_key(|side| std::cmp::Reverse(side.fitting(container.node)));
        let of_container = |note: &'a Note| {
            let by_path = note.containers.get(&container.path);
            let named = |one: &&Noted| !one.name.is_empty() && one.name == container.name;
            Some((note, by_path.or_else(|| note.containers.values().find(named))?))
        };
        Self {
            manifests,
            object,
            sides,
            notes: notes.iter().filter_map(of_container).collect(),
        }
    }

    /// The variable, how it is set, and where its value was taken from.
    pub(super) fn rows(&self, container: Node<'_>) -> Vec<[String; 3]> {
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
        for variable in variables(container) {
            let name = variable.text_at(&["name"]).unwrap_or_default();
            let origin = self
                .noted(&name, variable)
                .or_else(|| self.in_contract(&name, variable));
            rows.push([
                name.into_owned(),
                set_by(variable),
                origin.unwrap_or_else(|| "the manifest".to_owned()),
            ]);
        }
        rows
    }

    fn made(&self, kind: &str, name: &str) -> String {
        let mut found = self.beside().filter(|object| object.kind() == kind);
        match found
            .find(|object| object.name() == name)
            .map(|it| it.annotation(MADE_BY))
        {
            Some(Some(function)) => format!("made by {function}"),
            Some(None) => "the manifests".to_owned(),
            None => "not among these manifests".to_owned(),
        }
    }

    /// The objects of the workload's namespace.
    fn beside(&self) -> impl Iterator<Item = Object<'a>> {
        let namespace = self.object.namespace();
        self.manifests
            .objects()
            .filter(move |object| object.namespace() == namespace)
    }

    /// As the function's annotation has it, unless the variable says something else by now.
    fn noted(&self, name: &str, variable: Node<'_>) -> Option<String> {
        let (note, origin) = self
            .notes
            .iter()
            .find_map(|(note, here)| Some((*note, here.variables.get(name)?)))?;
        let function = &note.function;
        Some(match origin.split_once(':') {
            Some(("contract", field)) => match (self.changed_since(note, field, name, variable), &note.contract) {
                (Some(changed), _) => changed,
                (None, Some(contract)) => format!("contract {contract} ({} view), {field}, by {function}", note.view),
                (None, None) => format!(
                    "the endpoints of {function}'s configuration ({} view), {field}",
                    note.view
                ),
            },
            Some(("config", field)) => format!("configuration of {function}, spec.{field}"),
            _ => format!("the manifest; {function} kept it"),
        })
    }

    /// What to say of a variable that is no longer what the note claims: held against the contract, else against the
    /// ConfigMap that the function made, else by its form alone.
    fn changed_since(&self, note: &Note, field: &str, name: &str, variable: Node<'_>) -> Option<String> {
        let side = self
            .sides
            .iter()
            .find(|side| Some(&side.contract.metadata.name) == note.contract.as_ref() && side.view == note.view);
        if let Some(side) = side {
            let mut said = side.variables.iter().filter(|said| said.field == field).peekable();
            if said.peek().is_some() {
                return (!said.any(|said| is_said(&said.value, variable))).then(|| side.says_something_else());
            }
        }
        let is_reference = variable.at(&["valueFrom"]).is_some();
        let was_reference = field.contains(".credentials.");
        let mut made = self
            .beside()
            .filter(|object| object.annotation(MADE_BY).as_deref() == Some(&note.function))
            .filter_map(|object| object.root().text_at(&["data", name]))
            .peekable();
        let is_other = is_reference != was_reference
            || (made.peek().is_some() && !made.any(|text| variable.text_at(&["value"]).as_ref() == Some(&text)));
        is_other.then(|| {
            let contract = note.contract.as_deref().map(|name| format!(" {name}"));
            format!(
                "the manifest; {} had set it from {field} of the contract{}",
                note.function,
                contract.unwrap_or_default()
            )
        })
    }

    /// By comparison: the contract says exactly this of one side.
    fn in_contract(&self, name: &str, variable: Node<'_>) -> Option<String> {
        let says_it = |side: &&Side<'_>| side.of_name(name).any(|said| is_said(&said.value, variable));
        if let Some(side) = self.sides.iter().find(says_it) {
            let said = side.of_name(name).find(|said| is_said(&said.value, variable))?;
            return Some(format!(
                "contract {} ({} view), {}",
                side.contract.metadata.name, side.view, said.field
            ));
        }
        let knows_it = self.sides.iter().find(|side| side.of_name(name).next().is_some())?;
        Some(knows_it.says_something_else())
    }
}

impl<'a> Side<'a> {
    fn new(contract: &'a EnvironmentEndpoints, view: View) -> Self {
        // One protocol at a time: of one that cannot be reached from this side there is nothing to say.
        let of_protocol = |protocol| {
            let endpoints = &contract.spec.endpoints;
            endpoints
                .variables_of(&[protocol], &Profile::ALL, view)
                .unwrap_or_default()
        };
        Self {
            contract,
            view,
            variables: Protocol::ALL.into_iter().flat_map(of_protocol).collect(),
        }
    }

    fn of_name(&self, name: &str) -> impl Iterator<Item = &Variable> {
        self.variables.iter().filter(move |said| said.name == name)
    }

    /// How many of a container's variables say what this side says.
    fn fitting(&self, container: Node<'_>) -> usize {
        let fits = |variable: &Node<'_>| {
            let name = variable.text_at(&["name"]).unwrap_or_default();
            self.of_name(&name).any(|said| is_said(&said.value, *variable))
        };
        variables(container).filter(fits).count()
    }

    fn says_something_else(&self) -> String {
        format!(
            "the manifest; the contract {} says something else",
            self.contract.metadata.name
        )
    }
}

fn variables<'a>(container: Node<'a>) -> impl Iterator<Item = Node<'a>> {
    let list = container.at(&["env"]).into_iter().flat_map(Node::items);
    list.map(Node::resolve)
        .filter(|variable| variable.text_at(&["name"]).is_some())
}

/// Whether a variable says just this. The name of a Secret may have got a hash behind it.
fn is_said(value: &VariableValue, variable: Node<'_>) -> bool {
    match value {
        VariableValue::Literal(text) | VariableValue::Composed(text) => {
            variable.text_at(&["value"]).is_some_and(|value| value == *text)
        }
        VariableValue::SecretKey(SecretKey { name, key }) => {
            let reference = |field| variable.text_at(&["valueFrom", "secretKeyRef", field]);
            reference("key").is_some_and(|it| it == *key)
                && reference("name").is_some_and(|it| it.contains(name.as_str()))
        }
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
