//! From prior state, configuration and Terraform's proposal to a plan, in the order that users of Terraform know:
//! defaults, write-only to null, computed to unknown where something changes, `keep`, `replace`. Pure.

mod nested;
mod propose;
mod settle;

use std::collections::BTreeSet;

pub(crate) use propose::propose;
pub(crate) use settle::{forget_write_only, normalise, reconcile, settle};

use crate::path::Path;
use crate::schema::{Block, Kind};
use crate::value::Value;

/// The planned state and what needs a new resource. All values are normalised; `proposed` is not null.
pub(crate) fn plan(block: &Block, prior: &Value, config: &Value, proposed: Value) -> (Value, BTreeSet<Path>) {
    let mut planned = proposed;
    let effective = with_defaults(block, config.clone());
    fill_defaults(block, prior, config, &effective, &mut planned);
    forget_write_only(block, &mut planned);
    normalise(block, &mut planned);
    if planned != *prior {
        mark_unknown(block, &effective, &mut planned);
    }
    let mut replace = BTreeSet::new();
    keep_and_replace(block, prior, &effective, &mut planned, &Path::root(), &mut replace);
    (planned, replace)
}

/// The configuration with every default in the place of null.
pub(crate) fn with_defaults(block: &Block, mut config: Value) -> Value {
    if let Value::Map(values) = &mut config {
        for attribute in &block.attributes {
            let Some(value) = values.get_mut(&attribute.name) else {
                continue;
            };
            if let (Value::Null, Some(default)) = (&*value, &attribute.default) {
                *value = default.clone();
            }
            if let Kind::Nested(nesting, inner) = &attribute.kind {
                nested::each_mut(*nesting, value, &mut |element| {
                    *element = with_defaults(inner, std::mem::take(element))
                });
            }
        }
        for inner in &block.blocks {
            if let Some(value) = values.get_mut(&inner.name) {
                nested::each_mut(inner.nesting, value, &mut |element| {
                    *element = with_defaults(&inner.block, std::mem::take(element));
                });
            }
        }
    }
    config
}

/// Puts defaults into the plan where the configuration has null; what is computed inside a default comes from the
/// prior state, as Terraform does it for what is configured.
fn fill_defaults(block: &Block, prior: &Value, config: &Value, effective: &Value, planned: &mut Value) {
    if let Value::Map(values) = planned {
        for attribute in &block.attributes {
            let name = &attribute.name;
            if attribute.default.is_some() && config.attribute(name).is_null() {
                let value = propose::of_kind(&attribute.kind, prior.attribute(name), effective.attribute(name));
                values.insert(name.clone(), value);
            }
        }
    }
    nested::each(
        block,
        [prior, config, effective],
        planned,
        &Path::root(),
        &mut |inner, [prior, config, effective], planned, _| {
            fill_defaults(inner, prior, config, effective, planned);
        },
    );
}

fn mark_unknown(block: &Block, config: &Value, planned: &mut Value) {
    if let Value::Map(values) = planned {
        for attribute in &block.attributes {
            if attribute.presence.is_computed() && config.attribute(&attribute.name).is_null() {
                values.insert(attribute.name.clone(), Value::Unknown);
            }
        }
    }
    nested::each(
        block,
        [&Value::Null, config, config],
        planned,
        &Path::root(),
        &mut |inner, [_, config, _], planned, _| {
            mark_unknown(inner, config, planned);
        },
    );
}

/// Both concern what is there already: an object that is new, alone or within another, has nothing to keep, and a
/// `replace` in it replaces nothing.
fn keep_and_replace(
    block: &Block,
    prior: &Value,
    config: &Value,
    planned: &mut Value,
    at: &Path,
    replace: &mut BTreeSet<Path>,
) {
    if let (Value::Map(before), Value::Map(values)) = (prior, &mut *planned) {
        for attribute in &block.attributes {
            let (Some(before), Some(value)) = (before.get(&attribute.name), values.get_mut(&attribute.name)) else {
                continue;
            };
            if attribute.keep && value.is_unknown() && !config.attribute(&attribute.name).is_unknown() {
                value.clone_from(before);
            }
            if attribute.replace && value != before {
                replace.insert(at.attribute(&attribute.name));
            }
        }
    }
    nested::each(
        block,
        [prior, config, config],
        planned,
        at,
        &mut |inner, [prior, config, _], planned, at| {
            keep_and_replace(inner, prior, config, planned, at, replace);
        },
    );
}

#[cfg(test)]
mod tests;
