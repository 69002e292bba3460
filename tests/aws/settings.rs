//! Every argument is changed in place, one by one, and what somebody else changes is seen and mended.

use crate::{BOTH, Cloud, THIS};
use harness::emulators::Kind;

/// One change each, to be read over a bucket of defaults.
const CHANGES: [&str; 14] = [
    "force_destroy = true",
    "tags = { team = \"ml\" }",
    "tags = { team = \"ops\", stage = \"test\" }",
    "tags = {}",
    "versioning = { enabled = false }",
    "server_side_encryption_configuration = { sse_algorithm = \"aws:kms\", bucket_key_enabled = true }",
    "public_access_block = { block_public_policy = false, restrict_public_buckets = false }",
    "object_ownership = \"BucketOwnerPreferred\"",
    "attach_deny_insecure_transport_policy = false",
    r#"policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:DeleteBucket", Resource = "arn:aws:s3:::NAME" }] })"#,
    "lifecycle_rule = []",
    "lifecycle_rule = [{ id = \"runs\", filter = { prefix = \"runs/\" }, transition = [{ days = 90, storage_class = \"GLACIER_IR\" }], expiration = { days = 730 } }]",
    "cors_rule = [{ allowed_methods = [\"GET\"], allowed_origins = [\"https://app.example.com\"], max_age_seconds = 60 }]",
    "cors_rule = [{ allowed_methods = [\"GET\", \"PUT\"], allowed_origins = [\"*\"], allowed_headers = [\"*\"], expose_headers = [\"ETag\"] }]",
];

/// MiniStack does not keep a filter of several parts.
const UNDER_MOTO: &str = "lifecycle_rule = [{ id = \"runs\", enabled = false, filter = { prefix = \"runs/\", tags = { kind = \"run\" } }, noncurrent_version_expiration = { noncurrent_days = 3} }]";

/// moto asks for a policy of the target that names it in one certain way, and forgets how many old versions are kept.
const UNDER_MINISTACK: [&str; 2] = [
    "logging = { target_bucket = \"NAME\", target_prefix = \"log/\" }",
    "lifecycle_rule = [{ id = \"old\", noncurrent_version_expiration = { noncurrent_days = 3, newer_noncurrent_versions = 2 } }]",
];

#[test]
fn every_argument_is_changed_in_place_under_moto() {
    changed_one_by_one(Kind::Moto, &[&CHANGES[..], &[UNDER_MOTO]].concat());
}

#[test]
fn every_argument_is_changed_in_place_under_ministack() {
    changed_one_by_one(Kind::MiniStack, &[&CHANGES[..], &UNDER_MINISTACK].concat());
}

fn changed_one_by_one(kind: Kind, changes: &[&str]) {
    let name = "changes";
    let cloud = Cloud::bucket(kind, &format!("bucket = \"{name}\""));
    cloud.project.apply();
    for change in changes {
        cloud.configure(&format!("bucket = \"{name}\"\n{}", change.replace("NAME", name)));
        let applied = cloud.project.apply();
        assert!(
            applied.text.contains("0 added, 1 changed, 0 destroyed"),
            "{kind:?}, {change}:\n{}",
            applied.text
        );
        // The second emulator is asked once, at the end.
        if matches!(kind, Kind::Moto) {
            cloud.project.plans_nothing();
        }
    }
    cloud.configure(&format!("bucket = \"{name}\""));
    cloud.project.apply();
    cloud.project.plans_nothing();
    cloud.leaves_nothing(name);
}

/// What somebody does to a bucket by hand: method, setting, body.
const EDITS: [(&str, &str, &str); 9] = [
    ("DELETE", "tagging", ""),
    (
        "PUT",
        "tagging",
        "<Tagging><TagSet><Tag><Key>mlplat.dev/owner</Key><Value>mlplat</Value></Tag><Tag><Key>team</Key><Value>others</Value></Tag></TagSet></Tagging>",
    ),
    ("DELETE", "publicAccessBlock", ""),
    ("DELETE", "policy", ""),
    ("DELETE", "lifecycle", ""),
    ("DELETE", "cors", ""),
    (
        "PUT",
        "versioning",
        "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Suspended</Status></VersioningConfiguration>",
    ),
    (
        "PUT",
        "ownershipControls",
        "<OwnershipControls xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    ),
    (
        "PUT",
        "encryption",
        "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    ),
];

#[test]
fn what_somebody_changes_by_hand_is_seen_and_mended() {
    for kind in BOTH {
        let arguments = "bucket = \"drifts\"\ntags = { team = \"ml\" }\n\
                         cors_rule = [{ allowed_methods = [\"GET\"], allowed_origins = [\"*\"] }]";
        let cloud = Cloud::bucket(kind, arguments);
        cloud.project.apply();
        for (method, setting, body) in EDITS {
            let edited = cloud.emulator.s3(method, &format!("/drifts?{setting}"), body);
            assert!(edited.status() < 300, "{kind:?}: {method} {setting}: {}", edited.text());
            let applied = cloud.project.apply();
            assert!(
                applied.text.contains("0 added, 1 changed, 0 destroyed"),
                "{kind:?}: {method} {setting} was not seen:\n{}",
                applied.text
            );
        }
        cloud.project.plans_nothing();
        assert!(cloud.project.resource(THIS).is_some());
        cloud.leaves_nothing("drifts");
    }
}

/// moto asks for a policy of the target first.
#[test]
fn logging_that_somebody_ends_is_seen_and_begun_again() {
    let arguments = "bucket = \"logs-itself\"\nlogging = { target_bucket = \"logs-itself\", target_prefix = \"log/\" }";
    let cloud = Cloud::bucket(Kind::MiniStack, arguments);
    cloud.project.apply();
    let nothing = "<BucketLoggingStatus xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";
    assert_eq!(cloud.emulator.s3("PUT", "/logs-itself?logging", nothing).status(), 200);
    let plan = cloud.project.plans_a_change();
    assert!(plan.text.contains("+ logging"), "{}", plan.text);
    cloud.project.apply();
    assert!(cloud.get("logs-itself", "logging").text().contains("log/"));
    cloud.project.plans_nothing();
    cloud.leaves_nothing("logs-itself");
}
