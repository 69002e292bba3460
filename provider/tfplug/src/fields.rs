//! The types of Rust that an attribute may have.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostics;
use crate::model::{Field, Shape, mismatch};
use crate::number::Number;
use crate::path::Path;
use crate::schema::{Kind, Nesting, Presence};
use crate::types::Type;
use crate::value::Value;

/// The value itself: a place that takes any type has it as an envelope.
fn bare(value: Value) -> Value {
    match value {
        Value::Dynamic(dynamic) => dynamic.value,
        value => value,
    }
}

impl Field for bool {
    type Plain = Self;

    fn shape() -> Shape {
        Shape::required(Kind::Plain(Type::Bool))
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::Bool(value) => Ok(value),
            other => Err(mismatch(at, "a bool", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

impl Field for String {
    type Plain = Self;

    fn shape() -> Shape {
        Shape::required(Kind::Plain(Type::String))
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::String(value) => Ok(value),
            other => Err(mismatch(at, "a string", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::String(self)
    }
}

impl Field for Number {
    type Plain = Self;

    fn shape() -> Shape {
        Shape::required(Kind::Plain(Type::Number))
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::Number(value) => Ok(value),
            other => Err(mismatch(at, "a number", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Number(self)
    }
}

macro_rules! integers {
    ($($int:ty: $get:ident),*) => {$(
        impl Field for $int {
            type Plain = Self;

            fn shape() -> Shape {
                Shape::required(Kind::Plain(Type::Number))
            }

            fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
                let value = bare(value);
                match &value {
                    Value::Number(number) => number.$get().and_then(|int| <$int>::try_from(int).ok()),
                    _ => None,
                }
                .ok_or_else(|| {
                    mismatch(at, &format!("a whole number between {} and {}", <$int>::MIN, <$int>::MAX), &value)
                })
            }

            fn into_value(self) -> Value {
                Value::Number(self.into())
            }
        }
    )*};
}
integers!(i8: as_i64, i16: as_i64, i32: as_i64, i64: as_i64, u8: as_u64, u16: as_u64, u32: as_u64, u64: as_u64);

/// The nearest double. Planning and applying put the configuration's own digits back where the double is the same.
impl Field for f64 {
    type Plain = Self;

    fn shape() -> Shape {
        Shape::required(Kind::Plain(Type::Number))
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::Number(number) if number.as_f64().is_finite() => Ok(number.as_f64()),
            other => Err(mismatch(at, "a number that a double can hold", &other)),
        }
    }

    fn into_value(self) -> Value {
        Number::shortest(self).map_or(Value::Null, Value::Number)
    }
}

/// Any type.
impl Field for Value {
    type Plain = Self;

    fn shape() -> Shape {
        Shape::required(Kind::Plain(Type::Dynamic))
    }

    fn from_value(value: Value, _at: &Path) -> Result<Self, Diagnostics> {
        Ok(bare(value))
    }

    fn into_value(self) -> Value {
        Value::dynamic(self.implied_type(), self)
    }
}

impl<T: Field> Field for Option<T> {
    type Plain = T::Plain;

    fn shape() -> Shape {
        Shape {
            presence: Presence::Optional,
            ..T::shape()
        }
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match value {
            Value::Null => Ok(None),
            value => T::from_value(value, at).map(Some),
        }
    }

    fn into_value(self) -> Value {
        self.map_or(Value::Null, T::into_value)
    }
}

fn elements<T: Field>(values: Vec<Value>, at: impl Fn(usize) -> Path) -> Result<Vec<T>, Diagnostics> {
    let mut errors = Diagnostics::none();
    let mut found = Vec::with_capacity(values.len());
    for (i, value) in values.into_iter().enumerate() {
        match T::from_value(value, &at(i)) {
            Ok(element) => found.push(element),
            Err(error) => errors.extend(error),
        }
    }
    errors.or_ok(found)
}

impl<T: Field> Field for Vec<T> {
    type Plain = Self;

    fn shape() -> Shape {
        T::shape().many(Nesting::List, Type::list)
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::List(values) => elements(values, |i| at.index(i)),
            other => Err(mismatch(at, "a list", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: Field + Ord> Field for BTreeSet<T> {
    type Plain = Self;

    fn shape() -> Shape {
        T::shape().many(Nesting::Set, Type::set)
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::List(values) => Ok(elements(values, |_| at.clone())?.into_iter().collect()),
            other => Err(mismatch(at, "a set", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::List(self.into_iter().map(T::into_value).collect())
    }
}

impl<T: Field> Field for BTreeMap<String, T> {
    type Plain = Self;

    fn shape() -> Shape {
        T::shape().many(Nesting::Map, Type::map)
    }

    fn from_value(value: Value, at: &Path) -> Result<Self, Diagnostics> {
        match bare(value) {
            Value::Map(values) => {
                let mut errors = Diagnostics::none();
                let mut found = Self::new();
                for (key, value) in values {
                    match T::from_value(value, &at.key(&key)) {
                        Ok(element) => drop(found.insert(key, element)),
                        Err(error) => errors.extend(error),
                    }
                }
                errors.or_ok(found)
            }
            other => Err(mismatch(at, "a map", &other)),
        }
    }

    fn into_value(self) -> Value {
        Value::Map(self.into_iter().map(|(key, value)| (key, value.into_value())).collect())
    }
}
