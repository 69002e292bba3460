//! Values on the wire. Both encodings are read as the schema's type says, so an error names the attribute, and a
//! length that the sender claims is never believed before its bytes are there.

mod json;
mod msgpack;
mod types;

#[cfg(test)]
mod tests;

pub(crate) use types::{type_from_json, type_to_json};

use crate::{
    diagnostic::Diagnostic,
    generated::tfplugin6::DynamicValue,
    path::{Path, Step},
    types::Type,
    value::Value,
};

/// Deeper values are refused: no schema is this deep, and reading is recursive.
const DEPTH_LIMIT: usize = 100;

/// What is wrong with an encoded value, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodecError {
    /// Innermost step first.
    steps: Vec<Step>,
    reason: String,
}

impl CodecError {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            reason: reason.into(),
        }
    }

    /// The same error, seen from one level further out.
    fn inside(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// Where it happened.
    pub(crate) fn path(&self) -> Path {
        Path::from(self.steps.iter().rev().cloned().collect::<Vec<_>>())
    }

    /// For a value that Terraform sent.
    pub(crate) fn received(self, what: &str) -> Diagnostic {
        Diagnostic::error(format!("Terraform sent {what} that does not fit the provider's schema"))
            .detail(format!(
                "{}\nTo fix: run `terraform init -upgrade`; if that changes nothing, report this to the provider's \
                 authors.",
                self.reason
            ))
            .at(self.path())
    }

    /// For a value that the provider's code made.
    pub(crate) fn produced(self, what: &str) -> Diagnostic {
        Diagnostic::bug(format!(
            "It made {what} that does not fit its own schema: {}",
            self.reason
        ))
        .at(self.path())
    }
}

/// Reads a value. Nothing sent is a null value.
pub(crate) fn decode(value: Option<&DynamicValue>, ty: &Type) -> Result<Value, CodecError> {
    match value {
        Some(DynamicValue { msgpack, .. }) if !msgpack.is_empty() => msgpack::decode(msgpack, ty),
        Some(DynamicValue { json, .. }) if !json.is_empty() => json::decode(json, ty, json::Undefined::Refused),
        _ => Ok(Value::Null),
    }
}

/// Writes a value; Terraform reads MessagePack from every provider.
pub(crate) fn encode(value: &Value, ty: &Type) -> Result<DynamicValue, CodecError> {
    let mut msgpack = Vec::new();
    msgpack::encode(value, ty, &mut msgpack)?;
    Ok(DynamicValue {
        msgpack,
        json: Vec::new(),
    })
}

/// Reads stored state. Attributes that the schema has dropped since are passed over; new ones are null.
pub(crate) fn decode_stored(json: &[u8], ty: &Type) -> Result<Value, CodecError> {
    json::decode(json, ty, json::Undefined::Ignored)
}

fn expected(ty: &Type, found: &str) -> CodecError {
    CodecError::new(format!("expected {ty}, found {found}"))
}

fn too_deep() -> CodecError {
    CodecError::new(format!("nested deeper than {DEPTH_LIMIT} levels"))
}
