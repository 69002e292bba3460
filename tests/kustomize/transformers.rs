//! The functions that change objects, each alone and in a chain: every client renders the same.

use crate::cases::{Changed, case, is_stored};
use crate::clients::{
    exec_by, kubectl_plugin, kubectls, kustomize_exec, kustomize_plain, kustomizes, pipe, run, twice,
};
use std::process::Command;

/// A case for each function, and whether it reads a contract.
const ALONE: [(&str, bool); 3] = [
    ("inject-endpoints", true),
    ("set-environment", false),
    ("generate-network-policies", true),
];

/// All of them in one kustomization over the backend of the examples, validate-practices after them.
const CHAIN: &str = "chain";

fn all() -> impl Iterator<Item = &'static str> {
    ALONE.iter().map(|(name, _)| *name).chain([CHAIN])
}

#[test]
fn kustomize_runs_them_by_exec() {
    for name in all() {
        for kustomize in kustomizes() {
            let rendered = twice(|| exec_by(&kustomize, &case(&format!("{name}/exec"))));
            is_stored(&case(&format!("{name}/expected.yaml")), &rendered);
        }
    }
}

#[test]
fn every_client_runs_them_as_plugins_and_renders_the_same() {
    for name in all() {
        let expected = kustomize_exec(&case(&format!("{name}/exec"))).rendered();
        for client in kubectls().into_iter().chain(kustomizes()) {
            let rendered = twice(|| kubectl_plugin(&client, &case(&format!("{name}/plugin"))));
            assert_eq!(rendered, expected, "{name} under {}", client.display());
        }
    }
}

#[test]
fn a_pipe_needs_no_flag_of_any_client() {
    for (name, reads_contract) in ALONE {
        let config = case(&format!("{name}/exec/{name}.yaml"));
        let contract = reads_contract.then(|| case(&format!("{name}/exec/endpoints.yaml")));
        let run = |input: &str| twice(|| pipe(name, &config, contract.as_deref(), input));
        let built = kustomize_plain(&case(&format!("{name}/pipe"))).rendered();
        let rendered = run(&built);
        is_stored(&case(&format!("{name}/pipe/expected.yaml")), &rendered);
        assert_eq!(run(&rendered), rendered, "{name} changes its own answer");
    }
}

#[test]
fn a_client_that_skips_inject_endpoints_renders_pods_that_do_not_start() {
    for kubectl in kubectls() {
        let rendered = kubectl_plugin(&kubectl, &case("inject-endpoints/exec")).rendered();
        assert!(
            rendered.contains("configMapRef:\n            name: mlplat-endpoints"),
            "{rendered}"
        );
        assert!(!rendered.contains("kind: ConfigMap"), "{rendered}");
    }
}

#[test]
fn apply_has_no_flag_for_functions_and_fails() {
    for kubectl in kubectls() {
        let mut command = Command::new(&kubectl);
        command
            // Old ones ask the cluster for its schemas first.
            .args(["apply", "--dry-run=client", "--validate=false", "-k"])
            .arg(case("set-environment/exec"))
            .env("KUBECONFIG", "/dev/null");
        run(&mut command, "").is_refused("external plugins disabled");
    }
}

#[test]
fn an_error_of_a_function_fails_the_build_and_is_shown() {
    for (name, right, wrong, message) in [
        (
            "inject-endpoints",
            "view: host",
            "view: cluster",
            "the redis endpoint has no `cluster` view",
        ),
        (
            "set-environment",
            "{http: 30080}",
            "{https: 30080}",
            "no port is named or numbered `https`",
        ),
        (
            "generate-network-policies",
            "s3: [52.219.0.0/16]",
            "s3: [52.219.0.1/16]",
            "spec.cidrs.s3[0]: \"52.219.0.1/16\" has bits behind its prefix",
        ),
    ] {
        let changed = Changed::file(&format!("{name}/exec/{name}.yaml"), |text| text.replace(right, wrong));
        kustomize_exec(&changed.case(&format!("{name}/exec"))).is_refused(message);
        for kubectl in kubectls() {
            kubectl_plugin(&kubectl, &changed.case(&format!("{name}/plugin"))).is_refused(message);
        }
    }
}

#[test]
fn the_validator_of_a_chain_sees_what_the_functions_before_it_did() {
    let changed = Changed::file("chain/exec/set-environment.yaml", |text| {
        text.replace("replicas: 3", "resources: {limits: {memory: 1Gi}}")
    });
    let message = "container backend has no limit for cpu";
    kustomize_exec(&changed.case("chain/exec")).is_refused(message);
    for kubectl in kubectls() {
        kubectl_plugin(&kubectl, &changed.case("chain/plugin")).is_refused(message);
    }
}
