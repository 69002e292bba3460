//! The function: finds the contract and the workloads; gives each of them its policy.

use std::collections::{BTreeMap, BTreeSet};

use contract_source::Contract;
use krm_fn::selector::Selection;
use krm_fn::workload::Kinds;
use krm_fn::{Context, Error, Finding, Function, Object, Severity};

use crate::config::Config;
use crate::policy::{self, Place, Policy};
use crate::targets::{self, Problem};
use crate::wide::WideRules;
use crate::{egress, mismatch};

/// See the module.
#[derive(Debug)]
pub(crate) struct GenerateNetworkPolicies;

impl Function for GenerateNetworkPolicies {
    const NAME: &'static str = "generate-network-policies";
    const KIND: &'static str = "GenerateNetworkPolicies";
    const ABOUT: &'static str = "Makes a NetworkPolicy for every workload that is given an environment's endpoints: its \
                                 pods may connect to\nthese and to the cluster's DNS, and to nothing else.";
    type Config = Config;

    fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
        let config = &context.config;
        let contract = Contract::find(
            context.all_objects(),
            config.endpoints.as_ref(),
            config.endpoints_from.as_ref(),
        )?;
        let egress = egress::rules(&contract, config)?;
        let addresses = mismatch::addresses(&contract, config)?;
        let stream = context.stream;
        let kinds = Kinds::read("spec.workloads", &config.workloads)?;
        let selection = Selection::read("spec.selectors", &config.selectors)?;
        let policy = config.on_no_match;
        let targets = targets::find(stream, &kinds, selection, policy, &mut context.findings)?;
        kinds.warn_unknown(stream, "no policy is made for its pods", &mut context.findings);
        for problem in kinds.problems(stream, policy) {
            context.findings.push(problem);
        }
        let existing: BTreeMap<Place, Object<'_>> = stream
            .objects()
            .filter(|object| policy::is_policy(*object))
            .map(|object| (Place::of(object, object.name().into_owned()), object))
            .collect();

        let mut wide_rules = WideRules::find(stream);
        let mut made = BTreeSet::new();
        let mut new = Vec::new();
        for target in &targets {
            let object = target.object;
            let Some(pod) = target.pod() else {
                let message = "its pods have no single template with labels, so that no policy can be made for them. To \
                               fix: write a NetworkPolicy for the labels that its controller gives them";
                let finding = Finding::new(Severity::Warning, message).of(object);
                context.findings.push(finding.at(object.position()));
                continue;
            };
            let labels = target.pod_labels(pod);
            let planned = policy_name(object, &config.name_suffix.0).and_then(|name| Ok((name, labels?)));
            let (name, labels) = match planned {
                Ok(planned) => planned,
                Err(problem) => {
                    context.findings.push(problem.of(object));
                    continue;
                }
            };
            let policy = Policy::new(Place::of(object, name), &target.selecting(&labels), &egress);
            if !made.insert(policy.place.clone()) {
                let message = "this workload is in the stream twice. To fix: list it once";
                let finding = Finding::new(Severity::Error, message).of(object);
                context.findings.push(finding.at(object.position()));
                continue;
            }
            mismatch::warn(target, &addresses, &mut context.findings);
            wide_rules.warn(object, &labels, &mut context.findings);
            match existing.get(&policy.place) {
                Some(object) => {
                    if let Err(error) = policy.update(*object, &mut context.edits) {
                        let finding = Finding::new(Severity::Error, error.to_string()).of(*object);
                        context
                            .findings
                            .push(finding.field("metadata.name").at(object.position()));
                    }
                }
                None => new.push(policy.to_value()),
            }
        }
        Ok(stream.add(&new, &mut context.edits)?)
    }
}

/// `backend-deployment-endpoints`: with the kind, because a Deployment and a CronJob may share a name.
fn policy_name(object: Object<'_>, suffix: &str) -> Result<String, Problem> {
    let problem = |message: String| Problem {
        message,
        field: "metadata.name".to_owned(),
        position: object.position(),
    };
    if object.name().is_empty() {
        let message = "the workload has no name, so its policy can have none that stays. To fix: set it";
        return Err(problem(message.to_owned()));
    }
    let name = format!("{}-{}-{suffix}", object.name(), object.kind().to_lowercase());
    if !endpoint_contract::is_dns_subdomain(&name) {
        return Err(problem(format!(
            "{name:?} cannot be the name of its policy. To fix: write the workload's name and `spec.nameSuffix` in a-z, \
             0-9, `-` and `.`, with a letter or digit first and last, so short that 253 characters do"
        )));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::GenerateNetworkPolicies;

    #[test]
    fn every_case_answers_as_expected() {
        krm_fn::testing::run_cases(&GenerateNetworkPolicies, concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    }

    #[test]
    fn the_guide_has_the_reference_of_the_configuration() {
        krm_fn::testing::check_reference(
            env!("CARGO_MANIFEST_DIR"),
            "../../docs/guides/generate-network-policies.md",
            &[
                ("", "src/config.rs"),
                ("selector", "../sdk/src/selector/mod.rs"),
                ("selector", "../sdk/src/selector/policy.rs"),
                ("", "../sdk/src/workload/mod.rs"),
                ("workload", "../sdk/src/workload/mapping.rs"),
                ("", "../contract-source/src/lib.rs"),
                ("", "../../provider/contract/src/endpoints.rs"),
                ("", "../../provider/contract/src/view.rs"),
            ],
        );
    }

    #[test]
    fn the_guide_shows_what_the_function_does() {
        let guide = include_str!("../../../docs/guides/generate-network-policies.md");
        let config = include_str!("../cases/the_first_example_of_the_guide/config.yaml");
        let answer = include_str!("../cases/the_first_example_of_the_guide/expected.yaml");
        let (_, policy) = answer.split_once("---\n").unwrap();
        assert!(guide.contains(config) && guide.contains(policy));
    }
}
