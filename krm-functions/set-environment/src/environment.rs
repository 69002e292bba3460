//! The function: every part of the configuration in turn.

use krm_fn::workload::Kinds;
use krm_fn::{Context, Error, Function};

use crate::config::Config;
use crate::work::Work;
use crate::{images, ingresses, log_levels, services, storage, workloads};

/// See the module.
#[derive(Debug)]
pub(crate) struct SetEnvironment;

impl Function for SetEnvironment {
    const NAME: &'static str = "set-environment";
    const KIND: &'static str = "SetEnvironment";
    const ABOUT: &'static str = "Sets what differs between the environments of one application: image registries, \
                                 exposure of Services,\nclass and TLS of Ingresses, storage classes, log levels, \
                                 replicas and resources.";
    type Config = Config;

    fn run(&self, context: &mut Context<'_, Config>) -> Result<(), Error> {
        let config = &context.config;
        let kinds = Kinds::read("spec.workloadKinds", &config.workload_kinds)?;
        let mut work = Work {
            stream: context.stream,
            kinds: &kinds,
            on_no_match: config.on_no_match,
            edits: std::mem::take(&mut context.edits),
            findings: std::mem::take(&mut context.findings),
        };
        let parts = [
            images::apply(&config.images, &mut work),
            services::apply(&config.services, &mut work),
            ingresses::apply(&config.ingresses, &mut work),
            storage::apply(&config.storage, &mut work),
            log_levels::apply(&config.log_levels, &mut work),
            workloads::apply(config, &mut work),
        ];
        if !config.is_of_objects() {
            kinds.warn_unknown(work.stream, "its containers stay as they are", &mut work.findings);
        }
        for problem in kinds.problems(work.stream, config.on_no_match) {
            work.findings.push(problem);
        }
        (context.edits, context.findings) = (work.edits, work.findings);
        parts.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::SetEnvironment;

    #[test]
    fn every_case_answers_as_expected() {
        krm_fn::testing::run_cases(&SetEnvironment, concat!(env!("CARGO_MANIFEST_DIR"), "/cases"));
    }

    #[test]
    fn the_guide_has_the_reference_of_the_configuration() {
        krm_fn::testing::check_reference(
            env!("CARGO_MANIFEST_DIR"),
            "../../docs/guides/set-environment.md",
            &[
                ("", "src/config.rs"),
                ("selector", "../sdk/src/selector/mod.rs"),
                ("selector", "../sdk/src/selector/policy.rs"),
                ("", "../sdk/src/workload/mod.rs"),
                ("workload", "../sdk/src/workload/mapping.rs"),
            ],
        );
    }

    #[test]
    fn the_guides_first_example_is_a_case() {
        let guide = include_str!("../../../docs/guides/set-environment.md");
        let case = include_str!("../cases/a_whole_environment/config.yaml");
        let spec_of = |text: &str| {
            let start = text.find("\nspec:\n").unwrap();
            let spec = &text[start..];
            spec[..spec.find("\n```").unwrap_or(spec.len())].trim_end().to_owned()
        };
        assert_eq!(spec_of(guide), spec_of(case));
    }
}
