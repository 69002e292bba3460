//! The function: lets every rule look, excuses what is waived, tells the rest.

use krm_fn::workload::Kinds;
use krm_fn::{Context, Error, Finding, Function, Severity};

use crate::cluster::Cluster;
use crate::config::Config;
use crate::date::Date;
use crate::rules::{Report, RuleName};
use crate::waivers;

/// See the module.
#[derive(Debug)]
pub(crate) struct ValidatePractices;

impl Function for ValidatePractices {
    const NAME: &'static str = "validate-practices";
    const KIND: &'static str = "ValidatePractices";
    const ABOUT: &'static str = "Checks Kubernetes workloads and RBAC against good practices: limits, probes, \
                                 privileges,\nimages, secrets, network policies. Exceptions have a reason and \
                                 a last day.";
    type Config = Config;

    fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
        context.output = context.config.output;
        let config = &context.config;
        let today = config.today.unwrap_or_else(Date::today);
        let mut exceptions = waivers::read(&config.waivers)?;
        let kinds = Kinds::read("spec.workloads", &config.workloads)?;
        let cluster = Cluster::of(context, &kinds);
        let mut violations = Vec::new();
        for rule in RuleName::all() {
            let level = config.rules.get(&rule).copied().unwrap_or_default();
            if let Some(severity) = level.severity() {
                let found = Report::of(rule, &cluster).into_iter();
                violations.extend(found.map(|violation| (severity, violation)));
            }
        }
        // Rules look one after the other; people mend one object after the other.
        violations.sort_by_key(|(_, violation)| violation.subject.number);
        let mut findings = Vec::with_capacity(violations.len());
        for (severity, violation) in violations {
            let (rule, problem, fix) = (violation.rule.as_str(), &violation.problem, violation.fix);
            let finding = match waivers::excuse(&mut exceptions, &violation, today) {
                Some(waiver) => {
                    let (until, reason) = (waiver.expires, &waiver.reason);
                    Finding::new(Severity::Info, format!("{problem}. Waived until {until}: {reason}"))
                }
                None => Finding::new(severity, format!("{problem}. To fix: {fix}")),
            };
            findings.push(
                finding
                    .rule(rule)
                    .of(violation.subject.object)
                    .field(violation.field.as_str()),
            );
        }
        findings.extend(waivers::findings(&exceptions, today));
        findings.extend(waivers::unmatched(config, &cluster, &kinds)?);
        findings.extend(kinds.problems(context.stream, config.on_no_match));
        findings.into_iter().for_each(|finding| context.findings.push(finding));
        kinds.warn_unknown(context.stream, "its containers are not checked", &mut context.findings);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::ValidatePractices;

    #[test]
    fn every_case_answers_as_expected() {
        krm_fn::testing::run_cases(&ValidatePractices, concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    }

    #[test]
    fn the_guide_has_the_reference_of_the_configuration() {
        krm_fn::testing::check_reference(
            env!("CARGO_MANIFEST_DIR"),
            "../../docs/guides/validate-practices.md",
            &[
                ("", "src/config.rs"),
                ("selector", "../sdk/src/selector/mod.rs"),
                ("selector", "../sdk/src/selector/policy.rs"),
                ("", "../sdk/src/workload/mod.rs"),
                ("workload", "../sdk/src/workload/mapping.rs"),
                ("", "../sdk/src/function.rs"),
            ],
        );
    }
}
