//! Values to and from JSON, with a word for what is unknown.

use serde_json::Value as Json;

use crate::number::Number;
use crate::types::Type;
use crate::value::Value;

/// In a configuration and in a plan, in the place of any value: known after apply.
pub const UNKNOWN: &str = "(known after apply)";

/// Reads a value of this type; an attribute that an object leaves out is null.
pub(crate) fn from_json(json: &Json, ty: &Type) -> Result<Value, String> {
    Ok(match (ty, json) {
        (_, Json::Null) => Value::Null,
        (_, Json::String(text)) if text == UNKNOWN => Value::Unknown,
        (Type::Dynamic, json) => {
            let value = of_any_type(json);
            Value::dynamic(value.implied_type(), value)
        }
        (Type::Bool, Json::Bool(value)) => Value::Bool(*value),
        (Type::Number, Json::Number(number)) => {
            Value::Number(Number::parse(&number.to_string()).ok_or("a number that is none")?)
        }
        (Type::String, Json::String(text)) => Value::String(text.clone()),
        (Type::List(element) | Type::Set(element), Json::Array(elements)) => Value::List(
            elements
                .iter()
                .map(|json| from_json(json, element))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Tuple(types), Json::Array(elements)) if types.len() == elements.len() => Value::List(
            elements
                .iter()
                .zip(types)
                .map(|(json, ty)| from_json(json, ty))
                .collect::<Result<_, _>>()?,
        ),
        (Type::Map(element), Json::Object(elements)) => Value::Map(
            elements
                .iter()
                .map(|(key, json)| Ok((key.clone(), from_json(json, element)?)))
                .collect::<Result<_, String>>()?,
        ),
        (Type::Object(attributes), Json::Object(values)) => {
            if let Some(name) = values.keys().find(|name| !attributes.contains_key(*name)) {
                return Err(format!("there is no attribute `{name}`"));
            }
            let read = |(name, ty): (&String, &Type)| {
                let value = from_json(values.get(name).unwrap_or(&Json::Null), ty);
                Ok((name.clone(), value.map_err(|what| format!("{name}: {what}"))?))
            };
            Value::Map(attributes.iter().map(read).collect::<Result<_, String>>()?)
        }
        (ty, json) => return Err(format!("{ty} wanted, got {json}")),
    })
}

fn of_any_type(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => Number::parse(&number.to_string()).map_or(Value::Null, Value::Number),
        Json::String(text) => Value::String(text.clone()),
        Json::Array(elements) => Value::List(elements.iter().map(of_any_type).collect()),
        Json::Object(attributes) => {
            Value::object(attributes.iter().map(|(name, json)| (name.clone(), of_any_type(json))))
        }
    }
}

pub(crate) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Unknown => Json::from(UNKNOWN),
        Value::Bool(value) => Json::from(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Json::from(int),
            (None, Some(int)) => Json::from(int),
            (None, None) => Json::from(number.as_f64()),
        },
        Value::String(text) => Json::from(text.clone()),
        Value::List(elements) => Json::Array(elements.iter().map(to_json).collect()),
        Value::Map(values) => Json::Object(
            values
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)))
                .collect(),
        ),
        Value::Dynamic(dynamic) => to_json(&dynamic.value),
    }
}
