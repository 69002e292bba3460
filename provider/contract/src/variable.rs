//! Environment variables: what an application reads.

use std::fmt;

use crate::Protocol;

/// One environment variable of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name, the one that libraries really read.
    pub name: &'static str,
    /// Where its value comes from.
    pub value: VariableValue,
    /// The endpoint it belongs to.
    pub protocol: Protocol,
    /// Who reads this name, in words: `libpq`, `boto3 and the AWS SDKs`.
    pub source: &'static str,
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

    pub(crate) fn literal(&mut self, name: &'static str, value: impl Into<String>, source: &'static str) {
        self.push(name, VariableValue::Literal(value.into()), source);
    }

    pub(crate) fn composed(&mut self, name: &'static str, value: String, source: &'static str) {
        self.push(name, VariableValue::Composed(value), source);
    }

    pub(crate) fn secret(&mut self, name: &'static str, secret: &str, key: &str, source: &'static str) {
        self.push(
            name,
            VariableValue::SecretKey(SecretKey {
                name: secret.into(),
                key: key.into(),
            }),
            source,
        );
    }

    fn push(&mut self, name: &'static str, value: VariableValue, source: &'static str) {
        self.list.push(Variable {
            name,
            value,
            protocol: self.protocol,
            source,
        });
    }
}
