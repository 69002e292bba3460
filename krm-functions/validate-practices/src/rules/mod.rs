//! The rules: one file for each, and one line in the table.

mod duplicate_names;
mod host_namespaces;
mod host_path;
mod liveness_probe;
mod network_policy;
mod pinned_image;
mod plain_secret;
mod pod_disruption_budget;
mod privilege_escalation;
mod privileged;
mod rbac_wildcard;
mod readiness_probe;
mod resource_limits;
mod resource_requests;
mod run_as_non_root;
mod service_account_token;

use krm_fn::workload::Container;
use serde::de::{Deserialize, Deserializer, Error as _};

use crate::cluster::{Cluster, Subject, Workload};

/// A rule: its name in configurations and messages, and what looks for violations of it.
struct Rule {
    name: &'static str,
    check: for<'a> fn(&Cluster<'a>, &mut Report<'a>),
}

/// In the order in which an object's violations are told.
#[rustfmt::skip]
const RULES: [Rule; 16] = [
    Rule { name: "resource-requests", check: resource_requests::check },
    Rule { name: "resource-limits", check: resource_limits::check },
    Rule { name: "liveness-probe", check: liveness_probe::check },
    Rule { name: "readiness-probe", check: readiness_probe::check },
    Rule { name: "run-as-non-root", check: run_as_non_root::check },
    Rule { name: "privileged", check: privileged::check },
    Rule { name: "privilege-escalation", check: privilege_escalation::check },
    Rule { name: "host-path", check: host_path::check },
    Rule { name: "host-namespaces", check: host_namespaces::check },
    Rule { name: "pinned-image", check: pinned_image::check },
    Rule { name: "plain-secret", check: plain_secret::check },
    Rule { name: "duplicate-names", check: duplicate_names::check },
    Rule { name: "network-policy", check: network_policy::check },
    Rule { name: "pod-disruption-budget", check: pod_disruption_budget::check },
    Rule { name: "service-account-token", check: service_account_token::check },
    Rule { name: "rbac-wildcard", check: rbac_wildcard::check },
];

/// The names of the table.
const NAMES: [&str; RULES.len()] = {
    let mut names = [""; RULES.len()];
    let mut at = 0;
    while at < RULES.len() {
        names[at] = RULES[at].name;
        at += 1;
    }
    names
};

/// A rule by its number in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleName(usize);

impl RuleName {
    /// Every rule.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..RULES.len()).map(Self)
    }

    pub(crate) fn as_str(self) -> &'static str {
        NAMES[self.0]
    }

    /// Whether what the rule finds are variables of containers, so that a waiver can name them.
    pub(crate) fn is_of_variables(self) -> bool {
        matches!(self.as_str(), "plain-secret" | "duplicate-names")
    }
}

impl<'de> Deserialize<'de> for RuleName {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let number = NAMES.iter().position(|name| *name == text);
        number.map(Self).ok_or_else(|| D::Error::unknown_variant(&text, &NAMES))
    }
}

/// One thing that is not as a rule wants it.
#[derive(Debug)]
pub(crate) struct Violation<'a> {
    pub(crate) rule: RuleName,
    pub(crate) subject: Subject<'a>,
    /// The container, where the violation is one of a container.
    pub(crate) container: Option<Container<'a>>,
    /// The variable, where the violation is one of a variable.
    pub(crate) variable: Option<String>,
    /// The path of the field.
    pub(crate) field: String,
    /// What is wrong; no full stop.
    pub(crate) problem: String,
    /// What to do about it; no full stop.
    pub(crate) fix: &'static str,
}

/// The violations of a rule.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    rule: RuleName,
    violations: Vec<Violation<'a>>,
}

impl<'a> Report<'a> {
    /// What a rule finds.
    pub(crate) fn of(rule: RuleName, cluster: &Cluster<'a>) -> Vec<Violation<'a>> {
        let mut report = Self {
            rule,
            violations: Vec::new(),
        };
        (RULES[rule.0].check)(cluster, &mut report);
        report.violations
    }

    /// About a field of an object.
    fn object(
        &mut self,
        subject: Subject<'a>,
        field: impl Into<String>,
        problem: impl Into<String>,
        fix: &'static str,
    ) {
        self.violations.push(Violation {
            rule: self.rule,
            subject,
            container: None,
            variable: None,
            field: field.into(),
            problem: problem.into(),
            fix,
        });
    }

    /// The violation that was noted last is one of this variable.
    fn of_variable(&mut self, name: impl Into<String>) {
        if let Some(violation) = self.violations.last_mut() {
            violation.variable = Some(name.into());
        }
    }

    /// About a field of a pod's specification.
    fn pod(&mut self, workload: &Workload<'a>, field: &str, problem: impl Into<String>, fix: &'static str) {
        self.object(workload.subject, format!("{}.{field}", workload.path), problem, fix);
    }

    /// About a field of a container.
    fn container(
        &mut self,
        workload: &Workload<'a>,
        container: &Container<'a>,
        field: &str,
        problem: impl Into<String>,
        fix: &'static str,
    ) {
        self.container_of(workload.subject, container, field, problem, fix);
    }

    /// About a field of a container that may stand in no pod's specification.
    fn container_of(
        &mut self,
        subject: Subject<'a>,
        container: &Container<'a>,
        field: &str,
        problem: impl Into<String>,
        fix: &'static str,
    ) {
        self.object(subject, format!("{}.{field}", container.path), problem, fix);
        if let Some(violation) = self.violations.last_mut() {
            violation.container = Some(container.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    const GUIDE: &str = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/guides/validate-practices.md"
    ));

    #[test]
    fn the_guide_explains_every_rule() {
        for name in NAMES {
            assert!(GUIDE.contains(&format!("| `{name}` |")), "{name}");
        }
    }

    #[test]
    fn the_first_example_of_the_guide_is_a_case() {
        for part in [
            include_str!("../../cases/the_example_of_the_guide/config.yaml"),
            include_str!("../../cases/the_example_of_the_guide/error.txt"),
        ] {
            assert!(GUIDE.contains(part), "{part}");
        }
    }
}
