//! One kustomization under every client, and the overlays of the examples.

use crate::clients::{case, kubectl_plugin, kubectls, kustomize_exec, kustomize_plain, pipe};
use harness::program::repository;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Compares with a stored text; `UPDATE=1` stores it anew.
#[track_caller]
fn is_stored(path: &Path, text: &str) {
    if env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, text).expect("a stored text can be written");
    }
    let stored = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(
        stored,
        text,
        "{} is not what was rendered; UPDATE=1 accepts it",
        path.display()
    );
}

#[test]
fn kustomize_runs_the_function_by_exec() {
    let rendered = kustomize_exec(&case("every_way/exec")).rendered();
    is_stored(&case("every_way/expected.yaml"), &rendered);
}

#[test]
fn every_kubectl_runs_it_as_a_plugin_and_renders_the_same() {
    let expected = kustomize_exec(&case("every_way/exec")).rendered();
    for kubectl in kubectls() {
        let rendered = kubectl_plugin(&kubectl, &case("every_way/plugin")).rendered();
        assert_eq!(rendered, expected, "{}", kubectl.display());
    }
}

#[test]
fn a_pipe_needs_no_flag_of_any_client() {
    let folder = case("every_way/pipe");
    let built = kustomize_plain(&folder).rendered();
    let rendered = pipe(
        &[&folder.join("inject-endpoints.yaml"), &folder.join("endpoints.yaml")],
        &built,
    )
    .rendered();
    is_stored(&case("every_way/pipe/expected.yaml"), &rendered);
}

#[test]
fn a_client_that_skips_the_function_renders_pods_that_do_not_start() {
    for kubectl in kubectls() {
        let rendered = kubectl_plugin(&kubectl, &case("every_way/exec")).rendered();
        assert!(
            rendered.contains("configMapRef:\n            name: mlplat-endpoints"),
            "{rendered}"
        );
        assert!(!rendered.contains("kind: ConfigMap"), "{rendered}");
    }
}

#[test]
fn an_error_of_the_function_fails_the_build_and_is_shown() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&case("every_way"), folder.path());
    let config = folder.path().join("exec/inject-endpoints.yaml");
    let text = fs::read_to_string(&config)
        .expect("it was copied")
        .replace("view: host", "view: cluster");
    fs::write(&config, text).expect("it is a copy");
    let answer = kustomize_exec(&folder.path().join("exec"));
    assert!(!answer.ok && answer.stdout.is_empty(), "{answer:?}");
    assert!(
        answer.stderr.contains("the redis endpoint has no `cluster` view"),
        "{}",
        answer.stderr
    );
}

#[test]
fn the_overlay_of_this_machine_renders_the_same_under_kustomize_and_kubectl() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&repository().join("examples/infrastructure/kubernetes"), folder.path());
    let local = folder.path().join("overlays/local");
    fs::copy(case("contract.yaml"), local.join("endpoints.yaml")).expect("the copy can be written");
    fs::write(
        local.join("secret.yaml"),
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mlplat-credentials\nstringData:\n  redis.password: canary\n",
    )
    .expect("the copy can be written");
    let rendered = kustomize_exec(&local).rendered();
    assert!(rendered.contains("name: DATABASE_URL") && rendered.contains("mlplat.dev/made-by: inject-endpoints"));
    let of_secret = rendered
        .split("---\n")
        .filter(|document| document.contains("canary"))
        .count();
    assert_eq!(
        of_secret, 1,
        "the password stands in the Secret and nowhere else:\n{rendered}"
    );
    for kubectl in kubectls() {
        let other = kubectl_plugin(&kubectl, &folder.path().join("overlays/local-kubectl")).rendered();
        assert_eq!(other, rendered, "{}", kubectl.display());
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-R")
        .arg(from.join("."))
        .arg(to)
        .status()
        .expect("cp runs");
    assert!(status.success(), "{} cannot be copied", from.display());
}
