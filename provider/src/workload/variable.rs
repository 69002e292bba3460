//! A variable of a container: its value, what may be shown of it, and where it comes from.

use std::fmt;
use std::str::FromStr;

/// Stands where a value must not be shown.
pub(super) const HIDDEN: &str = "(secret)";

/// One variable of a container.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The text that the program gets; `None` where only a cluster knows it. It may hold a Secret's value.
    pub value: Option<String>,
    /// The same text to be shown to people: `(secret)` stands where a Secret's value stood, alone or within a URL.
    pub shown: String,
    /// Where it comes from.
    pub source: Source,
}

impl Variable {
    /// The bytes of the longer one of what the program gets and what is shown.
    pub(super) fn size(&self) -> usize {
        let value = self.value.as_ref().map_or(0, String::len);
        value.max(self.shown.len())
    }
}

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Written in the manifest.
    Value {
        /// The variables that were put in for `$(NAME)`.
        with: Vec<String>,
        /// The names for which `$(NAME)` stayed as it is, because no variable before this one has them.
        without: Vec<String>,
    },
    /// Name and key.
    ConfigMap(String, String),
    /// Name and key.
    Secret(String, String),
    /// A key of a Secret that a controller makes in the cluster; without a key, all those that are not known.
    Made {
        /// The Secret's name.
        secret: String,
        /// `None`: whatever further keys it gets.
        key: Option<String>,
        /// Kind and name of the object from which it is made.
        maker: String,
    },
    /// A field of the pod, such as `metadata.namespace`.
    Field(String),
    /// Given by the user in the manifest's place.
    Override,
}

/// `NAME=VALUE`, taken as it is in place of what the manifest says.
#[derive(Clone, PartialEq, Eq)]
pub struct Override {
    pub(super) name: String,
    value: String,
}

/// A text that is not `NAME=VALUE`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a variable is given as NAME=VALUE")]
pub struct OverrideError;

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { with, without } => {
                f.write_str("value")?;
                if !with.is_empty() {
                    write!(f, ", with {}", with.join(", "))?;
                }
                if !without.is_empty() {
                    write!(f, ", not set before it: {}", without.join(", "))?;
                }
                Ok(())
            }
            Self::ConfigMap(name, key) => write!(f, "ConfigMap {name}, key {key}"),
            Self::Secret(name, key) => write!(f, "Secret {name}, key {key}"),
            Self::Made { secret, key, maker } => {
                let key = key
                    .as_ref()
                    .map_or("all other keys".to_owned(), |key| format!("key {key}"));
                write!(f, "Secret {secret}, {key}, made by {maker}")
            }
            Self::Field(path) => write!(f, "field {path}"),
            Self::Override => f.write_str("--env"),
        }
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("shown", &self.shown)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(OverrideError),
        }
    }
}

impl From<&Override> for Variable {
    /// What a user types may be a password, so it is not shown.
    fn from(given: &Override) -> Self {
        Self {
            value: Some(given.value.clone()),
            shown: HIDDEN.to_owned(),
            source: Source::Override,
        }
    }
}
