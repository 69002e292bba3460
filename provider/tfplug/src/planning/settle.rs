//! The last touch on what goes to Terraform: write-only values leave, sets get their one order, numbers keep the digits
//! that the user wrote, and an unknown value where none may be is told.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::planning::nested::each_mut;
use crate::schema::{Block, Kind, Nesting};
use crate::types::Type;
use crate::value::Value;

/// What a handler returned, made ready for the state. Unknown parts are a bug, told by name, and become null.
pub(crate) fn settle(
    block: &Block,
    mut value: Value,
    reference: &Value,
    name: &str,
    diagnostics: &mut Diagnostics,
) -> Value {
    forget_write_only(block, &mut value);
    for path in value.unknown_paths() {
        diagnostics.push(
            Diagnostic::bug(format!(
                "`{name}` says after the operation that `{path}` is not known yet. The rest of the result is kept."
            ))
            .at(path),
        );
    }
    let mut value = value.unknown_as_null();
    normalise(block, &mut value);
    reconcile(&mut value, reference);
    value
}

/// Write-only attributes are null in every plan and state.
pub(crate) fn forget_write_only(block: &Block, value: &mut Value) {
    let Value::Map(values) = value else { return };
    for attribute in &block.attributes {
        let Some(value) = values.get_mut(&attribute.name) else {
            continue;
        };
        if attribute.write_only {
            *value = Value::Null;
        } else if let Kind::Nested(nesting, inner) = &attribute.kind {
            each_mut(*nesting, value, &mut |element| forget_write_only(inner, element));
        }
    }
    for inner in &block.blocks {
        if let Some(value) = values.get_mut(&inner.name) {
            each_mut(inner.nesting, value, &mut |element| {
                forget_write_only(&inner.block, element)
            });
        }
    }
}

/// Gives sets one order, so that equal ones are equal values; a block that is nowhere is an empty collection.
pub(crate) fn normalise(block: &Block, value: &mut Value) {
    let Value::Map(values) = value else { return };
    for attribute in &block.attributes {
        let Some(value) = values.get_mut(&attribute.name) else {
            continue;
        };
        match &attribute.kind {
            Kind::Plain(ty) => sort_plain(ty, value),
            Kind::Nested(nesting, inner) => {
                each_mut(*nesting, value, &mut |element| normalise(inner, element));
                if *nesting == Nesting::Set {
                    sort(value);
                }
            }
        }
    }
    for inner in &block.blocks {
        let Some(value) = values.get_mut(&inner.name) else {
            continue;
        };
        if value.is_null() && inner.nesting != Nesting::Single {
            *value = Value::List(Vec::new());
        }
        each_mut(inner.nesting, value, &mut |element| normalise(&inner.block, element));
        if inner.nesting == Nesting::Set {
            sort(value);
        }
    }
}

fn sort_plain(ty: &Type, value: &mut Value) {
    match (ty, value) {
        (Type::Set(element), value @ Value::List(_)) => {
            if let Value::List(elements) = value {
                elements.iter_mut().for_each(|value| sort_plain(element, value));
            }
            sort(value);
        }
        (Type::List(element), Value::List(elements)) => {
            elements.iter_mut().for_each(|value| sort_plain(element, value));
        }
        (Type::Map(element), Value::Map(elements)) => {
            elements.values_mut().for_each(|value| sort_plain(element, value));
        }
        (Type::Object(attributes), Value::Map(values)) => {
            for (name, ty) in attributes {
                if let Some(value) = values.get_mut(name) {
                    sort_plain(ty, value);
                }
            }
        }
        (Type::Tuple(types), Value::List(elements)) => {
            types.iter().zip(elements).for_each(|(ty, value)| sort_plain(ty, value));
        }
        (Type::Dynamic, Value::Dynamic(dynamic)) => {
            let dynamic = &mut **dynamic;
            sort_plain(&dynamic.ty, &mut dynamic.value);
        }
        _ => {}
    }
}

fn sort(set: &mut Value) {
    if let Value::List(elements) = set {
        elements.sort_unstable();
        // Two unknown elements may turn out to be different ones.
        elements.dedup_by(|a, b| a == b && a.is_wholly_known());
    }
}

/// A number that went through a double comes back as the reference has it, when that is the same double.
pub(crate) fn reconcile(value: &mut Value, reference: &Value) {
    match (value, reference) {
        (Value::Number(number), Value::Number(wanted))
            if number.as_i64().is_none() && number.as_f64() == wanted.as_f64() =>
        {
            number.clone_from(wanted);
        }
        (Value::List(elements), Value::List(references)) => {
            elements
                .iter_mut()
                .zip(references)
                .for_each(|(value, reference)| reconcile(value, reference));
        }
        (Value::Map(values), Value::Map(references)) => {
            for (name, value) in values {
                if let Some(reference) = references.get(name) {
                    reconcile(value, reference);
                }
            }
        }
        (Value::Dynamic(dynamic), Value::Dynamic(reference)) => reconcile(&mut dynamic.value, &reference.value),
        _ => {}
    }
}
