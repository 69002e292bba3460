//! mlplat_environment: the contract file and the Secret manifest.

use crate::nothing_is_left;
use harness::{Project, process};
use std::fs;
use std::os::unix::fs::PermissionsExt;

const WITH_SECRET: &str = r#"
resource "mlplat_local_services" "this" {
  name     = "env"
  postgres = { database = "artefacts" }
  redis    = {}
}

ephemeral "mlplat_credentials" "this" {
  name = mlplat_local_services.this.name
}

resource "mlplat_environment" "this" {
  name                   = "local"
  endpoints              = mlplat_local_services.this.endpoints
  contract_file          = "${path.module}/endpoints.yaml"
  secret_file            = "${path.module}/secret.yaml"
  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}
"#;

/// An environment of endpoints that exist already: nothing to start.
const GIVEN: &str = r#"
resource "mlplat_environment" "this" {
  name          = "given"
  contract_file = "${path.module}/endpoints.yaml"
  endpoints = {
    redis = { host = { address = "cache.example.test", port = 6379 }, tls = false }
  }
}
"#;

const THIS: &str = "mlplat_environment.this";

#[test]
fn the_contract_and_the_secret_are_written_kept_and_removed() {
    let project = Project::new(WITH_SECRET);
    project.apply();
    project.plans_nothing();
    let contract = fs::read_to_string(project.path("endpoints.yaml")).expect("the contract");
    assert!(
        contract.contains("kind: EnvironmentEndpoints") || contract.contains("kind: \"EnvironmentEndpoints\""),
        "{contract}"
    );
    assert!(
        contract.contains("artefacts") && contract.contains("mlplat-credentials"),
        "{contract}"
    );
    let secret = project.path("secret.yaml");
    let mode = fs::metadata(&secret).expect("the Secret").permissions().mode() & 0o777;
    assert_eq!(mode, 0o600, "only the user may read the Secret");
    let manifest = fs::read_to_string(&secret).expect("the Secret");
    assert!(manifest.contains("postgres.password") && manifest.contains("redis.password"));

    project.destroy();
    assert!(!project.path("endpoints.yaml").exists() && !secret.exists());
    nothing_is_left(&project);
}

#[test]
fn a_changed_port_reaches_the_contract_in_the_same_apply() {
    let project = Project::new(WITH_SECRET);
    project.apply();
    let free = process::spare_port();
    project.configure(&WITH_SECRET.replace("redis    = {}", &format!("redis    = {{ port = {free} }}")));
    project.apply();
    project.plans_nothing();
    let contract = fs::read_to_string(project.path("endpoints.yaml")).expect("the contract");
    assert!(contract.contains(&free.to_string()), "{contract}");
}

#[test]
fn a_rotation_reaches_the_secret_in_the_same_apply() {
    let project = Project::new(WITH_SECRET);
    project.apply();
    let passwords = || {
        let manifest = fs::read_to_string(project.path("secret.yaml")).expect("the Secret");
        let lines = manifest.lines().filter(|line| line.contains(".password"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = passwords();
    project.configure(&WITH_SECRET.replace("  redis    = {}\n", "  redis    = {}\n  rotation = \"2026-11\"\n"));
    project.apply();
    let after = passwords();
    assert_eq!(after.len(), 2);
    assert!(
        before.iter().all(|line| !after.contains(line)),
        "the former passwords are in the Secret"
    );
    project.plans_nothing();
}

#[test]
fn a_component_that_is_added_later_reaches_contract_and_secret() {
    let project = Project::new(&WITH_SECRET.replace("  redis    = {}\n", ""));
    project.apply();
    project.plans_nothing();
    project.configure(WITH_SECRET);
    project.apply();
    project.plans_nothing();
    let manifest = fs::read_to_string(project.path("secret.yaml")).expect("the Secret");
    assert!(manifest.contains("postgres.password") && manifest.contains("redis.password"));

    project.configure(&WITH_SECRET.replace("  postgres = { database = \"artefacts\" }\n", ""));
    project.apply();
    project.plans_nothing();
    let manifest = fs::read_to_string(project.path("secret.yaml")).expect("the Secret");
    assert!(!manifest.contains("postgres.password") && manifest.contains("redis.password"));
}

#[test]
fn a_saved_plan_is_applied_by_another_process() {
    let project = Project::new(WITH_SECRET);
    project.terraform(&["plan", "-no-color", "-out=saved.tfplan"]).success();
    project.terraform(&["apply", "-no-color", "saved.tfplan"]).success();
    project.plans_nothing();
}

#[test]
fn a_hand_edited_contract_is_drift_and_is_mended() {
    let project = Project::new(GIVEN);
    project.apply();
    project.plans_nothing();
    let path = project.path("endpoints.yaml");
    let original = fs::read_to_string(&path).expect("the contract");
    for edited in [original.replace("6379", "6380"), format!("{original}# a note\n")] {
        fs::write(&path, edited).expect("an edit");
        project.plans_a_change();
        project.apply();
        assert_eq!(fs::read_to_string(&path).expect("mended"), original);
        project.plans_nothing();
    }
}

#[test]
fn a_removed_file_is_made_again() {
    let project = Project::new(WITH_SECRET);
    project.apply();
    for file in ["endpoints.yaml", "secret.yaml"] {
        let original = fs::read_to_string(project.path(file)).expect("a file");
        fs::remove_file(project.path(file)).expect("removed behind Terraform's back");
        project.plans_a_change();
        project.apply();
        assert_eq!(fs::read_to_string(project.path(file)).expect("made again"), original);
        project.plans_nothing();
    }
}

#[test]
fn a_readable_secret_is_drift() {
    let project = Project::new(WITH_SECRET);
    project.apply();
    let secret = project.path("secret.yaml");
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).expect("made readable");
    project.plans_a_change();
    project.apply();
    assert_eq!(
        fs::metadata(&secret).expect("the Secret").permissions().mode() & 0o777,
        0o600
    );
    project.plans_nothing();
}

#[test]
fn a_strangers_file_is_not_overwritten() {
    let project = Project::new(GIVEN);
    project.write(
        "endpoints.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: precious}\n",
    );
    project.apply_with(&[]).fails_with(&["contract_file", "endpoints.yaml"]);
    let kept = fs::read_to_string(project.path("endpoints.yaml")).expect("still there");
    assert!(kept.contains("precious"));
}

#[test]
fn an_endpoint_without_a_valid_address_names_the_attribute() {
    let project = Project::new(&GIVEN.replace("6379", "0"));
    project.apply_with(&[]).fails_with(&["endpoints.redis.host.port"]);
    assert!(!project.path("endpoints.yaml").exists(), "nothing is written");
}

#[test]
fn a_missing_folder_is_named() {
    let project = Project::new(&GIVEN.replace("/endpoints.yaml", "/no/such/folder/endpoints.yaml"));
    project.apply_with(&[]).fails_with(&["contract_file", "no/such/folder"]);
}

#[test]
fn credentials_that_are_missing_for_a_secret_are_named() {
    let configuration = WITH_SECRET
        .replace(
            "  credentials_wo         = ephemeral.mlplat_credentials.this.credentials\n",
            "",
        )
        .replace("  credentials_wo_version = 1\n", "");
    let project = Project::new(&configuration);
    project.apply_with(&[]).fails_with(&["credentials_wo"]);
    assert!(!project.path("secret.yaml").exists());
}

#[test]
fn an_environment_is_imported_by_its_contract_file() {
    let project = Project::new(GIVEN);
    project.apply();
    let known = project.resource(THIS).expect("in the state");
    project.terraform(&["state", "rm", THIS]).success();
    let path = project.path("endpoints.yaml");
    project
        .terraform(&["import", "-no-color", THIS, "./endpoints.yaml"])
        .success();
    assert_eq!(project.resource(THIS).expect("imported"), known);
    project.plans_nothing();
    assert!(path.exists());
}

#[test]
fn another_name_replaces_the_environment() {
    let project = Project::new(GIVEN);
    project.apply();
    project.configure(&GIVEN.replace("\"given\"", "\"renamed\""));
    let plan = project.plans_a_change();
    assert!(plan.text.contains("must be replaced"), "{}", plan.text);
    project.apply();
    project.plans_nothing();
    assert!(
        fs::read_to_string(project.path("endpoints.yaml"))
            .expect("the contract")
            .contains("renamed")
    );
}
