//! The wrappers that say of a field who gives its value, and whether it may be seen.

use std::fmt;

use crate::diagnostic::Diagnostics;
use crate::model::{Field, Shape};
use crate::path::Path;
use crate::schema::Presence;
use crate::value::Value;

/// A value that the provider gives; with `#[model(optional)]` the user may give it instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Computed<T> {
    /// Known only after apply. What create and update return may hold none of these.
    Unknown,
    /// Not there.
    #[default]
    Null,
    /// There.
    Known(T),
}

impl<T> Computed<T> {
    /// The value, when it is there and known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Null => None,
        }
    }

    /// The value, when it is there and known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::Null => None,
        }
    }

    /// Known only after apply.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Not there.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<T> From<T> for Computed<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T> From<Option<T>> for Computed<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

impl From<&str> for Computed<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl<T: Field> Field for Computed<T> {
    type Plain = T::Plain;

    fn shape() -> Shape {
        Shape {
            presence: Presence::Computed,
            ..T::shape()
        }
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match value {
            Value::Unknown => Ok(Self::Unknown),
            Value::Null => Ok(Self::Null),
            value => T::from_value(value, at).map(Self::Known),
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Unknown => Value::Unknown,
            Self::Null => Value::Null,
            Self::Known(value) => value.into_value(),
        }
    }
}

/// A value that is in the configuration only: Terraform keeps it in no plan and no state, so there it is `None`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteOnly<T>(Option<T>);

impl<T> WriteOnly<T> {
    /// The value, when this is the configuration and the user gave it.
    pub fn get(&self) -> Option<&T> {
        self.0.as_ref()
    }

    /// The value, when this is the configuration and the user gave it.
    pub fn into_inner(self) -> Option<T> {
        self.0
    }
}

impl<T> From<Option<T>> for WriteOnly<T> {
    fn from(value: Option<T>) -> Self {
        Self(value)
    }
}

/// Never the value.
impl<T> fmt::Debug for WriteOnly<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "WriteOnly(…)"
        } else {
            "WriteOnly(none)"
        })
    }
}

impl<T: Field> Field for WriteOnly<T> {
    type Plain = T::Plain;

    fn shape() -> Shape {
        Shape {
            presence: Presence::Optional,
            write_only: true,
            ..T::shape()
        }
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        Ok(Self(Option::from_value(value, at)?))
    }

    /// Always null.
    fn into_value(self) -> Value {
        Value::Null
    }
}

/// Text that is never printed: not by `{}`, not by `{:?}`, not by Terraform.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text. Say so only where it must leave.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl Field for Secret {
    type Plain = Self;

    fn shape() -> Shape {
        Shape {
            sensitive: true,
            ..String::shape()
        }
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        String::from_value(value, at).map(Self)
    }

    fn into_value(self) -> Value {
        Value::String(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("canary");
        let printed = format!("{secret} {secret:?} {:?}", WriteOnly::from(Some("canary")));
        assert_eq!(printed, "(secret) Secret(…) WriteOnly(…)");
    }

    #[test]
    fn a_write_only_value_goes_nowhere() {
        assert_eq!(WriteOnly::from(Some("canary".to_owned())).into_value(), Value::Null);
    }
}
