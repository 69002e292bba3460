//! Values as JSON: stored state, and what some tools send in the place of MessagePack. One pass, without a tree in
//! between, and numbers keep every digit.

use std::{cell::RefCell, collections::BTreeMap, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{CodecError, DEPTH_LIMIT};
use crate::{number::Number, path::Step, types::Type, value::Value};

/// What to do with attributes that the schema does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undefined {
    /// They are an error, and so is an attribute that is missing.
    Refused,
    /// They are passed over; a missing attribute is null.
    Ignored,
}

/// Reads one value that takes up all of `bytes`.
pub(super) fn decode(bytes: &[u8], ty: &Type, undefined: Undefined) -> Result<Value, CodecError> {
    let place = Place {
        undefined,
        path: RefCell::default(),
    };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let read = Seed {
        ty,
        place: &place,
        depth: 0,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    read.map_err(|error| {
        let mut steps = place.path.into_inner();
        steps.reverse();
        CodecError {
            steps,
            reason: error.to_string(),
        }
    })
}

/// Where reading is; after an error, where it was.
struct Place {
    undefined: Undefined,
    path: RefCell<Vec<Step>>,
}

struct Seed<'a> {
    ty: &'a Type,
    place: &'a Place,
    depth: usize,
}

impl<'a> Seed<'a> {
    fn deeper(&self, ty: &'a Type) -> Self {
        Seed {
            ty,
            place: self.place,
            depth: self.depth + 1,
        }
    }

    /// Reads something inside with `read`; the step stays on the path when that fails.
    fn inside<T, E>(&self, step: Step, ty: &'a Type, read: impl FnOnce(Self) -> Result<T, E>) -> Result<T, E> {
        self.place.path.borrow_mut().push(step);
        let value = read(self.deeper(ty))?;
        self.place.path.borrow_mut().pop();
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth > DEPTH_LIMIT {
            return Err(D::Error::custom(super::too_deep().reason));
        }
        match self.ty {
            // The text of a number, before anything rounds it.
            Type::Number => number(serde::Deserialize::deserialize(deserializer)?),
            _ => deserializer.deserialize_any(self),
        }
    }
}

/// Null, a number, or a string that holds one: older states have those.
fn number<E: serde::de::Error>(raw: &RawValue) -> Result<Value, E> {
    let text = raw.get();
    if text == "null" {
        return Ok(Value::Null);
    }
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    Number::parse(quoted.unwrap_or(text))
        .map(Value::Number)
        .ok_or_else(|| E::custom("expected number"))
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ty)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Value, E> {
        match self.ty {
            Type::Bool => Ok(Value::Bool(value)),
            _ => Err(E::invalid_type(serde::de::Unexpected::Bool(value), &self)),
        }
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Value, E> {
        match self.ty {
            Type::String => Ok(Value::String(text.to_owned())),
            // Older states have these.
            Type::Bool if text == "true" || text == "false" => Ok(Value::Bool(text == "true")),
            _ => Err(E::invalid_type(serde::de::Unexpected::Other("a string"), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        match self.ty {
            Type::List(element) => loop {
                let step = Step::Index(values.len());
                let read = |seed| elements.next_element_seed(seed);
                match self.inside(step, element, read)? {
                    Some(value) => values.push(value),
                    None => return Ok(Value::List(values)),
                }
            },
            Type::Set(element) => {
                while let Some(value) = elements.next_element_seed(self.deeper(element))? {
                    values.push(value);
                }
                Ok(Value::List(values))
            }
            Type::Tuple(types) => {
                for (index, ty) in types.iter().enumerate() {
                    match self.inside(Step::Index(index), ty, |seed| elements.next_element_seed(seed))? {
                        Some(value) => values.push(value),
                        None => return Err(A::Error::invalid_length(index, &self)),
                    }
                }
                match elements.next_element::<IgnoredAny>()? {
                    Some(_) => Err(A::Error::invalid_length(types.len() + 1, &self)),
                    None => Ok(Value::List(values)),
                }
            }
            _ => Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = BTreeMap::new();
        match self.ty {
            Type::Map(element) => {
                while let Some(key) = entries.next_key::<String>()? {
                    let value = self.inside(Step::Key(key.clone()), element, |seed| entries.next_value_seed(seed))?;
                    values.insert(key, value);
                }
                Ok(Value::Map(values))
            }
            Type::Object(attributes) => {
                while let Some(name) = entries.next_key::<String>()? {
                    match (attributes.get(&name), self.place.undefined) {
                        (Some(ty), _) => {
                            let step = Step::Attribute(name.clone());
                            let value = self.inside(step, ty, |seed| entries.next_value_seed(seed))?;
                            values.insert(name, value);
                        }
                        (None, Undefined::Ignored) => {
                            entries.next_value::<IgnoredAny>()?;
                        }
                        (None, Undefined::Refused) => {
                            return Err(A::Error::custom(format!("there is no attribute `{name}`")));
                        }
                    }
                }
                for name in attributes.keys() {
                    if !values.contains_key(name) {
                        if self.place.undefined == Undefined::Refused {
                            return Err(A::Error::custom(format!("the attribute `{name}` is missing")));
                        }
                        values.insert(name.clone(), Value::Null);
                    }
                }
                Ok(Value::Map(values))
            }
            Type::Dynamic => {
                // {"type": …, "value": …}; the order is the sender's, and the value needs the type.
                let (mut ty, mut value): (Option<Box<RawValue>>, Option<Box<RawValue>>) = (None, None);
                while let Some(key) = entries.next_key::<String>()? {
                    match key.as_str() {
                        "type" => ty = Some(entries.next_value()?),
                        "value" => value = Some(entries.next_value()?),
                        _ => return Err(A::Error::custom(format!("there is no `{key}` in a value of any type"))),
                    }
                }
                let (Some(ty), Some(value)) = (ty, value) else {
                    return Err(A::Error::custom("a value of any type needs `type` and `value`"));
                };
                let ty = super::type_from_json(ty.get().as_bytes()).map_err(|error| A::Error::custom(error.reason))?;
                let inner = Seed {
                    ty: &ty,
                    place: self.place,
                    depth: self.depth + 1,
                };
                let mut deserializer = serde_json::Deserializer::from_str(value.get());
                let value = inner.deserialize(&mut deserializer).map_err(A::Error::custom)?;
                Ok(Value::dynamic(ty, value))
            }
            _ => Err(A::Error::invalid_type(serde::de::Unexpected::Map, &self)),
        }
    }
}
