//! What Terraform checks of a configuration, of a plan, and of what was applied.

use crate::codec;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::path::Path;
use crate::schema::{Block, Kind, Nesting, Presence};
use crate::types::Type;
use crate::value::Value;

/// The value can be sent.
pub(crate) fn fits(value: &Value, ty: &Type) -> Result<(), Diagnostics> {
    codec::encode(value, ty)
        .map(drop)
        .map_err(|error| error.produced("a value").into())
}

/// Required is there, read-only is not.
pub(crate) fn config(block: &Block, value: &Value) -> Diagnostics {
    let mut found = Diagnostics::none();
    objects(block, value, &Path::root(), &mut |block, value, at| {
        for attribute in &block.attributes {
            let (path, value) = (at.attribute(&attribute.name), value.attribute(&attribute.name));
            match attribute.presence {
                Presence::Required if value.is_null() => found.push(refused(&path, "the argument is required")),
                Presence::Computed if !value.is_null() => {
                    found.push(refused(&path, "the provider decides it; it cannot be set"));
                }
                _ => {}
            }
        }
        for inner in &block.blocks {
            if inner.min_items > 0 && value.attribute(&inner.name).is_null() {
                found.push(refused(&at.attribute(&inner.name), "the block is required"));
            }
        }
    });
    found
}

fn refused(at: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(format!("Terraform refuses `{at}`: {why}")).at(at)
}

fn objects(block: &Block, value: &Value, at: &Path, visit: &mut dyn FnMut(&Block, &Value, &Path)) {
    if !matches!(value, Value::Map(_)) {
        return;
    }
    visit(block, value, at);
    let attributes = block.attributes.iter().filter_map(|attribute| match &attribute.kind {
        Kind::Nested(nesting, inner) => Some((&attribute.name, *nesting, inner)),
        Kind::Plain(_) => None,
    });
    let blocks = block
        .blocks
        .iter()
        .map(|inner| (&inner.name, inner.nesting, &inner.block));
    for (name, nesting, inner) in attributes.chain(blocks) {
        let at = at.attribute(name);
        match (nesting, value.attribute(name)) {
            (Nesting::Single, value) => objects(inner, value, &at, visit),
            (Nesting::List, Value::List(elements)) => {
                elements
                    .iter()
                    .enumerate()
                    .for_each(|(i, value)| objects(inner, value, &at.index(i), visit));
            }
            (Nesting::Set, Value::List(elements)) => {
                elements.iter().for_each(|value| objects(inner, value, &at, visit));
            }
            (Nesting::Map, Value::Map(elements)) => {
                elements
                    .iter()
                    .for_each(|(key, value)| objects(inner, value, &at.key(key), visit));
            }
            _ => {}
        }
    }
}

/// Every attribute that is not computed is planned as configured, or stays what it was.
pub(crate) fn plan(block: &Block, prior: &Value, config: &Value, planned: &Value) -> Diagnostics {
    let mut found = Diagnostics::none();
    object(block, [prior, config, planned], &Path::root(), &mut found);
    found
}

fn invalid(at: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(format!("Provider produced invalid plan: `{at}`"))
        .detail(why)
        .at(at)
}

fn object(block: &Block, values: [&Value; 3], at: &Path, found: &mut Diagnostics) {
    let [_, config, planned] = values;
    match (config, planned) {
        (Value::Map(_), Value::Map(_)) => {}
        _ if config == planned => return,
        _ => return found.push(invalid(at, "the object is not what is configured")),
    }
    for attribute in &block.attributes {
        let at = at.attribute(&attribute.name);
        let [prior, config, planned] = values.map(|value| value.attribute(&attribute.name));
        if attribute.write_only {
            if !planned.is_null() {
                found.push(invalid(&at, "a write-only value is planned"));
            }
        } else if planned == config || (config.is_null() && attribute.presence.is_computed()) {
        } else if config.is_null() {
            found.push(invalid(
                &at,
                "a value is planned that nobody configured, and it is not computed",
            ));
        } else if let Kind::Nested(nesting, inner) = &attribute.kind {
            nested(*nesting, inner, [prior, config, planned], &at, found);
        } else if prior.is_null() || planned != prior {
            found.push(invalid(
                &at,
                "the planned value is neither the configured one nor the prior one",
            ));
        }
    }
    for inner in &block.blocks {
        let at = at.attribute(&inner.name);
        nested(
            inner.nesting,
            &inner.block,
            values.map(|value| value.attribute(&inner.name)),
            &at,
            found,
        );
    }
}

fn nested(nesting: Nesting, block: &Block, values: [&Value; 3], at: &Path, found: &mut Diagnostics) {
    let [prior, config, planned] = values;
    match (nesting, config, planned) {
        (Nesting::Single, _, _) => object(block, values, at, found),
        (Nesting::List, Value::List(configs), Value::List(plans)) if configs.len() == plans.len() => {
            for (i, (config, planned)) in configs.iter().zip(plans).enumerate() {
                let prior = prior.at(&Path::root().index(i));
                object(block, [prior, config, planned], &at.index(i), found);
            }
        }
        (Nesting::Map, Value::Map(configs), Value::Map(plans)) if configs.keys().eq(plans.keys()) => {
            for (key, config) in configs {
                let values = [prior.attribute(key), config, planned.attribute(key)];
                object(block, values, &at.key(key), found);
            }
        }
        (Nesting::Set, Value::List(configs), Value::List(plans)) if configs.len() == plans.len() => {
            for planned in plans {
                let from = |config: &&Value| {
                    let mut errors = Diagnostics::none();
                    object(block, [&Value::Null, config, planned], at, &mut errors);
                    errors.is_empty()
                };
                if !configs.iter().any(|config| from(&config)) {
                    found.push(invalid(at, "a planned element comes from no configured one"));
                }
            }
        }
        _ if config == planned => {}
        _ => found.push(invalid(at, "the planned elements are not the configured ones")),
    }
}

/// What was planned has come: only what was unknown may be anything.
pub(crate) fn applied(ty: &Type, planned: &Value, actual: &Value) -> Diagnostics {
    let mut found = Diagnostics::none();
    came(ty, planned, actual, &Path::root(), &mut found);
    found
}

fn came(ty: &Type, planned: &Value, actual: &Value, at: &Path, found: &mut Diagnostics) {
    match (ty, planned, actual) {
        (_, Value::Unknown, _) => {}
        (Type::Object(types), Value::Map(_), Value::Map(_)) => {
            for (name, ty) in types {
                came(
                    ty,
                    planned.attribute(name),
                    actual.attribute(name),
                    &at.attribute(name),
                    found,
                );
            }
        }
        (Type::Map(element), Value::Map(plans), Value::Map(actuals)) if plans.keys().eq(actuals.keys()) => {
            for (key, planned) in plans {
                came(element, planned, actual.attribute(key), &at.key(key), found);
            }
        }
        (Type::List(element), Value::List(plans), Value::List(actuals)) if plans.len() == actuals.len() => {
            for (i, (planned, actual)) in plans.iter().zip(actuals).enumerate() {
                came(element, planned, actual, &at.index(i), found);
            }
        }
        (Type::Set(element), Value::List(plans), Value::List(actuals)) if plans.len() == actuals.len() => {
            for planned in plans {
                let is_it = |actual: &&Value| {
                    let mut errors = Diagnostics::none();
                    came(element, planned, actual, at, &mut errors);
                    errors.is_empty()
                };
                if !actuals.iter().any(|actual| is_it(&actual)) {
                    found.push(inconsistent(at));
                }
            }
        }
        (_, planned, actual) if planned == actual => {}
        _ => found.push(inconsistent(at)),
    }
}

fn inconsistent(at: &Path) -> Diagnostic {
    Diagnostic::error(format!("Provider produced inconsistent result after apply: `{at}`"))
        .detail("The value is not the planned one.")
        .at(at)
}
