//! Whose a bucket is: a create that was cut off is continued, and nothing that somebody else has made is taken.

use crate::{BOTH, Cloud, THIS, provider, resource};
use harness::Fault;
use harness::emulators::Kind;

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
fn a_bucket_that_another_state_of_the_same_owner_has_made_is_refused() {
    for kind in BOTH {
        let arguments = "bucket = \"made-once\"";
        let (first, second) = (Cloud::bucket(kind, arguments), Cloud::bucket(kind, arguments));
        first.project.apply();
        second.project.apply_with(&[]).fails_with(&[
            "made-once",
            "an apply of that owner has made it",
            "terraform import",
        ]);
        assert!(second.project.resource(THIS).is_none(), "{kind:?}");
        first.project.plans_nothing();
        first.leaves_nothing("made-once");
        second.project.apply();
        second.leaves_nothing("made-once");
    }
}

#[test]
fn a_create_that_was_refused_claims_nothing_that_is_made_later() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"refused\"");
    let creates = |call: &harness::Call| call.method == "PUT" && call.query.is_empty();
    cloud.proxy.fault(Fault::FORBIDDEN, 10, creates);
    cloud
        .project
        .apply_with(&[])
        .fails_with(&["s3:CreateBucket was denied"]);
    cloud.proxy.heal();
    // Empty and without a tag, as a create leaves it that is cut off where a store takes no tags with the call.
    cloud.emulator.make_bucket("refused");
    cloud.project.apply_with(&[]).fails_with(&["terraform import"]);
    assert_eq!(cloud.emulator.s3("DELETE", "/refused", "").status(), 204);
}

#[test]
fn a_create_killed_on_one_machine_is_finished_on_another_of_the_same_owner() {
    // CreateBucket is the third call, after STS and the look at what is there.
    for (name, calls) in [("killed-at-once", 3), ("killed-later", 18)] {
        let cloud = Cloud::bucket(Kind::MiniStack, &format!("bucket = \"{name}\""));
        assert!(crate::kills::killed_after(&cloud, calls, "apply"), "{name}");
        assert_eq!(cloud.buckets(name), [name]);
        std::fs::remove_dir_all(cloud.project.path("data/aws")).expect("what this machine noted");

        let others = provider(&cloud.proxy.url(), "owner = \"others\"");
        cloud
            .project
            .configure(&format!("{others}{}", resource(&format!("bucket = \"{name}\""))));
        cloud
            .project
            .apply_with(&[])
            .fails_with(&["its tag mlplat.dev/creating is \"mlplat\"", "terraform import"]);
        cloud.configure(&format!("bucket = \"{name}\""));
        cloud.project.apply();
        cloud.project.plans_nothing();
        assert!(!cloud.get(name, "tagging").text().contains("creating"), "it is whole");
        cloud.leaves_nothing(name);
    }
}
