//! What may differ between two environments.

use std::collections::BTreeMap;

use krm_fn::Error;
use krm_fn::selector::matches;
use serde::Deserialize;

/// What may differ. The contract's variables, Secrets' data and, by default, what the function set-environment sets, may
/// always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    pub(crate) environment: Vec<Aspect>,
    pub(crate) registries: Vec<String>,
    pub(crate) namespaces: BTreeMap<String, String>,
    pub(crate) generated: Vec<String>,
    pub(crate) endpoints: String,
    pub(crate) exceptions: Vec<Exception>,
    /// Whether the streams may say what the objects were before mlplat's functions.
    pub(crate) stages: bool,
}

/// A part of a manifest that belongs to the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Aspect {
    /// The registry of an image; repository, tag and digest stay the same.
    Registry,
    /// A Service's type, node ports and fields that only some types have.
    Exposure,
    /// An Ingress' class, annotations and TLS.
    Ingress,
    /// The storage class of claims and claim templates.
    StorageClass,
    /// The replicas of workloads.
    Replicas,
    /// The resources of containers.
    Resources,
}

/// A difference that is meant, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exception {
    /// A pattern for the object's kind; absent = any.
    #[serde(default = "any")]
    pub kind: String,
    /// A pattern for the object's name; absent = any.
    #[serde(default = "any")]
    pub name: String,
    /// A pattern for the field's path as messages show it. `*` is the whole object, which may then be missing.
    pub field: String,
    /// Why.
    pub reason: String,
}

impl Default for Allow {
    fn default() -> Self {
        Self {
            environment: vec![
                Aspect::Registry,
                Aspect::Exposure,
                Aspect::Ingress,
                Aspect::StorageClass,
            ],
            registries: Vec::new(),
            namespaces: BTreeMap::new(),
            generated: Vec::new(),
            endpoints: "mlplat-endpoints".to_owned(),
            exceptions: Vec::new(),
            stages: false,
        }
    }
}

impl Allow {
    /// The exceptions, in the order they were given.
    #[must_use]
    pub fn exceptions(&self) -> &[Exception] {
        &self.exceptions
    }

    /// Refuses an exception that says nothing, or no reason; `self` otherwise.
    pub(crate) fn checked(self) -> Result<Self, Error> {
        for (at, one) in self.exceptions.iter().enumerate() {
            let empty = [("field", &one.field), ("reason", &one.reason)]
                .into_iter()
                .find(|(_, text)| text.trim().is_empty());
            if let Some((field, _)) = empty {
                return Err(Error::refused(
                    format!("spec.allow[{at}].{field} is empty, and nobody will know later what was meant"),
                    "write which field may differ, and why; or remove the entry",
                ));
            }
        }
        for (at, pattern) in self.generated.iter().enumerate() {
            let stem = pattern.strip_suffix('*').unwrap_or_default();
            if stem.is_empty() || stem.contains(['*', '?']) {
                return Err(Error::refused(
                    format!("spec.generatedNames[{at}]: {pattern:?} does not say which part of the name is generated"),
                    "write the constant part and one `*` after it: `frontend-*`",
                ));
            }
        }
        Ok(self)
    }

    /// Whether an aspect may differ.
    pub(crate) fn has(&self, aspect: Aspect) -> bool {
        self.environment.contains(&aspect)
    }

    /// The exception that a difference falls under. More than one may: the first counts.
    pub(crate) fn exception(&self, kind: &str, name: &str, field: &str) -> Option<usize> {
        self.exceptions
            .iter()
            .position(|one| matches(&one.kind, kind) && matches(&one.name, name) && matches(&one.field, field))
    }
}

fn any() -> String {
    "*".to_owned()
}
