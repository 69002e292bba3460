//! A model is a struct that is schema, documentation and state at once; a field is a type that an attribute may have.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::schema::{Block, Kind, Nesting, Presence};
use crate::value::Value;

/// A struct that stands for a block of attributes. Derive it: `#[derive(Model)]`.
pub trait Model: Field<Plain = Self> + Clone {
    /// Its attributes and blocks.
    fn block() -> Block;
}

/// A type that an attribute may have. Models, `bool`, the number types, `String`, [`Secret`](crate::Secret),
/// `Vec`, `BTreeSet` and `BTreeMap` of them, and `Option`, [`Computed`](crate::Computed) and
/// [`WriteOnly`](crate::WriteOnly) around them.
pub trait Field: Sized + Send + Sync + 'static {
    /// The type without the wrappers that say who gives the value: what a default is and a validator sees.
    type Plain: Field;

    /// What the schema says of an attribute of this type.
    fn shape() -> Shape;

    /// Reads a value; the errors name `at` and what is expected there.
    ///
    /// # Errors
    /// When the value is of another type, out of this type's range, or unknown where the type has no place for that.
    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics>;

    /// The value to send to Terraform.
    fn into_value(self) -> Value;
}

/// What a type says of the attributes that have it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Shape {
    /// A plain type, or attributes of its own.
    pub kind: Kind,
    /// Who gives the value.
    pub presence: Presence,
    /// Terraform does not print it.
    pub sensitive: bool,
    /// In the configuration only.
    pub write_only: bool,
}

impl Shape {
    /// A required attribute of this kind.
    pub fn required(kind: Kind) -> Self {
        Self {
            kind,
            presence: Presence::Required,
            sensitive: false,
            write_only: false,
        }
    }

    /// Many of this element. Terraform nests attributes one level at a time, so a collection of collections of
    /// models is a plain type.
    pub(crate) fn many(self, nesting: Nesting, plain: fn(crate::Type) -> crate::Type) -> Self {
        let kind = match self.kind {
            Kind::Nested(Nesting::Single, block) => Kind::Nested(nesting, block),
            kind => Kind::Plain(plain(kind.ty())),
        };
        Self {
            kind,
            presence: Presence::Required,
            ..self
        }
    }
}

/// "`postgres.port` must be a whole number, got a string".
pub(crate) fn mismatch(at: &Path, expected: &str, value: &Value) -> Diagnostics {
    let got = match value {
        Value::Bool(value) => format!("`{value}`"),
        Value::Number(number) => number.to_string(),
        value => value.kind().to_owned(),
    };
    let name = if at.is_root() {
        "The value".to_owned()
    } else {
        format!("`{at}`")
    };
    Diagnostic::error(format!("{name} must be {expected}"))
        .detail(format!("{name} must be {expected}, got {got}."))
        .at(at)
        .into()
}

/// A model's value on its way into the struct's fields. For derived code.
#[doc(hidden)]
#[derive(Debug)]
pub struct Fields {
    attributes: std::collections::BTreeMap<String, Value>,
    at: Path,
}

impl Fields {
    /// Opens an object.
    ///
    /// # Errors
    /// When it is none.
    pub fn open(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match value {
            Value::Map(attributes) => Ok(Self {
                attributes,
                at: at.clone(),
            }),
            Value::Dynamic(dynamic) => Self::open(dynamic.value, at),
            other => Err(mismatch(at, "an object", &other)),
        }
    }

    /// The field of the attribute of this name.
    ///
    /// # Errors
    /// When its value does not fit its type.
    pub fn take<T: Field>(&mut self, name: &str) -> Result<T, Diagnostics> {
        T::from_value(
            self.attributes.remove(name).unwrap_or_default(),
            &self.at.attribute(name),
        )
    }
}
