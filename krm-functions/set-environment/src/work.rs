//! What every part works on: edits that do nothing where nothing is to change, and errors that name object and field.

use krm_fn::{EditError, Edits, Finding, Findings, Node, Object, Severity, Stream, Value};

/// The objects, and what is to become of them.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) edits: Edits,
    pub(crate) findings: Findings,
}

impl Work<'_> {
    /// Notes an error about a field of an object.
    pub(crate) fn refuse(&mut self, object: Object<'_>, field: &str, message: String) {
        let finding = Finding::new(Severity::Error, message).of(object).field(field);
        self.findings.push(finding.at(object.position()));
    }

    /// Notes an edit that cannot be made.
    pub(crate) fn note(&mut self, object: Object<'_>, field: &str, outcome: Result<(), EditError>) {
        if let Err(error) = outcome {
            let finding = Finding::new(Severity::Error, error.message).of(object).field(field);
            self.findings.push(finding.at(error.position));
        }
    }

    /// Sets `key` of `map`, unless it says so already.
    pub(crate) fn set(&mut self, map: Node<'_>, key: &str, value: &Value) -> Result<(), EditError> {
        if map.at(&[key]).is_some_and(|node| value.is_said_by(node)) {
            return Ok(());
        }
        self.edits.set(map, key, value)
    }

    /// Sets `entries` of the mapping at `key` of `map`, which is made where there is none.
    pub(crate) fn set_below(&mut self, map: Node<'_>, key: &str, entries: &[(String, Value)]) -> Result<(), EditError> {
        if entries.is_empty() {
            return Ok(());
        }
        match map.get(key).or_else(|| map.at(&[key])).filter(|node| !node.is_null()) {
            Some(below) => entries
                .iter()
                .filter(|(key, value)| !below.at(&[key]).is_some_and(|node| value.is_said_by(node)))
                .try_for_each(|(key, value)| self.edits.set(below, key, value)),
            None => self.edits.set(map, key, &Value::Map(entries.to_vec())),
        }
    }
}
