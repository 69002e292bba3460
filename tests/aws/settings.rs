//! Every argument is changed in place, and what somebody else changes is seen and mended. Each change has a bucket of its own,
//! so that all of them take one apply.

use crate::{BOTH, Cloud, THIS, provider};
use harness::emulators::Kind;
use std::fmt::Write;

/// A bucket with every argument that can change in place.
const FULL: &str = r#"
  force_destroy    = false
  timeouts         = { create = "11m", read = "12m", update = "13m", delete = "14m" }
  tags             = { team = "ml" }
  versioning       = { enabled = true }
  object_ownership = "BucketOwnerEnforced"
  policy           = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Deny", Principal = "*", Action = "s3:PutBucketWebsite", Resource = "arn:aws:s3:::NAME" }] })
  attach_deny_insecure_transport_policy = true
  server_side_encryption_configuration = {
    sse_algorithm      = "aws:kms"
    kms_master_key_id  = "arn:aws:kms:eu-central-1:123456789012:key/one"
    bucket_key_enabled = true
  }
  public_access_block = {
    block_public_acls       = true
    block_public_policy     = true
    ignore_public_acls      = true
    restrict_public_buckets = true
  }
  cors_rule = [{
    id              = "app"
    allowed_headers = ["x-one"]
    allowed_methods = ["GET"]
    allowed_origins = ["https://app.example.com"]
    expose_headers  = ["ETag"]
    max_age_seconds = 60
  }]
  logging = { target_bucket = "NAME", target_prefix = "log/" }
  lifecycle_rule = [
    {
      id      = "runs"
      enabled = true
      filter  = { prefix = "runs/", tags = { kind = "run" }, object_size_greater_than = 1024, object_size_less_than = 4096 }
      expiration                    = { days = 730 }
      transition                    = [{ days = 90, storage_class = "GLACIER_IR" }]
      noncurrent_version_expiration = { noncurrent_days = 30, newer_noncurrent_versions = 3 }
      noncurrent_version_transition = [{ noncurrent_days = 10, newer_noncurrent_versions = 2, storage_class = "STANDARD_IA" }]
    },
    { id = "sizes", filter = { object_size_greater_than = 7 }, expiration = { days = 8 } },
    { id = "dates", filter = { tags = { old = "yes" } }, expiration = { date = "2040-01-01" }, transition = [{ date = "2035-01-01", storage_class = "GLACIER" }] },
    { id = "uploads", abort_incomplete_multipart_upload = { days_after_initiation = 5 } },
  ]
"#;

/// What is changed, from and to. The changes of one group have a bucket each; a bucket has one of every group, and no two
/// groups are written by the same call.
const CHANGES: [&[(&str, &str)]; 10] = [
    &[
        ("force_destroy    = false", "force_destroy = true"),
        ("create = \"11m\"", "create = \"21m\""),
        ("read = \"12m\"", "read = \"22m\""),
        ("update = \"13m\"", "update = \"23m\""),
        (", delete = \"14m\"", ""),
    ],
    &[
        ("team = \"ml\"", "team = \"ops\""),
        ("team = \"ml\"", "team = \"ml\", stage = \"test\""),
        ("{ team = \"ml\" }", "{}"),
        ("{ team = \"ml\" }", "null"),
    ],
    &[(
        "versioning       = { enabled = true }",
        "versioning = { enabled = false }",
    )],
    &[
        ("\"BucketOwnerEnforced\"", "\"BucketOwnerPreferred\""),
        ("\"BucketOwnerEnforced\"", "\"ObjectWriter\""),
    ],
    &[
        ("\"s3:PutBucketWebsite\"", "\"s3:PutReplicationConfiguration\""),
        ("policy = true", "policy = false"),
    ],
    &[
        ("key/one", "key/two"),
        ("bucket_key_enabled = true", "bucket_key_enabled = false"),
        ("\"aws:kms\"", "\"aws:kms:dsse\""),
        ("kms_master_key_id", "# "),
    ],
    &[
        ("block_public_acls       = true", "block_public_acls = false"),
        ("block_public_policy     = true", "block_public_policy = false"),
        ("ignore_public_acls      = true", "ignore_public_acls = false"),
        ("restrict_public_buckets = true", "restrict_public_buckets = false"),
    ],
    &[
        ("\"app\"", "\"page\""),
        ("\"x-one\"", "\"x-one\", \"x-two\""),
        ("[\"GET\"]", "[\"GET\", \"PUT\"]"),
        ("https://app.example.com", "https://page.example.com"),
        ("[\"ETag\"]", "null"),
        ("max_age_seconds = 60", "max_age_seconds = 61"),
    ],
    &[("\"log/\"", "\"logs/\""), ("logging = {", "#")],
    &[
        ("\"runs\"", "\"walks\""),
        ("enabled = true\n      filter", "enabled = false\n      filter"),
        ("runs/", "walks/"),
        ("kind = \"run\"", "kind = \"walk\""),
        ("= 1024", "= 2048"),
        ("= 4096", "= 8192"),
        ("days = 730", "days = 731"),
        ("days = 90,", "days = 91,"),
        ("\"GLACIER_IR\"", "\"DEEP_ARCHIVE\""),
        ("noncurrent_days = 30", "noncurrent_days = 31"),
        ("newer_noncurrent_versions = 3", "newer_noncurrent_versions = 4"),
        ("noncurrent_days = 10", "noncurrent_days = 11"),
        ("newer_noncurrent_versions = 2", "newer_noncurrent_versions = 5"),
        ("\"STANDARD_IA\"", "\"ONEZONE_IA\""),
        ("= 7 ", "= 9 "),
        ("old = \"yes\"", "old = \"no\""),
        ("2040-01-01", "2041-01-01"),
        ("{ date = \"2040-01-01\" }", "{ expired_object_delete_marker = true }"),
        ("2035-01-01", "2036-01-01"),
        ("days_after_initiation = 5", "days_after_initiation = 6"),
    ],
];

/// moto asks for a policy of the logs' target that names it in one certain way. It drops sizes, and how many old versions are
/// kept when others are deleted.
const NOT_KEPT_BY_MOTO: [&str; 4] = [
    "logging = { target_bucket = \"NAME\", target_prefix = \"log/\" }",
    ", object_size_greater_than = 1024, object_size_less_than = 4096",
    ", newer_noncurrent_versions = 3",
    "{ id = \"sizes\", filter = { object_size_greater_than = 7 }, expiration = { days = 8 } },",
];

/// Buckets with these arguments each.
fn buckets(cloud: &Cloud, prefix: &str, all: &[String]) {
    let mut configuration = provider(&cloud.proxy.url(), "");
    for (number, arguments) in all.iter().enumerate() {
        let name = format!("{prefix}{number}");
        let arguments = arguments.replace("NAME", &name);
        let _ = write!(
            configuration,
            "resource \"mlplat_aws_s3_bucket\" \"b{number}\" {{\n  bucket = \"{name}\"\n{arguments}\n}}\n"
        );
    }
    cloud.project.configure(&configuration);
}

#[test]
fn every_argument_is_changed_in_place() {
    for kind in BOTH {
        let full = match kind {
            Kind::Moto => NOT_KEPT_BY_MOTO.iter().fold(FULL.to_owned(), |text, part| {
                assert!(text.contains(part), "{part}");
                text.replace(part, "")
            }),
            Kind::MiniStack => FULL.to_owned(),
        };
        let longest = CHANGES.iter().map(|group| group.len()).max().unwrap_or_default();
        let mut changed = vec![full.clone(); longest];
        for group in CHANGES {
            for ((from, to), text) in group.iter().zip(&mut changed) {
                let kept = full.contains(from);
                assert!(kept || matches!(kind, Kind::Moto), "{from:?} is not in {full}");
                *text = text.replacen(from, to, 1);
            }
        }
        changed.retain(|text| *text != full);
        let cloud = Cloud::bucket(kind, "");
        buckets(&cloud, "changes-", &vec![full; changed.len()]);
        cloud.project.apply();
        cloud.project.plans_nothing();
        buckets(&cloud, "changes-", &changed);
        let applied = cloud.project.apply();
        let summary = format!("0 added, {} changed, 0 destroyed", changed.len());
        assert!(applied.text.contains(&summary), "{kind:?}:\n{}", applied.text);
        cloud.project.plans_nothing();
        cloud.leaves_nothing("changes-");
    }
}

/// What all of these buckets have.
const PLAIN: &str = "tags = { team = \"ml\" }\n\
     cors_rule = [{ allowed_methods = [\"GET\"], allowed_origins = [\"*\"] }]\n\
     policy = jsonencode({ Version = \"2012-10-17\", Statement = [{ Effect = \"Deny\", Principal = \"*\", Action = \"s3:PutBucketWebsite\", Resource = \"arn:aws:s3:::NAME\" }] })";

/// What somebody does to a bucket by hand: method, setting, body. `XMLNS` stands for S3's.
const EDITS: [(&str, &str, &str); 14] = [
    ("DELETE", "tagging", ""),
    (
        "PUT",
        "tagging",
        "<Tagging><TagSet><Tag><Key>mlplat.dev/owner</Key><Value>mlplat</Value></Tag><Tag><Key>team</Key><Value>others</Value></Tag></TagSet></Tagging>",
    ),
    ("DELETE", "publicAccessBlock", ""),
    (
        "PUT",
        "publicAccessBlock",
        "<PublicAccessBlockConfiguration XMLNS><BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls><BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>",
    ),
    ("DELETE", "policy", ""),
    (
        "PUT",
        "policy",
        "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutBucketNotification\",\"Resource\":\"arn:aws:s3:::drifts\"}]}",
    ),
    ("DELETE", "lifecycle", ""),
    (
        "PUT",
        "lifecycle",
        "<LifecycleConfiguration XMLNS><Rule><ID>expire-old-versions</ID><Filter><Prefix></Prefix></Filter><Status>Disabled</Status><NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays></NoncurrentVersionExpiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>",
    ),
    ("DELETE", "cors", ""),
    (
        "PUT",
        "cors",
        "<CORSConfiguration XMLNS><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>",
    ),
    (
        "PUT",
        "versioning",
        "<VersioningConfiguration XMLNS><Status>Suspended</Status></VersioningConfiguration>",
    ),
    (
        "PUT",
        "ownershipControls",
        "<OwnershipControls XMLNS><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>",
    ),
    (
        "PUT",
        "encryption",
        "<ServerSideEncryptionConfiguration XMLNS><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>",
    ),
    // Last: what was once locked cannot be unlocked, so this bucket is made anew.
    (
        "PUT",
        "object-lock",
        "<ObjectLockConfiguration XMLNS><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>",
    ),
];

/// Under MiniStack alone: moto asks for a policy of the logs' target first.
const LOGGING: [&str; 2] = [
    "<BucketLoggingStatus XMLNS/>",
    "<BucketLoggingStatus XMLNS><LoggingEnabled><TargetBucket>drifts-14</TargetBucket><TargetPrefix>mine/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
];

#[test]
fn what_somebody_changes_by_hand_is_seen_and_mended() {
    for kind in BOTH {
        let cloud = Cloud::bucket(kind, "");
        let mut edits = EDITS.to_vec();
        let mut arguments = vec![PLAIN.to_owned(); edits.len()];
        if matches!(kind, Kind::MiniStack) {
            edits.extend(LOGGING.map(|body| ("PUT", "logging", body)));
            let logs = format!("{PLAIN}\nlogging = {{ target_bucket = \"NAME\", target_prefix = \"log/\" }}");
            arguments.resize(edits.len(), logs);
        }
        buckets(&cloud, "drifts-", &arguments);
        cloud.project.apply();
        for (number, (method, setting, body)) in edits.iter().enumerate() {
            let body = body.replace("XMLNS", "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"");
            let edited = cloud.emulator.s3(method, &format!("/drifts-{number}?{setting}"), &body);
            assert!(edited.status() < 300, "{kind:?}: {method} {setting}: {}", edited.text());
        }
        let plan = cloud.project.plans_a_change();
        for (number, (method, setting, _)) in edits.iter().enumerate() {
            let what = match *setting {
                "object-lock" => "must be replaced",
                _ => "will be updated in-place",
            };
            let line = format!("mlplat_aws_s3_bucket.b{number} {what}");
            assert!(
                plan.text.contains(&line),
                "{kind:?}: {method} {setting} was not seen:\n{}",
                plan.text
            );
        }
        cloud.project.apply();
        cloud.project.plans_nothing();
        cloud.leaves_nothing("drifts-");
    }
}

#[test]
fn tags_of_every_resource_reach_the_bucket_and_those_of_others_stay() {
    let cloud = Cloud::bucket(Kind::MiniStack, "");
    let configure = |more: &str, tags: &str| {
        let bucket = crate::resource(&format!("bucket = \"tags-of-all\"\ntags = {tags}"));
        let block = provider(&cloud.proxy.url(), more);
        cloud.project.configure(&format!("{block}{bucket}"));
    };
    let applied = |tags: &[(&str, &str)]| {
        cloud.project.apply();
        cloud.project.plans_nothing();
        let found = cloud.get("tags-of-all", "tagging").text();
        for (key, value) in tags {
            let tag = format!("<Key>{key}</Key><Value>{value}</Value>");
            assert!(found.contains(&tag), "{tag} is not in {found}");
        }
        assert_eq!(found.matches("<Key>").count(), tags.len(), "{found}");
    };
    let owner = ("mlplat.dev/owner", "mlplat");
    configure("", "{ team = \"ml\" }");
    applied(&[("team", "ml"), owner]);

    let defaults = "default_tags = { tags = { stage = \"test\", team = \"all\" } }";
    configure(defaults, "{ team = \"ml\" }");
    let plan = cloud.project.plans_a_change();
    assert!(
        plan.text.contains("0 to add, 1 to change, 0 to destroy"),
        "{}",
        plan.text
    );
    applied(&[("stage", "test"), ("team", "ml"), owner]);
    let known = cloud.project.resource(THIS).expect("in the state");
    assert_eq!(known["tags"], serde_json::json!({ "team": "ml" }));
    assert_eq!(known["tags_all"], serde_json::json!({ "stage": "test", "team": "ml" }));

    // Somebody else's tag: ignored it is neither drift nor removed with the next change; not ignored it is both.
    let edited = "<Tagging><TagSet><Tag><Key>mlplat.dev/owner</Key><Value>mlplat</Value></Tag><Tag><Key>stage</Key><Value>test</Value></Tag><Tag><Key>team</Key><Value>ml</Value></Tag><Tag><Key>others/x</Key><Value>y</Value></Tag></TagSet></Tagging>";
    let edit = cloud.emulator.s3("PUT", "/tags-of-all?tagging", edited);
    assert!(edit.status() < 300, "{}", edit.text());
    let ignoring = format!("{defaults}\nignore_tags = {{ key_prefixes = [\"others/\"] }}");
    configure(&ignoring, "{ team = \"ml\" }");
    cloud.project.plans_nothing();
    configure(&ignoring, "null");
    applied(&[("others/x", "y"), ("stage", "test"), ("team", "all"), owner]);
    configure("", "null");
    cloud.project.plans_a_change();
    applied(&[owner]);
    cloud.leaves_nothing("tags-of-all");
}
