//! From the first apply to a destroy that leaves nothing.

use crate::{BOTH, Cloud, THIS, provider};
use harness::emulators::{Emulator, Kind};
use harness::program::pinned;
use harness::project::run;
use harness::{FaultProxy, Project};

#[test]
fn a_bucket_is_made_as_planned_imported_and_removed() {
    for kind in BOTH {
        let cloud = Cloud::bucket(kind, "bucket = \"whole-life\"\ntags = { team = \"ml\" }");
        cloud.project.apply();
        cloud.project.plans_nothing();
        let policy = cloud.get("whole-life", "policy").text();
        assert!(policy.contains("aws:SecureTransport"), "{kind:?}: {policy}");
        let block = cloud.get("whole-life", "publicAccessBlock").text();
        assert_eq!(block.matches("true").count(), 4, "{kind:?}: {block}");
        for (setting, value) in [
            ("versioning", "Enabled"),
            ("encryption", "AES256"),
            ("ownershipControls", "BucketOwnerEnforced"),
            ("lifecycle", "<NoncurrentDays>90</NoncurrentDays>"),
        ] {
            let found = cloud.get("whole-life", setting).text();
            assert!(found.contains(value), "{kind:?}: {setting}: {found}");
        }

        let known = cloud.project.resource(THIS).expect("in the state");
        assert_eq!(known["endpoint"]["buckets"], serde_json::json!(["whole-life"]));
        assert!(known["endpoint"]["credentials"].is_null(), "the pod's own role");
        cloud.project.terraform(&["state", "rm", THIS]).success();
        cloud
            .project
            .terraform(&["import", "-no-color", THIS, "whole-life"])
            .success();
        assert_eq!(cloud.project.resource(THIS).expect("imported"), known, "{kind:?}");
        cloud.project.plans_nothing();
        cloud.leaves_nothing("whole-life");
    }
}

#[test]
fn a_new_name_object_lock_and_another_region_replace_the_bucket() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"replaced-old\"");
    cloud.project.apply();
    for arguments in [
        "bucket = \"replaced-new\"",
        "bucket = \"replaced-new\"\nobject_lock_enabled = true",
        "bucket = \"replaced-new\"\nobject_lock_enabled = true\nregion = \"eu-west-1\"",
    ] {
        cloud.configure(arguments);
        let applied = cloud.project.apply();
        assert!(
            applied.text.contains("1 added, 0 changed, 1 destroyed"),
            "{arguments}:\n{}",
            applied.text
        );
        assert_eq!(cloud.buckets("replaced-"), ["replaced-new"]);
        cloud.project.plans_nothing();
    }
    cloud.leaves_nothing("replaced-");
}

/// OpenTofu has it from 1.12 on, and so has Terraform.
#[test]
fn a_bucket_and_its_environment_are_imported_by_their_identities() {
    let tofu = pinned("tofu");
    let proxy = FaultProxy::before(Emulator::shared(Kind::MiniStack).address());
    let project = Project::new("");
    let contract = project.path("endpoints.yaml");
    let resources = format!(
        r#"{}
resource "mlplat_aws_s3_bucket" "this" {{
  bucket = "by-identity"
}}

resource "mlplat_environment" "this" {{
  name          = "prod"
  endpoints     = {{ s3 = mlplat_aws_s3_bucket.this.endpoint }}
  contract_file = {contract:?}
}}
"#,
        provider(&proxy.url(), "")
    );
    let imports = format!(
        r#"
import {{
  to       = mlplat_aws_s3_bucket.this
  identity = {{ bucket = "by-identity", region = "eu-central-1" }}
}}

import {{
  to       = mlplat_environment.this
  identity = {{ contract_file = {contract:?} }}
}}
"#
    );
    let in_tofu = |arguments: &[&str]| run(project.command(&tofu).args(arguments)).success();
    let state = || std::fs::read_to_string(project.path("terraform.tfstate")).expect("the state");
    let known = |state: &str| {
        let state: serde_json::Value = serde_json::from_str(state).expect("JSON");
        let resources = state["resources"].as_array().expect("a list").clone();
        let of = |resource: &serde_json::Value| resource["instances"][0]["attributes"].clone();
        resources.iter().map(of).collect::<Vec<_>>()
    };
    project.configure(&resources);
    in_tofu(&["apply", "-auto-approve", "-no-color"]);
    let made = known(&state());
    assert_eq!(made.len(), 2);
    std::fs::remove_file(project.path("terraform.tfstate")).expect("a state that is lost");
    project.configure(&format!("{resources}{imports}"));
    let imported = in_tofu(&["apply", "-auto-approve", "-no-color"]);
    assert!(
        imported.text.contains("2 imported, 0 added, 0 changed, 0 destroyed"),
        "{}",
        imported.text
    );
    assert_eq!(known(&state()), made);
    in_tofu(&["destroy", "-auto-approve", "-no-color"]);
}

#[test]
fn a_bucket_that_disappears_is_planned_and_made_again_and_need_not_be_destroyed() {
    for kind in BOTH {
        let cloud = Cloud::bucket(kind, "bucket = \"disappears\"");
        cloud.project.apply();
        assert_eq!(cloud.emulator.s3("DELETE", "/disappears", "").status(), 204);
        let plan = cloud.project.plans_a_change();
        assert!(
            plan.text.contains("1 to add, 0 to change, 0 to destroy"),
            "{}",
            plan.text
        );
        cloud.project.apply();
        cloud.project.plans_nothing();
        assert_eq!(cloud.emulator.s3("DELETE", "/disappears", "").status(), 204);
        cloud.leaves_nothing("disappears");
    }
}

#[test]
fn a_bucket_that_holds_something_is_destroyed_only_by_force() {
    for kind in BOTH {
        // This test writes without TLS.
        let arguments = "bucket = \"full\"\nattach_deny_insecure_transport_policy = false";
        let cloud = Cloud::bucket(kind, arguments);
        cloud.project.apply();
        for text in ["a version", "another version"] {
            assert_eq!(cloud.emulator.s3("PUT", "/full/a%20key", text).status(), 200);
        }
        assert_eq!(cloud.emulator.s3("DELETE", "/full/a%20key", "").status(), 204);
        let refused = cloud.project.terraform(&["destroy", "-auto-approve", "-no-color"]);
        refused.fails_with(&["full", "force_destroy"]);
        assert_eq!(cloud.buckets("full"), ["full"], "{kind:?}");
        cloud.configure(&format!("{arguments}\nforce_destroy = true"));
        cloud.project.apply();
        cloud.leaves_nothing("full");
    }
}
