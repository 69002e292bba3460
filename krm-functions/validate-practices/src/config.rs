//! The `spec` of kind ValidatePractices, as the user writes it.

use std::collections::BTreeMap;

use krm_fn::{Output, Severity, selector, workload};
use serde::Deserialize;

use crate::date::Date;
use crate::rules::RuleName;

/// Which rules hold, how much they matter, and who is excused. Every field may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Config {
    /// What a successful run answers.
    pub(crate) output: Output,
    /// The day that waivers are held against; without it, that of this machine's clock in UTC.
    pub(crate) today: Option<Date>,
    /// How much a rule matters; a rule that is not named is an error.
    pub(crate) rules: BTreeMap<RuleName, Level>,
    /// Exceptions.
    pub(crate) waivers: Vec<Waiver>,
    /// Kinds of workloads besides the known ones, and places besides those that are known, in the words of
    /// servicebinding.io's ClusterWorkloadResourceMapping.
    pub(crate) workloads: Vec<workload::Spec>,
    /// What to do when a name that selects something matches nothing: of a waiver's selector, or a kind of `workloads`.
    pub(crate) on_no_match: selector::OnNoMatch,
}

/// How much a rule matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// The run fails.
    #[default]
    Error,
    /// It is said on stderr.
    Warning,
    /// It stands in the results only.
    Info,
    /// The rule is disabled.
    Off,
}

impl Level {
    /// `None`: the rule is not looked at.
    pub(crate) fn severity(self) -> Option<Severity> {
        match self {
            Self::Error => Some(Severity::Error),
            Self::Warning => Some(Severity::Warning),
            Self::Info => Some(Severity::Info),
            Self::Off => None,
        }
    }
}

/// An exception to one rule.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Waiver {
    /// The rule that is not met.
    pub(crate) rule: RuleName,
    /// Who is excused: an object that one of them means.
    pub(crate) selectors: Vec<selector::Spec>,
    /// Patterns for the variables that are excused, of `plain-secret` and of `duplicate-names`; none = all.
    #[serde(default)]
    pub(crate) variables: Vec<String>,
    /// Why; for the next reader.
    pub(crate) reason: String,
    /// The last day on which it holds.
    pub(crate) expires: Date,
}
