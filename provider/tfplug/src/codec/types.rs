//! Types as Terraform writes them: JSON such as `"string"`, `["list","number"]` or `["object",{"a":"bool"}]`.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::{CodecError, DEPTH_LIMIT, too_deep};
use crate::types::Type;

/// Writes a type.
pub(crate) fn type_to_json(ty: &Type) -> Vec<u8> {
    to_json(ty).to_string().into_bytes()
}

fn to_json(ty: &Type) -> Json {
    match ty {
        Type::Bool => "bool".into(),
        Type::Number => "number".into(),
        Type::String => "string".into(),
        Type::Dynamic => "dynamic".into(),
        Type::List(element) => json!(["list", to_json(element)]),
        Type::Set(element) => json!(["set", to_json(element)]),
        Type::Map(element) => json!(["map", to_json(element)]),
        Type::Object(attributes) => {
            let attributes: serde_json::Map<String, Json> = attributes
                .iter()
                .map(|(name, ty)| (name.clone(), to_json(ty)))
                .collect();
            json!(["object", attributes])
        }
        Type::Tuple(elements) => json!(["tuple", elements.iter().map(to_json).collect::<Vec<_>>()]),
    }
}

/// Reads a type. The third part of an object, its optional attributes, says nothing about a value's form.
pub(crate) fn type_from_json(json: &[u8]) -> Result<Type, CodecError> {
    let json = serde_json::from_slice(json).map_err(|error| CodecError::new(format!("a type is broken: {error}")))?;
    from_json(&json, 0)
}

fn from_json(json: &Json, depth: usize) -> Result<Type, CodecError> {
    if depth > DEPTH_LIMIT {
        return Err(too_deep());
    }
    let inner = |json: &Json| from_json(json, depth + 1);
    let ty = match json {
        Json::String(name) => match name.as_str() {
            "bool" => Type::Bool,
            "number" => Type::Number,
            "string" => Type::String,
            "dynamic" => Type::Dynamic,
            _ => return Err(unknown(json)),
        },
        Json::Array(parts) => match (parts.first().and_then(Json::as_str), parts.get(1)) {
            (Some("list"), Some(element)) => Type::list(inner(element)?),
            (Some("set"), Some(element)) => Type::set(inner(element)?),
            (Some("map"), Some(element)) => Type::map(inner(element)?),
            (Some("object"), Some(Json::Object(attributes))) => Type::Object(
                attributes
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), inner(ty)?)))
                    .collect::<Result<BTreeMap<_, _>, CodecError>>()?,
            ),
            (Some("tuple"), Some(Json::Array(elements))) => {
                Type::Tuple(elements.iter().map(inner).collect::<Result<_, _>>()?)
            }
            _ => return Err(unknown(json)),
        },
        _ => return Err(unknown(json)),
    };
    Ok(ty)
}

fn unknown(json: &Json) -> CodecError {
    let mut text = json.to_string();
    text.truncate(text.floor_char_boundary(200));
    CodecError::new(format!("`{text}` is no type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_reads_back_as_it_was_written() {
        let ty = Type::object([
            ("a", Type::list(Type::set(Type::map(Type::Dynamic)))),
            ("b", Type::Tuple(vec![Type::Bool, Type::Number, Type::String])),
        ]);
        let json = type_to_json(&ty);
        assert_eq!(
            String::from_utf8_lossy(&json),
            r#"["object",{"a":["list",["set",["map","dynamic"]]],"b":["tuple",["bool","number","string"]]}]"#
        );
        assert_eq!(type_from_json(&json).unwrap(), ty);
    }

    #[test]
    fn optional_attributes_of_an_object_are_accepted() {
        let ty = type_from_json(br#"["object",{"a":"bool"},["a"]]"#).unwrap();
        assert_eq!(ty, Type::object([("a", Type::Bool)]));
    }

    #[test]
    fn what_is_no_type_is_refused() {
        for text in [
            "",
            "1",
            r#""text""#,
            r#"["list"]"#,
            r#"["object",[]]"#,
            r#"{"a":"bool"}"#,
        ] {
            assert!(type_from_json(text.as_bytes()).is_err(), "{text}");
        }
        let deep = format!("{}\"bool\"{}", r#"["list","#.repeat(120), "]".repeat(120));
        assert!(type_from_json(deep.as_bytes()).unwrap_err().reason.contains("deeper"));
    }
}
