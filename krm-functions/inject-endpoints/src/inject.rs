//! The function: finds the contract, the workloads and their containers; gives each its variables.

use std::collections::BTreeSet;

use contract_source::Contract;
use krm_fn::workload::{self, Container};
use krm_fn::{Context, Error, Finding, Function, Object, Selector, Severity, Value};

use crate::config::Config;
use crate::environment::{EnvironmentError, Injection};
use crate::{config_map, variables};

/// See the module.
#[derive(Debug)]
pub(crate) struct InjectEndpoints;

impl Function for InjectEndpoints {
    const NAME: &'static str = "inject-endpoints";
    const KIND: &'static str = "InjectEndpoints";
    const ABOUT: &'static str = "Gives the containers of Kubernetes workloads the variables of an environment's \
                                 endpoints: literals for addresses,\nreferences to Secret keys for credentials.";
    type Config = Config;

    fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
        let config = &context.config;
        let contract = Contract::find(
            context.all_objects(),
            config.endpoints.as_ref(),
            config.endpoints_from.as_ref(),
        )?;
        let wanted = variables::wanted(&contract, config)?;
        let data = variables::public(&wanted, contract.environment.as_deref());
        let entries = Value::Seq(wanted.iter().map(|one| one.entry.clone()).collect());
        let injection = Injection {
            wanted,
            entries,
            on_conflict: config.on_conflict,
            order: config.order,
        };

        let (namespaces, problems) = {
            let selectors = Selector::all(&config.selectors)?;
            let mut meant = Meant {
                selectors: &selectors,
                used: vec![false; selectors.len()],
            };
            let mut namespaces = BTreeSet::new();
            let mut problems = Vec::new();
            for object in context.stream.objects() {
                let Some(path) = workload::pod_spec(object) else {
                    continue;
                };
                let mut injected = false;
                for container in meant.containers(object, path) {
                    injected = true;
                    if let Err(error) = injection.apply(container.node, &mut context.edits) {
                        problems.push(problem(object, &container, &error));
                        // The others of this workload most likely fail for the same reason.
                        break;
                    }
                }
                if injected {
                    namespaces.insert(object.namespace().map(std::borrow::Cow::into_owned));
                }
            }
            meant.all_used(namespaces.is_empty())?;
            (namespaces, problems)
        };
        problems.into_iter().for_each(|problem| context.findings.push(problem));
        config_map::provide(context, &namespaces, &data)
    }
}

/// The selectors, and which of them have met a container.
struct Meant<'s, 'c> {
    selectors: &'s [Selector<'c>],
    used: Vec<bool>,
}

impl Meant<'_, '_> {
    /// The containers of a workload that a selector means; all of them without selectors.
    fn containers<'a>(&mut self, object: Object<'a>, path: &'static [&'static str]) -> Vec<Container<'a>> {
        if self.selectors.is_empty() {
            return workload::containers(object, path).collect();
        }
        let taken: Vec<usize> = (0..self.selectors.len())
            .filter(|&at| self.selectors[at].takes(object))
            .collect();
        if taken.is_empty() {
            return Vec::new();
        }
        let mut meant = |container: &Container<'a>| {
            let mut any = false;
            for &at in &taken {
                let takes = self.selectors[at].takes_container(&container.name);
                self.used[at] |= takes;
                any |= takes;
            }
            any
        };
        workload::containers(object, path)
            .filter(|container| meant(container))
            .collect()
    }

    /// Refuses a run that meant nothing: a misspelt selector must not pass for success.
    fn all_used(&self, nothing: bool) -> Result<(), Error> {
        if let Some(at) = self.used.iter().position(|used| !used) {
            return Err(Error::refused(
                format!("spec.selectors[{at}] matches no container of any workload in the stream"),
                "correct the selector, or remove it; kinds are written as in the manifests (`Deployment`)",
            ));
        }
        if nothing {
            return Err(Error::refused(
                "there is no workload in the stream: nothing to give the endpoints to",
                "list the bases with the workloads under `resources:` of the same kustomization",
            ));
        }
        Ok(())
    }
}

fn problem(object: Object<'_>, container: &Container<'_>, error: &EnvironmentError) -> Finding {
    let position = match error {
        EnvironmentError::Edit(error) => error.position,
        EnvironmentError::Conflict(_) | EnvironmentError::Order { .. } => container.node.position(),
    };
    let message = match error {
        EnvironmentError::Edit(error) => error.message.clone(),
        other => other.to_string(),
    };
    Finding::new(Severity::Error, message)
        .of(object)
        .field(format!("{}.env", container.path))
        .at(position)
}

#[cfg(test)]
mod tests {
    use super::InjectEndpoints;

    #[test]
    fn every_case_answers_as_expected() {
        krm_fn::testing::run_cases(&InjectEndpoints, concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    }
}
