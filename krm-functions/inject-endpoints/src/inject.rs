//! The function: finds the contract, the workloads and their containers; gives each its variables.

use std::collections::BTreeSet;

use contract_source::Contract;
use krm_fn::workload::Container;
use krm_fn::{Context, Error, Finding, Function, Object, Severity};

use crate::asking::{Asking, LEFT_ALONE};
use crate::config::{Config, OnMissingRef};
use crate::env_from::Sources;
use crate::environment::{Applied, EnvironmentError, Injection};
use crate::meant::{Chosen, Meant};
use crate::missing::{Known, Unfollowed};
use crate::provenance::Provenance;
use crate::variables::Reference;
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
        let variables = variables::all(&contract, config)?;
        let data = variables::public(&variables.wanted, contract.environment.as_deref());
        let sources = Sources::read(&config.env_from)?;
        let injection = Injection::new(variables, sources, config.on_conflict, config.order);
        let provenance = config
            .provenance
            .then(|| Provenance::new(&context.config_name, contract.environment.as_deref(), config.view));
        let mut meant = Meant::read(config)?;
        let mut namespaces = BTreeSet::new();
        let asking = Asking::of(&injection.wanted, &config.config_map.name);
        let mut unfollowed = Unfollowed::default();
        for object in context.stream.objects() {
            let Chosen {
                containers,
                is_excluded,
            } = meant.choose(object);
            if containers.is_empty() {
                for finding in asking.left_alone(object, is_excluded, &mut meant) {
                    context.findings.push(finding);
                }
                continue;
            }
            for unknown in meant.kinds.unknown(object) {
                context.findings.push(unknown.finding(Severity::Warning, LEFT_ALONE));
            }
            namespaces.insert(object.namespace().map(std::borrow::Cow::into_owned));
            unfollowed.note(object);
            let mut done = Vec::new();
            for container in containers {
                match injection.apply(&container, &mut context.edits) {
                    Ok(Applied { kept, dangling }) => {
                        let findings = dangling.iter().filter_map(|(variable, refers_to)| {
                            dangling_reference(config.on_missing_ref, object, &container, variable, refers_to)
                        });
                        findings.for_each(|finding| context.findings.push(finding));
                        done.push((container, kept));
                    }
                    Err(error) => {
                        context.findings.push(problem(object, &container, &error));
                        // The others of this workload most likely fail for the same reason.
                        break;
                    }
                }
            }
            if let Some(provenance) = &provenance
                && let Err(error) = provenance.annotate(object, &injection, &done, &mut context.edits)
            {
                let finding = Finding::new(Severity::Error, error.message).of(object);
                context
                    .findings
                    .push(finding.field("metadata.annotations").at(error.position));
            }
        }
        for problem in meant.problems(config, context.stream, namespaces.is_empty()) {
            context.findings.push(problem);
        }
        for problem in variables::idle_profiles(&contract, config)? {
            context.findings.push(problem);
        }
        if config.on_missing_ref != OnMissingRef::Ignore {
            let of_variables = injection
                .wanted
                .iter()
                .filter_map(|one| Some((one.name.as_str(), one.reference.as_ref()?)));
            let of_sources = injection
                .sources
                .references
                .iter()
                .map(|reference| ("envFrom", reference));
            let references: Vec<(&str, &Reference)> = of_variables.chain(of_sources).collect();
            if !references.is_empty() {
                let known = Known::among(context.all_objects());
                let found = known.check(config.on_missing_ref, &namespaces, references.iter().copied());
                found.into_iter().for_each(|finding| context.findings.push(finding));
                let references = references.iter().map(|(_, reference)| *reference);
                let found = known.check_names(config.on_missing_ref, &unfollowed, references);
                found.into_iter().for_each(|finding| context.findings.push(finding));
            }
        }
        config_map::provide(context, &namespaces, &data)
    }
}

/// A `$(NAME)` that stays as it is, because the container has no such variable.
fn dangling_reference(
    policy: OnMissingRef,
    object: Object<'_>,
    container: &Container<'_>,
    variable: &str,
    refers_to: &str,
) -> Option<Finding> {
    let severity = match policy {
        OnMissingRef::Error => Severity::Error,
        OnMissingRef::Auto | OnMissingRef::Warn => Severity::Warning,
        OnMissingRef::Ignore => return None,
    };
    let message = format!(
        "{variable} refers to $({refers_to}), but the container has no such variable, so that the text stays as it is. To \
         fix: add {refers_to} to `spec.variables`, or write `$$({refers_to})` if it is meant"
    );
    Some(
        Finding::new(severity, message)
            .of(object)
            .field(format!("{}.{}", container.path, container.key))
            .at(container.node.position()),
    )
}

fn problem(object: Object<'_>, container: &Container<'_>, error: &EnvironmentError) -> Finding {
    let position = match error {
        EnvironmentError::Edit(error) => error.position,
        EnvironmentError::Conflict(_)
        | EnvironmentError::Order { .. }
        | EnvironmentError::NoHolder(_)
        | EnvironmentError::NoEnvFrom(_) => container.node.position(),
    };
    let message = match error {
        EnvironmentError::Edit(error) => error.message.clone(),
        other => other.to_string(),
    };
    Finding::new(Severity::Error, message)
        .of(object)
        .field(format!("{}.{}", container.path, container.key))
        .at(position)
}

#[cfg(test)]
mod tests {
    use super::InjectEndpoints;

    #[test]
    fn every_case_answers_as_expected() {
        krm_fn::testing::run_cases(&InjectEndpoints, concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    }

    #[test]
    fn the_guide_has_the_reference_of_the_configuration() {
        krm_fn::testing::check_reference(
            env!("CARGO_MANIFEST_DIR"),
            "../../docs/guides/inject-endpoints.md",
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
    fn the_guide_lists_the_profiles_with_their_sources() {
        use endpoint_contract::{EnvironmentEndpoints, Profile, Protocol, View};
        let fixture = include_str!("../../../provider/contract/fixtures/v1alpha1/local.yaml");
        let stream = krm_fn::Stream::parse(fixture.to_owned()).unwrap();
        let contract: EnvironmentEndpoints = stream.objects().next().unwrap().parse().unwrap();
        let mut table = "| profile | read by | variables | source |\n|---|---|---|---|\n".to_owned();
        for profile in Profile::ALL {
            let endpoints = &contract.spec.endpoints;
            let variables = endpoints.variables_of(&Protocol::ALL, &[profile], View::Host).unwrap();
            let own = variables.iter().filter(|variable| variable.readers.contains(&profile));
            let names: Vec<String> = own.map(|variable| format!("`{}`", variable.name)).collect();
            let mark = if Profile::DEFAULT.contains(&profile) {
                " (default)"
            } else {
                ""
            };
            table.push_str(&format!(
                "| `{profile}`{mark} | {} | {} | [source]({}) |\n",
                profile.readers(),
                names.join(", "),
                profile.source()
            ));
        }
        let guide = "../../docs/guides/inject-endpoints.md";
        krm_fn::testing::check_section(env!("CARGO_MANIFEST_DIR"), guide, "profiles", &table);
    }

    #[test]
    fn the_first_example_of_the_guide_is_a_case() {
        let guide = include_str!("../../../docs/guides/inject-endpoints.md");
        assert!(guide.contains(include_str!("../cases/the_first_example_of_the_guide/config.yaml")));
    }
}
