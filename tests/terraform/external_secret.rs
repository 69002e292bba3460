//! The ExternalSecret manifest of an environment: an edit is drift, and it moves and goes with its argument.

use harness::Project;
use std::fs;

const THIS: &str = "mlplat_environment.this";

/// Endpoints that exist already, and a password in a store of secrets: nothing to start.
const GIVEN: &str = r#"
resource "mlplat_environment" "this" {
  name          = "given"
  contract_file = "${path.module}/endpoints.yaml"
  endpoints = {
    redis = {
      host        = { address = "cache.example.test", port = 6379 }
      tls         = true
      credentials = { secret_name = "app-cache" }
    }
  }
  external_secret = {
    file             = "${path.module}/external-secret.yaml"
    secret_store_ref = { name = "aws" }
    redis            = { key = "app/cache" }
  }
}
"#;

#[test]
fn a_manifest_that_somebody_edits_or_deletes_is_seen_and_written_again() {
    let project = Project::new(GIVEN);
    project.apply();
    project.plans_nothing();
    let path = project.path("external-secret.yaml");
    let original = fs::read_to_string(&path).expect("the manifest");
    assert!(
        original.contains("kind: ExternalSecret") && original.contains("app/cache"),
        "{original}"
    );
    let edits = [
        Some(original.replace("app/cache", "somebody/elses")),
        Some(format!("{original}# a note\n")),
        None,
    ];
    for edit in edits {
        match &edit {
            Some(text) => fs::write(&path, text).expect("edited behind Terraform's back"),
            None => fs::remove_file(&path).expect("removed behind Terraform's back"),
        }
        let plan = project.plans_a_change();
        assert!(plan.text.contains("external_secret_sha256"), "{edit:?}: {}", plan.text);
        project.apply();
        assert_eq!(fs::read_to_string(&path).expect("written again"), original);
    }
    project.plans_nothing();
}

#[test]
fn a_manifest_moves_with_its_path_and_goes_with_its_argument() {
    let project = Project::new(GIVEN);
    project.apply();
    let (old, new) = (
        project.path("external-secret.yaml"),
        project.path("moved/external-secret.yaml"),
    );
    let original = fs::read_to_string(&old).expect("the manifest");
    let moved = GIVEN.replace("/external-secret.yaml", "/moved/external-secret.yaml");

    // What cannot be moved is an error that names the folder; where it is then is known, and the next apply goes on.
    project.configure(&moved);
    project.apply_with(&[]).fails_with(&["external_secret", "moved"]);
    fs::create_dir(project.path("moved")).expect("the folder that was missing");
    project.apply();
    assert!(!old.exists(), "the old place is left");
    assert_eq!(fs::read_to_string(&new).expect("the manifest"), original);
    project.plans_nothing();

    let (before, after) = (
        GIVEN.find("  external_secret").expect("the argument"),
        GIVEN.rfind('}').expect("the end"),
    );
    project.configure(&format!("{}{}", &GIVEN[..before], &GIVEN[after..]));
    project.apply();
    assert!(!new.exists(), "no argument, no manifest");
    assert!(project.resource(THIS).expect("in the state")["external_secret_sha256"].is_null());
    project.plans_nothing();

    // Somebody else's file in its place is neither overwritten nor, by the destroy, removed.
    let precious = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: precious}\n";
    fs::write(&old, precious).expect("a stranger's file");
    project.configure(GIVEN);
    project
        .apply_with(&[])
        .fails_with(&["external_secret", "external-secret.yaml"]);
    project.destroy();
    assert_eq!(fs::read_to_string(&old).expect("still there"), precious);
}
