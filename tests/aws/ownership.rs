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
fn a_create_killed_on_one_machine_is_finished_on_another_only_where_the_owner_is_named() {
    // CreateBucket is the third call, after STS and the look at what is there.
    for (name, calls) in [("killed-at-once", 3), ("killed-later", 18)] {
        let cloud = Cloud::bucket(Kind::MiniStack, "");
        let of = |owner: &str| {
            let owner = provider(&cloud.proxy.url(), owner);
            cloud
                .project
                .configure(&format!("{owner}{}", resource(&format!("bucket = \"{name}\""))));
        };
        of("owner = \"team-a\"");
        assert!(crate::kills::killed_after(&cloud, calls, "apply"), "{name}");
        assert_eq!(cloud.buckets(name), [name]);
        std::fs::remove_dir_all(cloud.project.path("data/aws")).expect("what this machine noted");

        of("owner = \"others\"");
        cloud
            .project
            .apply_with(&[])
            .fails_with(&["its tag mlplat.dev/creating is \"team-a\"", "terraform import"]);
        of("owner = \"team-a\"");
        cloud.project.apply();
        cloud.project.plans_nothing();
        assert!(!cloud.get(name, "tagging").text().contains("creating"), "it is whole");
        cloud.leaves_nothing(name);
    }
}

/// Whoever may make buckets can give them the tag.
#[test]
fn a_bucket_with_the_tag_of_a_create_is_not_taken_without_a_note() {
    for kind in BOTH {
        let cloud = Cloud::bucket(
            kind,
            "bucket = \"squatted\"\nattach_deny_insecure_transport_policy = false",
        );
        cloud.emulator.make_bucket("squatted");
        for value in ["mlplat", "0123456789abcdef:mlplat"] {
            let tag = format!("<Tag><Key>mlplat.dev/creating</Key><Value>{value}</Value></Tag>");
            let body = format!("<Tagging><TagSet>{tag}</TagSet></Tagging>");
            assert!(cloud.emulator.s3("PUT", "/squatted?tagging", &body).status() < 300);
            cloud
                .project
                .apply_with(&[])
                .fails_with(&["which anyone can set", "terraform import ADDRESS squatted@eu-central-1"]);
            assert!(cloud.project.resource(THIS).is_none());
            assert!(
                cloud.get("squatted", "tagging").text().contains(value),
                "{kind:?}: nothing of it was changed"
            );
        }
        assert_eq!(cloud.emulator.s3("DELETE", "/squatted", "").status(), 204);
    }
}

#[test]
fn every_call_for_a_bucket_names_the_account_that_it_is_expected_in() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"expected-owner\"");
    cloud.project.apply();
    cloud.configure("bucket = \"expected-owner\"\ntags = { a = \"b\" }");
    cloud.project.apply();
    cloud.leaves_nothing("expected-owner");
    for call in cloud.proxy.calls().iter().filter(|call| call.path != "/") {
        let creates = call.method == "PUT" && call.query.is_empty();
        let expected = if creates { "" } else { "123456789012" };
        assert_eq!(call.expected_owner, expected, "{call:?}");
    }
}
