//! Terraform dies and its provider lives on; or a run ends, and another one makes something of the same kind.

use crate::kills::cut_off_after;
use crate::{BOTH, Cloud, THIS, provider, resource};
use harness::emulators::Kind;
use harness::project::run;
use harness::{Project, process, terraform};

/// How many calls a create makes.
fn calls_of_a_create(kind: Kind) -> usize {
    let cloud = Cloud::bucket(kind, "bucket_prefix = \"cut-off-reference-\"");
    cloud.project.apply();
    let calls = cloud.proxy.calls().len();
    cloud.leaves_nothing("cut-off-reference-");
    calls
}

#[test]
fn a_create_whose_terraform_is_killed_is_continued_with_the_same_bucket() {
    for kind in BOTH {
        let all = calls_of_a_create(kind);
        for call in [3, all / 2, all] {
            for argument in ["bucket", "bucket_prefix"] {
                let name = format!("cut-off-{call}-{}-", argument.len());
                let given = if argument == "bucket" {
                    format!("{name}x")
                } else {
                    name.clone()
                };
                let cloud = Cloud::bucket(kind, &format!("{argument} = \"{given}\""));
                assert!(cut_off_after(&cloud, call, "apply", process::kill), "{kind:?}: {name}");
                let made = cloud.buckets(&name);
                assert_eq!(made.len(), 1, "{kind:?}: {name}");
                // At once: the provider of the run that was killed may still run.
                cloud.project.apply();
                assert_eq!(cloud.buckets(&name), made, "{kind:?}: the same, and no second one");
                cloud.project.plans_nothing();
                cloud.leaves_nothing(&name);
            }
        }
    }
}

#[test]
fn two_buckets_of_one_prefix_are_two_whichever_is_applied_when() {
    let cloud = Cloud::bucket(Kind::Moto, "");
    let one = |name: &str| {
        format!("\nresource \"mlplat_aws_s3_bucket\" \"{name}\" {{\n  bucket_prefix = \"of-one-prefix-\"\n}}\n")
    };
    let both = format!("{}{}{}", provider(&cloud.proxy.url(), ""), one("this"), one("that"));
    cloud.project.configure(&both);
    cloud
        .project
        .apply_with(&["-target=mlplat_aws_s3_bucket.this"])
        .success();
    // No call has shown yet that the state has the first one.
    cloud
        .project
        .apply_with(&["-target=mlplat_aws_s3_bucket.that"])
        .success();
    assert_eq!(cloud.buckets("of-one-prefix-").len(), 2);
    cloud.project.plans_nothing();
    cloud.leaves_nothing("of-one-prefix-");

    // Both are cut off, and each is continued.
    let calls = 2 * calls_of_a_create(Kind::Moto);
    assert!(cut_off_after(&cloud, calls - 8, "apply", process::kill));
    let made = cloud.buckets("of-one-prefix-");
    cloud.project.apply();
    let then = cloud.buckets("of-one-prefix-");
    assert!(
        then.len() == 2 && made.iter().all(|name| then.contains(name)),
        "{made:?}, {then:?}"
    );
    cloud.leaves_nothing("of-one-prefix-");
}

#[test]
fn what_one_configuration_began_no_other_continues() {
    let arguments = "bucket_prefix = \"of-two-configurations-\"";
    let first = Cloud::bucket(Kind::Moto, arguments);
    let second = Project::new(&format!("{}{}", provider(&first.proxy.url(), ""), resource(arguments)));
    assert!(cut_off_after(&first, 10, "apply", process::kill));
    let begun = first.buckets("of-two-configurations-");
    let in_second = |arguments: &[&str]| {
        let mut command = second.command(&terraform());
        run(command
            .args(arguments)
            .env("MLPLAT_DATA_DIR", first.project.path("data")))
    };
    in_second(&["apply", "-auto-approve", "-no-color"]).success();
    assert_eq!(first.buckets("of-two-configurations-").len(), 2, "it has its own");
    in_second(&["destroy", "-auto-approve", "-no-color"]).success();
    assert_eq!(first.buckets("of-two-configurations-"), begun);
    first.project.apply();
    assert_eq!(first.buckets("of-two-configurations-"), begun);
    first.leaves_nothing("of-two-configurations-");
}

#[test]
fn a_name_that_another_workspace_has_or_makes_is_refused_with_the_folder() {
    let cloud = Cloud::bucket(Kind::MiniStack, "bucket = \"of-a-workspace\"");
    let workspace = |name: &str| {
        let selected = ["workspace", "select", "-or-create", name];
        cloud.project.terraform(&selected).success();
    };
    assert!(cut_off_after(&cloud, 10, "apply", process::kill));
    workspace("two");
    let folder = cloud.project.folder().display().to_string();
    cloud.project.apply_with(&[]).fails_with(&[
        "of-a-workspace exists already",
        &format!("the configuration in {folder} (workspace default)"),
    ]);
    workspace("default");
    cloud.project.apply();
    workspace("two");
    cloud
        .project
        .apply_with(&[])
        .fails_with(&["an apply of that owner has made it", "terraform import"]);
    assert!(cloud.project.resource(THIS).is_none());
    workspace("default");
    cloud.leaves_nothing("of-a-workspace");
}

#[test]
fn a_bucket_that_was_begun_and_deleted_by_hand_is_made_again() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket_prefix = \"begun-and-deleted-\"");
    assert!(cut_off_after(&cloud, 8, "apply", process::kill));
    let begun = cloud.buckets("begun-and-deleted-");
    assert_eq!(cloud.emulator.s3("DELETE", &format!("/{}", begun[0]), "").status(), 204);
    cloud.project.apply();
    assert_eq!(cloud.buckets("begun-and-deleted-").len(), 1);
    cloud.project.plans_nothing();
    cloud.leaves_nothing("begun-and-deleted-");
}
