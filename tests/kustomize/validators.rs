//! The functions that only look: a build that they take is as it would be without them, one that they refuse is none.

use crate::cases::{Changed, case};
use crate::clients::{kubectl_plugin, kubectls, kustomize_exec, kustomize_plain, pipe, twice};
use std::path::PathBuf;

/// A function that validates.
struct Validator {
    name: &'static str,
    /// What it reads beside the stream in a pipe.
    with: Option<&'static str>,
    /// What it says of an image with another tag.
    message: &'static str,
}

impl Validator {
    fn case(&self, path: &str) -> PathBuf {
        case(&format!("{}/{path}", self.name))
    }

    /// Its configuration for a pipe.
    fn config(&self) -> PathBuf {
        self.case(&format!("pipe/{}.yaml", self.name))
    }
}

const VALIDATORS: [Validator; 2] = [
    Validator {
        name: "validate-practices",
        with: None,
        message: "spec.template.spec.containers[0].image: image registry.example.test/backend:latest is \
                  whatever was pushed last",
    },
    Validator {
        name: "validate-parity",
        with: Some("set-environment/expected.yaml"),
        message: "spec.template.spec.containers[backend].image: is registry.example.test/backend:latest here and \
                  mirror.example.test/hub/backend:1.2.3 in ",
    },
];

/// The cases with an application whose image moves.
fn with_a_moving_image() -> Changed {
    Changed::file("application/kustomization.yaml", |text| {
        text + "images: [{name: registry.example.test/backend, newTag: latest}]\n"
    })
}

#[test]
fn what_they_take_is_built_as_without_them() {
    for validator in &VALIDATORS {
        let plain = kustomize_plain(&validator.case("pipe")).rendered();
        let rendered = twice(|| kustomize_exec(&validator.case("exec")));
        assert_eq!(rendered, plain, "{}", validator.name);
        for kubectl in kubectls() {
            let rendered = twice(|| kubectl_plugin(&kubectl, &validator.case("plugin")));
            assert_eq!(rendered, plain, "{} under {}", validator.name, kubectl.display());
        }
    }
}

#[test]
fn what_they_refuse_is_not_built_and_the_message_is_shown() {
    let changed = with_a_moving_image();
    for Validator { name, message, .. } in VALIDATORS {
        kustomize_exec(&changed.case(&format!("{name}/exec"))).is_refused(message);
        for kubectl in kubectls() {
            kubectl_plugin(&kubectl, &changed.case(&format!("{name}/plugin"))).is_refused(message);
        }
    }
}

#[test]
fn a_pipe_passes_on_what_they_take_and_nothing_else() {
    let changed = with_a_moving_image();
    for validator in &VALIDATORS {
        let (config, with) = (validator.config(), validator.with.map(case));
        let run = |input: &str| pipe(validator.name, &config, with.as_deref(), input);
        let built = kustomize_plain(&validator.case("pipe")).rendered();
        assert_eq!(twice(|| run(&built)), built, "{}", validator.name);
        let moving = kustomize_plain(&changed.case(&format!("{}/pipe", validator.name))).rendered();
        run(&moving).is_refused(validator.message);
    }
}

#[test]
fn a_check_whose_answer_nobody_reads_prints_nothing() {
    let built = kustomize_plain(&case("validate-practices/pipe")).rendered();
    let config = case("validate-practices/exec/validate-practices.yaml");
    assert_eq!(twice(|| pipe("validate-practices", &config, None, &built)), "");
}
