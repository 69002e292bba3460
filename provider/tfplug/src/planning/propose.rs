//! What Terraform proposes to a provider: the configuration, and in the computed attributes that it leaves out what the
//! prior state has there.

use std::collections::BTreeMap;

use crate::planning::nested::{Claimed, corresponds};
use crate::schema::{Attribute, Block, Kind, Nesting, Presence};
use crate::value::Value;

/// The proposed state of one object; a null `prior` is one that is to be created.
pub(crate) fn propose(block: &Block, prior: &Value, config: &Value) -> Value {
    let Value::Map(_) = config else { return config.clone() };
    let mut proposed = BTreeMap::new();
    for attribute in &block.attributes {
        let (prior, config) = (prior.attribute(&attribute.name), config.attribute(&attribute.name));
        let value = if attribute.presence.is_computed() && config.is_null() {
            if was_configured(attribute, prior) {
                Value::Null
            } else {
                prior.clone()
            }
        } else {
            of_kind(&attribute.kind, prior, config)
        };
        proposed.insert(attribute.name.clone(), value);
    }
    for inner in &block.blocks {
        let (prior, config) = (prior.attribute(&inner.name), config.attribute(&inner.name));
        proposed.insert(inner.name.clone(), nested(inner.nesting, &inner.block, prior, config));
    }
    Value::Map(proposed)
}

/// The proposed value of one attribute.
pub(crate) fn of_kind(kind: &Kind, prior: &Value, config: &Value) -> Value {
    match kind {
        Kind::Plain(_) => config.clone(),
        Kind::Nested(nesting, block) => nested(*nesting, block, prior, config),
    }
}

fn nested(nesting: Nesting, block: &Block, prior: &Value, config: &Value) -> Value {
    match (nesting, config) {
        (Nesting::Single, config) => propose(block, prior, config),
        (Nesting::List, Value::List(configs)) => {
            let of = |(i, config)| match prior {
                Value::List(priors) => propose(block, priors.get(i).unwrap_or(&Value::Null), config),
                _ => propose(block, &Value::Null, config),
            };
            Value::List(configs.iter().enumerate().map(of).collect())
        }
        (Nesting::Map, Value::Map(configs)) => Value::Map(
            configs
                .iter()
                .map(|(key, config)| (key.clone(), propose(block, prior.attribute(key), config)))
                .collect(),
        ),
        (Nesting::Set, Value::List(configs)) => {
            let mut claimed = Claimed::default();
            let of = |config| {
                let found = claimed.find(prior, |prior| corresponds(block, config, prior));
                match (prior, found) {
                    (Value::List(priors), Some(i)) => propose(block, &priors[i], config),
                    _ => propose(block, &Value::Null, config),
                }
            };
            Value::List(configs.iter().map(of).collect())
        }
        (_, config) => config.clone(),
    }
}

/// The prior value holds what only the user can give, so that it was in the configuration and has been taken out.
fn was_configured(attribute: &Attribute, prior: &Value) -> bool {
    match &attribute.kind {
        Kind::Nested(nesting, block) if attribute.presence == Presence::OptionalComputed => {
            holds_configured(*nesting, block, prior)
        }
        _ => false,
    }
}

fn holds_configured(nesting: Nesting, block: &Block, value: &Value) -> bool {
    let object = |object: &Value| {
        block.attributes.iter().any(|attribute| {
            let value = object.attribute(&attribute.name);
            if value.is_null() {
                return false;
            }
            match &attribute.kind {
                _ if !attribute.presence.is_computed() => true,
                Kind::Nested(nesting, block) => holds_configured(*nesting, block, value),
                Kind::Plain(_) => false,
            }
        })
    };
    match (nesting, value) {
        (Nesting::Single, value) => object(value),
        (Nesting::List | Nesting::Set, Value::List(elements)) => elements.iter().any(object),
        (Nesting::Map, Value::Map(elements)) => elements.values().any(object),
        _ => false,
    }
}
