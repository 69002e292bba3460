//! Environment variables: what an application reads.

use std::fmt;

use crate::{Profile, Protocol};

/// One environment variable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, the one that libraries really read.
    pub name: &'static str,
    /// Where its value comes from.
    pub value: VariableValue,
    /// The endpoint it belongs to.
    pub protocol: Protocol,
    /// The contract's field that it says, below `spec.endpoints`: `postgres.cluster.address`. That of the whole endpoint
    /// where it says several.
    pub field: String,
    /// Who reads this name.
    pub readers: &'static [Profile],
}

impl Variable {
    /// Whether the value is a secret or is composed of one. Such a variable never goes into a ConfigMap.
    #[must_use]
    pub fn needs_secret(&self) -> bool {
        match self.value {
            VariableValue::Literal(_) => false,
            VariableValue::Composed(_) | VariableValue::SecretKey(_) => true,
        }
    }
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableValue {
    /// The value itself. It holds no `$(`, so Kubernetes' expansion leaves it as it is.
    Literal(String),
    /// Text with `$(NAME)` references that Kubernetes expands in `env[].value` (not in a ConfigMap). The variables it
    /// names come earlier in the list and must come earlier in the container too.
    Composed(String),
    /// A key of a Secret in the workload's namespace: `valueFrom.secretKeyRef`.
    SecretKey(SecretKey),
}

/// A key of a Secret, in the namespace of whoever refers to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretKey {
    /// The Secret's `metadata.name`.
    pub name: String,
    /// The key in its `data`.
    pub key: String,
}

impl fmt::Display for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "key {} of Secret {}", self.key, self.name)
    }
}

/// Collects the variables of one endpoint, in order.
pub(crate) struct Variables<'a> {
    protocol: Protocol,
    list: &'a mut Vec<Variable>,
}

impl<'a> Variables<'a> {
    pub(crate) fn of(protocol: Protocol, list: &'a mut Vec<Variable>) -> Self {
        Self { protocol, list }
    }

    /// The value itself, of a field of the endpoint; of no field in particular where it is empty.
    pub(crate) fn literal(
        &mut self,
        name: &'static str,
        field: impl AsRef<str>,
        value: impl Into<String>,
        readers: &'static [Profile],
    ) {
        self.push(name, field.as_ref(), VariableValue::Literal(value.into()), readers);
    }

    /// Text with references to variables that come before it.
    pub(crate) fn composed(&mut self, name: &'static str, value: String, readers: &'static [Profile]) {
        self.push(name, "", VariableValue::Composed(value), readers);
    }

    /// A key of a Secret, which the field `credentials.<field>` names.
    pub(crate) fn secret(
        &mut self,
        name: &'static str,
        field: &str,
        (secret, key): (&str, &String),
        readers: &'static [Profile],
    ) {
        let key = SecretKey {
            name: secret.into(),
            key: key.clone(),
        };
        self.push(
            name,
            &format!("credentials.{field}"),
            VariableValue::SecretKey(key),
            readers,
        );
    }

    fn push(&mut self, name: &'static str, field: &str, value: VariableValue, readers: &'static [Profile]) {
        let field = match field {
            "" => self.protocol.to_string(),
            field => format!("{}.{field}", self.protocol),
        };
        self.list.push(Variable {
            name,
            value,
            protocol: self.protocol,
            field,
            readers,
        });
    }
}

/// Keeps the variables that one of the profiles reads, and those that such a one is composed of.
pub(crate) fn keep(list: &mut Vec<Variable>, profiles: &[Profile]) {
    let mut kept: Vec<bool> = list
        .iter()
        .map(|variable| variable.readers.iter().any(|reader| profiles.contains(reader)))
        .collect();
    // What is referred to comes earlier.
    for at in (0..list.len()).rev() {
        if let (true, VariableValue::Composed(text)) = (kept[at], &list[at].value) {
            for (earlier, kept) in list[..at].iter().zip(&mut kept) {
                *kept |= text.contains(&format!("$({})", earlier.name));
            }
        }
    }
    let mut kept = kept.into_iter();
    list.retain(|_| kept.next().expect("one for each"));
}
