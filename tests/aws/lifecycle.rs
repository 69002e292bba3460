//! From the first apply to a destroy that leaves nothing.

use crate::{BOTH, Cloud, THIS};
use harness::emulators::Kind;

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
        assert!(
            cloud.get("whole-life", "versioning").text().contains("Enabled"),
            "{kind:?}"
        );

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
fn a_new_name_and_object_lock_replace_the_bucket() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"replaced-old\"");
    cloud.project.apply();
    for arguments in [
        "bucket = \"replaced-new\"",
        "bucket = \"replaced-new\"\nobject_lock_enabled = true",
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
fn a_strangers_bucket_is_refused_with_the_import_command() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"strangers\"");
    cloud.emulator.make_bucket("strangers");
    cloud
        .project
        .apply_with(&[])
        .fails_with(&["strangers", "terraform import"]);
    assert!(cloud.project.resource(THIS).is_none());
    assert_eq!(
        cloud.get("strangers", "policy").status(),
        404,
        "nothing of it was changed"
    );
    assert_eq!(cloud.emulator.s3("DELETE", "/strangers", "").status(), 204);
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
