//! One variable of containers: set where it is, added where it is not.

use std::collections::HashSet;

use krm_fn::workload::Container;
use krm_fn::{EditError, Error, NodeKind, Value};

use crate::config::LogLevel;
use crate::meant::Meant;
use crate::work::Work;

/// A variable and what it is to say.
type Variable<'c> = (&'c str, &'c str);

/// Gives every container the variables of the entries that take it; of one variable the last entry decides.
pub(crate) fn apply(entries: &[LogLevel], work: &mut Work<'_>) -> Result<(), Error> {
    let mut meant = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let place = format!("spec.logLevels[{at}]");
        let known = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        let digit = entry.variable.starts_with(|first: char| first.is_ascii_digit());
        if entry.variable.is_empty() || digit || !entry.variable.bytes().all(known) {
            return Err(Error::refused(
                format!("{place}.variable: {:?} is no name of a variable", entry.variable),
                "write letters, digits, `_`, `-` and `.`, and no digit first: `LOG_LEVEL`",
            ));
        }
        meant.push(Meant::of_containers(place, &entry.selectors)?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let kinds = work.kinds;
    for object in work.stream.objects() {
        let mut containers = kinds.places(object).containers;
        containers.retain(|container| container.fields.env);
        let taken: Vec<HashSet<String>> = meant
            .iter_mut()
            .map(|meant| meant.containers(object, &containers))
            .collect();
        for container in &containers {
            let mut last: Vec<usize> = Vec::new();
            for at in (0..entries.len()).filter(|&at| taken[at].contains(&container.path)) {
                last.retain(|&earlier| entries[earlier].variable != entries[at].variable);
                last.push(at);
            }
            last.iter().for_each(|&at| meant[at].decides = true);
            let wanted: Vec<Variable<'_>> = last
                .iter()
                .map(|&at| (entries[at].variable.as_str(), entries[at].value.as_str()))
                .collect();
            let outcome = give(container, &wanted, work);
            work.note(object, &format!("{}.{}", container.path, container.key), outcome);
        }
    }
    work.tell_unused(&meant, "container", |object| kinds.is_workload(*object));
    Ok(())
}

fn give(container: &Container<'_>, wanted: &[Variable<'_>], work: &mut Work<'_>) -> Result<(), EditError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let entry = |(name, value): &Variable<'_>| Value::map([("name", *name), ("value", *value)]);
    let key = container.key.as_ref();
    // A kind of the user's own, whose mapping of variables is missing.
    let Some(holder) = container.holder else { return Ok(()) };
    // What a merge (`<<`) brings along counts: a list beside it would hide it.
    let list = holder.get(key).or_else(|| holder.at(&[key]));
    let Some(list) = list.filter(|list| !list.is_null()) else {
        let all = Value::Seq(wanted.iter().map(entry).collect());
        return work.edits.set(holder, key, &all);
    };
    let mut missing = Vec::new();
    let mut duplicates = Vec::new();
    for variable in wanted {
        let entries = list.resolve().items().enumerate();
        let mut there = entries.filter(|(_, node)| node.text_at(&["name"]).is_some_and(|name| name == variable.0));
        let Some((_, node)) = there.next() else {
            missing.push(entry(variable));
            continue;
        };
        // The kubelet takes the last of several, and the API server refuses them where fields are merged.
        duplicates.extend(there.map(|(at, _)| at));
        if node.at(&["valueFrom"]).is_some() {
            work.edits.replace(node, &entry(variable))?;
        } else {
            work.set(node, "value", &Value::from(variable.1))?;
        }
    }
    work.edits.remove(list, &duplicates)?;
    if missing.is_empty() {
        return Ok(());
    }
    if list.kind() == NodeKind::Seq && list.items().next().is_none() {
        return work.edits.set(holder, key, &Value::Seq(missing));
    }
    // First, so that what the others say may refer to it by `$(NAME)`.
    work.edits.insert(list, 0, &missing)
}
