//! What can be wrong with a contract, in words that end in a fix.

use std::fmt;

use crate::{Protocol, View};

/// Why a contract cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// Fields hold values that no endpoint can have. All of them are listed, in the order of the document.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// The endpoint exists but cannot be reached from the side that was asked for.
    #[error(
        "the {protocol} endpoint has no `{view}` view: nothing says where a {} reaches it. To fix: {}",
        asker(*.view),
        other_view(*.view, *.protocol)
    )]
    MissingView {
        /// The endpoint.
        protocol: Protocol,
        /// The side that was asked for.
        view: View,
    },
}

/// One wrong field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it is, in the contract's own field names: `postgres`, `host`, `port`.
    pub path: Vec<Step>,
    /// What is wrong, with the value that was found.
    pub what: String,
    /// What to do about it; an imperative sentence without the leading "To fix:" and without a full stop.
    pub fix: String,
}

/// One step of a path into a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A field, named as in the document (`sslMode`).
    Field(&'static str),
    /// An element of a list, counted from 0.
    Index(usize),
}

impl Problem {
    /// The path as text: `postgres.host.port`, `s3.buckets[1]`.
    #[must_use]
    pub fn path_text(&self) -> String {
        let mut text = String::new();
        for step in &self.path {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Step::Index(index) => text.push_str(&format!("[{index}]")),
            }
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. To fix: {}", self.path_text(), self.what, self.fix)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n")
}

fn asker(view: View) -> &'static str {
    match view {
        View::Host => "process on the host",
        View::Cluster => "pod",
    }
}

fn other_view(view: View, protocol: Protocol) -> String {
    match view {
        View::Host => format!("set `{protocol}.host`, or ask for `view: cluster`"),
        View::Cluster => format!(
            "set `cluster_access` of `mlplat_local_services` to the address of this machine at which pods reach it, or \
             `{protocol}.cluster` in the `endpoints` of `mlplat_environment`, and apply; or ask for `view: host` when the \
             application runs on the host"
        ),
    }
}

/// Gathers problems while a contract is walked, and knows where the walk is.
pub(crate) struct Checker {
    path: Vec<Step>,
    problems: Vec<Problem>,
}

impl Checker {
    pub(crate) fn new() -> Self {
        Self {
            path: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Walks into a field.
    pub(crate) fn field(&mut self, name: &'static str, check: impl FnOnce(&mut Self)) {
        self.at(Step::Field(name), check);
    }

    /// Walks into an element of a list.
    pub(crate) fn index(&mut self, index: usize, check: impl FnOnce(&mut Self)) {
        self.at(Step::Index(index), check);
    }

    fn at(&mut self, step: Step, check: impl FnOnce(&mut Self)) {
        self.path.push(step);
        check(self);
        self.path.pop();
    }

    /// Notes a problem of the field the walk is in.
    pub(crate) fn problem(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem {
            path: self.path.clone(),
            what: what.into(),
            fix: fix.into(),
        });
    }

    pub(crate) fn finish(self) -> Result<(), ContractError> {
        if self.problems.is_empty() {
            Ok(())
        } else {
            Err(ContractError::Invalid(self.problems))
        }
    }
}
