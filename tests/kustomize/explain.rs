//! `mlplat explain`: by the function's annotation, and by comparison with the contract.

use crate::cases::{Changed, case};
use crate::clients::{mlplat, outermost, path, run};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The table of the case's backend.
fn explained(rendered: &str, contract: Option<&Path>) -> String {
    let mut command = Command::new(harness::mlplat());
    command.args(["explain", "deployments/backend"]).env("PATH", path());
    if let Some(contract) = contract {
        command.arg("--contract").arg(contract);
    }
    run(&mut command, rendered).rendered()
}

#[track_caller]
fn has(table: &str, variable: &str, words: &str) {
    let line = table
        .lines()
        .find(|line| line.starts_with(&format!("{variable} ")))
        .unwrap_or_else(|| panic!("{variable} is not in:\n{table}"));
    assert!(line.contains(words), "{words:?} is not in: {line}");
}

#[test]
fn the_annotation_names_the_field_of_every_variable() {
    let changed = Changed::file("chain/exec/inject-endpoints.yaml", |text| text + "  provenance: true\n");
    let client = outermost().remove(0);
    let rendered = mlplat(
        &["render", "--client", client.to_str().expect("UTF-8")],
        &[&changed.case("chain/exec")],
    )
    .rendered();
    let table = explained(&rendered, None);
    assert!(
        table.starts_with("Deployment prod/backend, container backend (spec.template.spec.containers[0])\n"),
        "{table}"
    );
    has(
        &table,
        "REDIS_HOST",
        "contract prod (cluster view), redis.cluster.address, by inject-endpoints",
    );
    has(&table, "PORT", "the manifest");
    has(&table, "*", "made by inject-endpoints");
}

#[test]
fn without_the_annotation_the_contract_is_compared() {
    let client = outermost().remove(0);
    let rendered = mlplat(
        &["render", "--client", client.to_str().expect("UTF-8")],
        &[&case("chain/exec")],
    )
    .rendered();
    let contract = case("chain/exec/endpoints.yaml");
    has(
        &explained(&rendered, Some(&contract)),
        "REDIS_HOST",
        "contract prod (cluster view), redis.cluster.address",
    );
    has(&explained(&rendered, None), "REDIS_HOST", "the manifest");
    let moved = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = fs::read_to_string(&contract).expect("the case is there");
    let other = text.replace("10.20.0.6", "10.20.0.7");
    assert_ne!(other, text);
    fs::write(moved.path(), other).expect("a temporary file");
    has(
        &explained(&rendered, Some(moved.path())),
        "REDIS_HOST",
        "the manifest; the contract prod says something else",
    );
}

#[test]
fn an_unknown_workload_lists_those_there_are() {
    let rendered = fs::read_to_string(case("chain/expected.yaml")).expect("the case is there");
    let mut command = Command::new(harness::mlplat());
    run(command.args(["explain", "deployment/nobody"]), &rendered)
        .is_refused("deployment/nobody not found among these manifests. To fix: name one of deployment/backend");
}
