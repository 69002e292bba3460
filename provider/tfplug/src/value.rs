//! A value of Terraform's language, as the protocol carries it. Only plan steps and conversions see one: resources see models.

use std::collections::BTreeMap;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::types::Type;

/// A value of Terraform's language; its [`Type`] stands in the schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Not there.
    #[default]
    Null,
    /// Known only after apply.
    Unknown,
    /// A bool.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// A list, a tuple, or a set (whose order means nothing).
    List(Vec<Value>),
    /// A map or an object; an object has every attribute of its type.
    Map(BTreeMap<String, Value>),
    /// A value in a place that takes any type, with the type that it has there. Null and unknown stand bare.
    Dynamic(Box<Dynamic>),
}

/// A value with its type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dynamic {
    /// The value's type.
    pub ty: Type,
    /// The value.
    pub value: Value,
}

static NULL: Value = Value::Null;
static UNKNOWN: Value = Value::Unknown;

impl Value {
    /// An object or a map.
    pub fn object<N: Into<String>>(attributes: impl IntoIterator<Item = (N, Value)>) -> Self {
        Self::Map(
            attributes
                .into_iter()
                .map(|(name, value)| (name.into(), value))
                .collect(),
        )
    }

    /// Not there.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Known only after apply, as a whole.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Neither this nor anything inside is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(elements) => elements.iter().all(Self::is_wholly_known),
            Self::Map(attributes) => attributes.values().all(Self::is_wholly_known),
            Self::Dynamic(dynamic) => dynamic.value.is_wholly_known(),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => true,
        }
    }

    /// The paths of what is unknown, outermost only.
    pub fn unknown_paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect_unknown(&Path::root(), &mut found);
        found
    }

    fn collect_unknown(&self, at: &Path, found: &mut Vec<Path>) {
        match self {
            Self::Unknown => found.push(at.clone()),
            Self::List(elements) => {
                for (i, element) in elements.iter().enumerate() {
                    element.collect_unknown(&at.index(i), found);
                }
            }
            Self::Map(attributes) => {
                for (name, value) in attributes {
                    value.collect_unknown(&at.attribute(name), found);
                }
            }
            Self::Dynamic(dynamic) => dynamic.value.collect_unknown(at, found),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::String(_) => {}
        }
    }

    /// The same value with null in the place of everything unknown.
    #[must_use]
    pub fn unknown_as_null(self) -> Self {
        match self {
            Self::Unknown => Self::Null,
            Self::List(elements) => Self::List(elements.into_iter().map(Self::unknown_as_null).collect()),
            Self::Map(attributes) => Self::Map(
                attributes
                    .into_iter()
                    .map(|(name, value)| (name, value.unknown_as_null()))
                    .collect(),
            ),
            Self::Dynamic(dynamic) => {
                let Dynamic { ty, value } = *dynamic;
                Self::dynamic(ty, value.unknown_as_null())
            }
            known => known,
        }
    }

    /// `value` in a place that takes any type.
    pub fn dynamic(ty: Type, value: Value) -> Self {
        match value {
            Self::Null | Self::Unknown | Self::Dynamic(_) => value,
            value => Self::Dynamic(Box::new(Dynamic { ty, value })),
        }
    }

    /// An attribute of an object: null in a null object, unknown in an unknown one, null when there is none.
    pub fn attribute(&self, name: &str) -> &Value {
        match self {
            Self::Map(attributes) => attributes.get(name).unwrap_or(&NULL),
            Self::Unknown => &UNKNOWN,
            Self::Dynamic(dynamic) => dynamic.value.attribute(name),
            _ => &NULL,
        }
    }

    /// The value at `path`, by the rules of [`Value::attribute`].
    pub fn at(&self, path: &Path) -> &Value {
        path.steps().iter().fold(self, |value, step| match (step, value) {
            (Step::Attribute(name) | Step::Key(name), value) => value.attribute(name),
            (Step::Index(index), Self::List(elements)) => elements.get(*index).unwrap_or(&NULL),
            (Step::Index(_), Self::Unknown) => &UNKNOWN,
            (Step::Index(_), _) => &NULL,
        })
    }

    /// The place at `path`; `None` when something on the way is not there.
    pub fn at_mut(&mut self, path: &Path) -> Option<&mut Value> {
        path.steps().iter().try_fold(self, |value, step| match (step, value) {
            (Step::Attribute(name) | Step::Key(name), Self::Map(attributes)) => attributes.get_mut(name),
            (Step::Index(index), Self::List(elements)) => elements.get_mut(*index),
            _ => None,
        })
    }

    /// The type that a value has by itself: a list is a tuple, a map an object, null and unknown are dynamic.
    pub fn implied_type(&self) -> Type {
        match self {
            Self::Null | Self::Unknown => Type::Dynamic,
            Self::Bool(_) => Type::Bool,
            Self::Number(_) => Type::Number,
            Self::String(_) => Type::String,
            Self::List(elements) => Type::Tuple(elements.iter().map(Self::implied_type).collect()),
            Self::Map(attributes) => Type::object(attributes.iter().map(|(name, value)| (name, value.implied_type()))),
            Self::Dynamic(dynamic) => dynamic.ty.clone(),
        }
    }

    /// What this is, in words for an error: `a string`, `null`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Unknown => "a value known only after apply",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
            Self::Dynamic(dynamic) => dynamic.value.kind(),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Self::Number(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(value: Vec<Value>) -> Self {
        Self::List(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_into_nothing_is_null_and_into_the_unknown_is_unknown() {
        let value = Value::object([("a", Value::Unknown), ("b", Value::List(vec![Value::from("x")]))]);
        assert_eq!(value.at(&"a.c.d".into()), &Value::Unknown);
        assert_eq!(value.at(&"b[0]".into()), &Value::from("x"));
        assert_eq!(value.at(&"b[1]".into()), &Value::Null);
        assert_eq!(value.at(&"z.y".into()), &Value::Null);
    }

    #[test]
    fn unknown_parts_are_named() {
        let value = Value::object([
            ("a", Value::List(vec![Value::Null, Value::Unknown])),
            ("b", Value::Unknown),
        ]);
        let names: Vec<String> = value.unknown_paths().iter().map(Path::to_string).collect();
        assert_eq!(names, ["a[1]", "b"]);
        assert!(value.clone().unknown_as_null().is_wholly_known());
    }
}
