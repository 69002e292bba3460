//! The objects nested in an object, each with its counterparts in the prior state and in the configuration.

use std::cmp::Reverse;

use crate::path::Path;
use crate::schema::{Attribute, Block, Kind, Nesting};
use crate::value::Value;

/// What is called for each nested object: its block, its counterparts, itself, its path.
type Visit<'a> = dyn FnMut(&Block, [&Value; 3], &mut Value, &Path) + 'a;

/// Visits the objects directly nested in `planned` that the configuration has too. The counterparts are
/// [prior, config, effective config]; prior is null for what is new.
pub(crate) fn each(block: &Block, around: [&Value; 3], planned: &mut Value, at: &Path, visit: &mut Visit<'_>) {
    let Value::Map(values) = planned else { return };
    let attributes = block.attributes.iter().filter_map(|attribute| match &attribute.kind {
        Kind::Nested(nesting, inner) => Some((&attribute.name, *nesting, inner)),
        Kind::Plain(_) => None,
    });
    let blocks = block
        .blocks
        .iter()
        .map(|inner| (&inner.name, inner.nesting, &inner.block));
    for (name, nesting, inner) in attributes.chain(blocks) {
        if let Some(value) = values.get_mut(name) {
            elements(
                nesting,
                inner,
                around.map(|value| value.attribute(name)),
                value,
                &at.attribute(name),
                visit,
            );
        }
    }
}

fn elements(
    nesting: Nesting,
    block: &Block,
    around: [&Value; 3],
    planned: &mut Value,
    at: &Path,
    visit: &mut Visit<'_>,
) {
    let mut one = |around: [&Value; 3], planned: &mut Value, at: &Path| {
        if let (Value::Map(_), Value::Map(_)) = (around[2], &planned) {
            visit(block, around, planned, at);
        }
    };
    match (nesting, planned) {
        (Nesting::Single, planned) => one(around, planned, at),
        (Nesting::List, Value::List(elements)) => {
            for (i, element) in elements.iter_mut().enumerate() {
                one(around.map(|value| index(value, i)), element, &at.index(i));
            }
        }
        (Nesting::Map, Value::Map(elements)) => {
            for (key, element) in elements {
                one(around.map(|value| value.attribute(key)), element, &at.key(key));
            }
        }
        (Nesting::Set, Value::List(elements)) => {
            let [prior, config, effective] = around;
            let mut claimed = Claimed::default();
            for element in elements {
                let Some(i) = claimed.find(config, |candidate| corresponds(block, candidate, element)) else {
                    continue;
                };
                // Defaults leave the number of elements as it is, and their order.
                let (config, effective) = (index(config, i), index(effective, i));
                let prior = find(prior, |candidate| corresponds(block, effective, candidate)).unwrap_or(&Value::Null);
                one([prior, config, effective], element, at);
            }
        }
        _ => {}
    }
}

fn index(value: &Value, i: usize) -> &Value {
    match value {
        Value::List(elements) => elements.get(i).unwrap_or(&Value::Null),
        Value::Unknown => &Value::Unknown,
        _ => &Value::Null,
    }
}

pub(crate) fn find(set: &Value, matches: impl Fn(&Value) -> bool) -> Option<&Value> {
    match set {
        Value::List(elements) => elements.iter().find(|element| matches(element)),
        _ => None,
    }
}

/// The elements of a set that have found their counterpart: each is one's only.
#[derive(Default)]
pub(crate) struct Claimed(Vec<usize>);

impl Claimed {
    /// Of the free elements that match, the one that says most: `{a, 9}` comes from `{a, 9}` rather than from `{a}`.
    pub(crate) fn find(&mut self, set: &Value, matches: impl Fn(&Value) -> bool) -> Option<usize> {
        let Value::List(elements) = set else { return None };
        let free = (0..elements.len()).filter(|i| !self.0.contains(i) && matches(&elements[*i]));
        let found = free.max_by_key(|i| (said(&elements[*i]), Reverse(*i)))?;
        self.0.push(found);
        Some(found)
    }
}

/// How many values are given.
fn said(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::List(elements) => elements.iter().map(said).sum(),
        Value::Map(values) => values.values().map(said).sum(),
        _ => 1,
    }
}

/// `other` may have come from this configuration: they differ only in what the provider gives.
pub(crate) fn corresponds(block: &Block, config: &Value, other: &Value) -> bool {
    match (config, other) {
        (Value::Map(_), Value::Map(_)) => {
            block.attributes.iter().all(|attribute| {
                may_come_from(
                    attribute,
                    config.attribute(&attribute.name),
                    other.attribute(&attribute.name),
                )
            }) && block.blocks.iter().all(|inner| {
                let (config, other) = (config.attribute(&inner.name), other.attribute(&inner.name));
                elements_correspond(inner.nesting, &inner.block, config, other)
            })
        }
        (config, other) => config == other,
    }
}

fn may_come_from(attribute: &Attribute, config: &Value, other: &Value) -> bool {
    if attribute.write_only || config.is_unknown() || (config.is_null() && attribute.presence.is_computed()) {
        return true;
    }
    match &attribute.kind {
        Kind::Plain(_) => config == other,
        Kind::Nested(nesting, block) => elements_correspond(*nesting, block, config, other),
    }
}

fn elements_correspond(nesting: Nesting, block: &Block, config: &Value, other: &Value) -> bool {
    match (nesting, config, other) {
        (Nesting::List, Value::List(configs), Value::List(others)) => {
            configs.len() == others.len()
                && configs
                    .iter()
                    .zip(others)
                    .all(|(config, other)| corresponds(block, config, other))
        }
        (Nesting::Set, Value::List(configs), others @ Value::List(elements)) => {
            let mut claimed = Claimed::default();
            configs.len() == elements.len()
                && configs.iter().all(|config| {
                    claimed
                        .find(others, |other| corresponds(block, config, other))
                        .is_some()
                })
        }
        (Nesting::Map, Value::Map(configs), Value::Map(others)) => {
            configs.len() == others.len()
                && configs
                    .iter()
                    .all(|(key, config)| others.get(key).is_some_and(|other| corresponds(block, config, other)))
        }
        (_, config, other) => corresponds(block, config, other),
    }
}

/// Calls `visit` for each object of a nested value.
pub(crate) fn each_mut(nesting: Nesting, value: &mut Value, visit: &mut dyn FnMut(&mut Value)) {
    match (nesting, value) {
        (Nesting::Single, value @ Value::Map(_)) => visit(value),
        (Nesting::List | Nesting::Set, Value::List(elements)) => elements.iter_mut().for_each(visit),
        (Nesting::Map, Value::Map(elements)) => elements.values_mut().for_each(visit),
        _ => {}
    }
}
