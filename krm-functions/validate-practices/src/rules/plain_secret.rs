//! No variable of a container holds a secret as plain text, neither in its `env` nor in a ConfigMap that it reads: its
//! name looks like a credential's, or its value is a URL with a password. The value itself is never told.

use std::collections::{BTreeMap, BTreeSet};

use krm_fn::Node;
use krm_fn::credential::plain_secret;
use krm_fn::workload::Container;

use super::Report;
use crate::cluster::{Cluster, namespace};

const FIX: &str = "put it into a Secret and refer to it by `valueFrom.secretKeyRef`, and change it, since it was \
                   written down; a URL can take it as `$(NAME)` from a variable before it";

pub(super) fn check<'a>(cluster: &Cluster<'a>, report: &mut Report<'a>) {
    let mut read = ConfigMaps::default();
    for place in &cluster.places {
        let (subject, container) = (place.subject, &place.container);
        for (at, entry) in variables(container).enumerate() {
            let name = entry.text_at(&["name"]).unwrap_or_default();
            let value = entry.text_at(&["value"]).unwrap_or_default();
            if let Some(reason) = plain_secret(&name, &value) {
                let problem = format!("{name} of container {} {reason}", container.label());
                report.container_of(
                    subject,
                    container,
                    &format!("{}[{at}].value", container.key),
                    problem,
                    FIX,
                );
                report.of_variable(name);
            }
        }
        read.note(&namespace(subject.object), container);
    }
    for &subject in &cluster.subjects {
        let object = subject.object;
        let Some(names) = read
            .of(&namespace(object), &object.name())
            .filter(|_| object.kind() == "ConfigMap")
        else {
            continue;
        };
        for (key, value) in object.root().at(&["data"]).into_iter().flat_map(Node::entries) {
            let (key, value) = (
                key.text().unwrap_or_default(),
                value.resolve().text().unwrap_or_default(),
            );
            let mut variables = names.iter().filter_map(|name| name.for_key(&key));
            let found = variables.find_map(|variable| Some((plain_secret(&variable, &value)?, variable)));
            if let Some((reason, variable)) = found {
                let problem = format!("variable {variable} of the containers that read it {reason}");
                report.object(subject, format!("data[{key}]"), problem, FIX);
                report.of_variable(variable);
            }
        }
    }
}

fn variables<'a>(container: &Container<'a>) -> impl Iterator<Item = Node<'a>> {
    let holder = container.holder.into_iter();
    let key = container.key.clone();
    holder.flat_map(move |holder| list(holder, &key).collect::<Vec<_>>())
}

fn list<'a>(container: Node<'a>, field: &str) -> impl Iterator<Item = Node<'a>> {
    container
        .at(&[field])
        .into_iter()
        .flat_map(Node::items)
        .map(Node::resolve)
}

/// The ConfigMaps that containers read variables from, by namespace and name.
#[derive(Default)]
struct ConfigMaps(BTreeMap<(String, String), BTreeSet<Variable>>);

/// What a container calls the value of a ConfigMap's key.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Variable {
    /// Every key with this prefix before it: `envFrom`.
    Prefixed(String),
    /// One key by a name: `configMapKeyRef`.
    Named { key: String, name: String },
}

impl Variable {
    fn for_key(&self, key: &str) -> Option<String> {
        match self {
            Self::Prefixed(prefix) => Some(format!("{prefix}{key}")),
            Self::Named { key: wanted, name } => (wanted == key).then(|| name.clone()),
        }
    }
}

impl ConfigMaps {
    fn note(&mut self, namespace: &str, container: &Container<'_>) {
        let mut add = |config_map: &str, variable| {
            let place = (namespace.to_owned(), config_map.to_owned());
            self.0.entry(place).or_default().insert(variable);
        };
        for source in list(container.node, "envFrom") {
            if let Some(config_map) = source.text_at(&["configMapRef", "name"]) {
                let prefix = source.text_at(&["prefix"]).unwrap_or_default().into_owned();
                add(&config_map, Variable::Prefixed(prefix));
            }
        }
        for entry in variables(container) {
            let text = |field| entry.text_at(&["valueFrom", "configMapKeyRef", field]);
            if let (Some(config_map), Some(key)) = (text("name"), text("key")) {
                let (key, name) = (
                    key.into_owned(),
                    entry.text_at(&["name"]).unwrap_or_default().into_owned(),
                );
                add(&config_map, Variable::Named { key, name });
            }
        }
    }

    fn of(&self, namespace: &str, name: &str) -> Option<&BTreeSet<Variable>> {
        self.0.get(&(namespace.to_owned(), name.to_owned()))
    }
}
