//! One NetworkPolicy: made, or brought up to date.

use std::borrow::Cow;

use krm_fn::{Edits, Error, Node, NodeKind, Object, Value};

use crate::targets::Label;

/// Marks a policy as the function's own.
const MADE_BY: (&str, &str) = ("mlplat.dev/made-by", "generate-network-policies");

/// A policy as it should be.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) place: Place,
    spec: Value,
}

/// Where a policy is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    namespace: Option<String>,
    name: String,
}

impl Place {
    /// That name, beside the object.
    pub(crate) fn of(object: Object<'_>, name: String) -> Self {
        Self {
            namespace: object.namespace().map(Cow::into_owned),
            name,
        }
    }
}

impl Policy {
    /// Allows the pods with these labels this egress and no other. Ingress is left to other policies.
    pub(crate) fn new(place: Place, labels: &[Label], egress: &[Value]) -> Self {
        let labels = Value::map(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let spec = Value::map([
            ("egress", Value::Seq(egress.to_vec())),
            ("podSelector", Value::map([("matchLabels", labels)])),
            ("policyTypes", Value::Seq(vec![Value::from("Egress")])),
        ]);
        Self { place, spec }
    }

    /// Gives an earlier policy of the function today's rules; refuses one that somebody else wrote.
    pub(crate) fn update(&self, object: Object<'_>, edits: &mut Edits) -> Result<(), Error> {
        if object.annotation(MADE_BY.0).as_deref() != Some(MADE_BY.1) {
            return Err(Error::refused(
                "a policy of this name is to be made, and this one was not made by this function",
                "rename it, or set `spec.nameSuffix` so that the names differ",
            ));
        }
        let spec = object.root().get("spec");
        if !spec.is_some_and(|spec| says(spec, &self.spec)) {
            edits.set(object.root(), "spec", &self.spec)?;
        }
        Ok(())
    }

    /// The policy as a new object.
    pub(crate) fn to_value(&self) -> Value {
        let mut metadata = vec![
            ("annotations".to_owned(), Value::map([MADE_BY])),
            ("name".to_owned(), Value::from(self.place.name.as_str())),
        ];
        let namespace = self.place.namespace.as_deref();
        metadata.extend(namespace.map(|namespace| ("namespace".to_owned(), Value::from(namespace))));
        Value::map([
            ("apiVersion", Value::from("networking.k8s.io/v1")),
            ("kind", Value::from("NetworkPolicy")),
            ("metadata", Value::Map(metadata)),
            ("spec", self.spec.clone()),
        ])
    }
}

/// Whether the object is a NetworkPolicy of Kubernetes.
pub(crate) fn is_policy(object: Object<'_>) -> bool {
    object.kind() == "NetworkPolicy" && object.group() == "networking.k8s.io"
}

/// Whether a node says the same as a value, whatever its style and the order of its keys.
fn says(node: Node<'_>, value: &Value) -> bool {
    let node = node.resolve();
    let unquoted = |wanted: &str| node.as_str().is_none() && node.text().is_some_and(|found| found == wanted);
    match value {
        Value::Text(text) => node.as_str().is_some_and(|found| found == *text),
        Value::Int(number) => unquoted(&number.to_string()),
        Value::Bool(wanted) => unquoted(&wanted.to_string()),
        Value::Map(entries) => {
            node.kind() == NodeKind::Map
                && node.entries().count() == entries.len()
                && entries
                    .iter()
                    .all(|(key, value)| node.get(key).is_some_and(|found| says(found, value)))
        }
        Value::Seq(items) => {
            node.kind() == NodeKind::Seq
                && node.items().count() == items.len()
                && node.items().zip(items).all(|(found, item)| says(found, item))
        }
    }
}
