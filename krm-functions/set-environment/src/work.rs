//! What every part works on: edits that do nothing where nothing is to change, and errors that name object and field.

use krm_fn::selector::{Candidates, OnNoMatch};
use krm_fn::workload::Kinds;
use krm_fn::{EditError, Edits, Finding, Findings, Node, Object, Severity, Stream, Value};

use crate::meant::Meant;

/// The objects, and what is to become of them.
#[derive(Debug)]
pub(crate) struct Work<'a> {
    pub(crate) stream: &'a Stream,
    pub(crate) kinds: &'a Kinds,
    pub(crate) on_no_match: OnNoMatch,
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

    /// Notes what is wrong with entries that took no object, or have names that none has.
    pub(crate) fn tell_unused<'m, 'c: 'm>(
        &mut self,
        entries: impl IntoIterator<Item = &'m Meant<'c>>,
        what: &str,
        is_candidate: impl Fn(&Object<'_>) -> bool,
    ) {
        for entry in entries {
            let candidates = || {
                let mut candidates = Candidates::default();
                for object in self.stream.objects().filter(|object| is_candidate(object)) {
                    candidates.add(object, &self.kinds.places(object).containers);
                }
                candidates
            };
            for problem in entry.problems(self.on_no_match, what, candidates) {
                self.findings.push(problem);
            }
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
