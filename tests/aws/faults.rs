//! What goes wrong on the way to AWS: it passes, or it is an error that loses nothing.

use crate::{Cloud, THIS, provider, resource};
use harness::emulators::Kind;
use harness::{Call, Fault};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Every third call, however often it is repeated.
fn every_third() -> impl Fn(&Call) -> bool + Send + 'static {
    let seen = AtomicUsize::new(0);
    move |_| seen.fetch_add(1, Ordering::Relaxed) % 3 == 2
}

/// Every writing call to S3 once. moto forgets the tags that CreateBucket sends, by which a bucket is known as ours.
fn every_write_once(kind: Kind) -> impl Fn(&Call) -> bool + Send + 'static {
    let seen = Mutex::new(BTreeSet::new());
    move |call| {
        let new = (call.method.clone(), call.path.clone(), call.query.clone());
        let creates = call.method == "PUT" && call.query.is_empty();
        let meant = call.writes() && call.path != "/" && !(creates && matches!(kind, Kind::Moto));
        meant && seen.lock().expect("no test panics inside").insert(new)
    }
}

#[test]
fn throttling_and_faults_of_the_service_pass() {
    for (name, fault) in [("throttled", Fault::THROTTLED), ("broken", Fault::BROKEN)] {
        let cloud = Cloud::bucket(Kind::Moto, &format!("bucket = \"{name}\""));
        cloud.proxy.fault(fault, 12, every_third());
        cloud.project.apply();
        cloud.proxy.heal();
        cloud.project.plans_nothing();
        cloud.leaves_nothing(name);
    }
}

#[test]
fn a_reply_that_is_lost_after_every_write_makes_nothing_twice() {
    for kind in [Kind::Moto, Kind::MiniStack] {
        let cloud = Cloud::bucket(kind, "bucket_prefix = \"lost-replies-\"\nforce_destroy = true");
        cloud.proxy.fault(Fault::LostReply, 100, every_write_once(kind));
        cloud.project.apply();
        assert_eq!(cloud.buckets("lost-replies-").len(), 1, "{kind:?}");
        cloud.project.plans_nothing();
        cloud.leaves_nothing("lost-replies-");
    }
}

#[test]
fn when_the_service_stays_broken_what_exists_is_kept_and_the_next_apply_goes_on() {
    let cloud = Cloud::bucket(Kind::Moto, "");
    let arguments = "bucket = \"stays-broken\"";
    let impatient = format!(
        "{}{}",
        provider(&cloud.proxy.url(), "max_retries = 2"),
        resource(arguments)
    );
    cloud.project.configure(&impatient);
    cloud.proxy.fault(Fault::BROKEN, 1000, |call| {
        call.method == "PUT" && call.asks("publicAccessBlock")
    });
    cloud
        .project
        .apply_with(&[])
        .fails_with(&["The bucket was not made", "stays-broken"]);
    assert!(
        cloud.project.resource(THIS).is_some(),
        "the bucket is there, and in the state"
    );
    cloud.proxy.heal();
    cloud.project.apply();
    cloud.project.plans_nothing();
    cloud.leaves_nothing("stays-broken");
}

#[test]
fn expired_credentials_say_so_and_lose_nothing() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"expired\"");
    cloud.project.apply();
    cloud.configure("bucket = \"expired\"\ntags = { team = \"ml\" }");
    cloud.proxy.fault(Fault::EXPIRED, 1000, |call| call.path != "/");
    let plan = cloud.project.plan();
    plan.fails_with(&["expired", "To fix:"]);
    cloud.proxy.heal();
    cloud
        .proxy
        .fault(Fault::EXPIRED, 1000, |call| call.writes() && call.path != "/");
    cloud.project.apply_with(&[]).fails_with(&["expired", "To fix:"]);
    cloud.proxy.heal();
    assert!(cloud.project.resource(THIS).is_some());
    let applied = cloud.project.apply();
    assert!(
        applied.text.contains("0 added, 1 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    cloud.leaves_nothing("expired");
}

#[test]
fn a_bucket_that_may_not_be_read_is_an_error_and_never_gone() {
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"forbidden\"");
    cloud.project.apply();
    for setting in ["tagging", "versioning", "policy", "lifecycle"] {
        cloud
            .proxy
            .fault(Fault::FORBIDDEN, 1000, move |call| call.asks(setting));
        let plan = cloud.project.plan();
        plan.fails_with(&["forbidden", "To fix:"]);
        assert!(cloud.project.resource(THIS).is_some(), "{setting}");
        cloud.proxy.heal();
    }
    cloud.project.plans_nothing();
    cloud.leaves_nothing("forbidden");
}

#[test]
fn a_hung_socket_ends_at_the_deadline_and_says_what_was_awaited() {
    // Far more than it takes, and far less than the 20 minutes without it.
    let cloud = Cloud::bucket(Kind::Moto, "bucket = \"hangs\"\ntimeouts = { read = \"20s\" }");
    cloud.project.apply();
    cloud.proxy.fault(Fault::Hang, 1000, |call| call.path != "/");
    cloud.project.plan().fails_with(&["hangs", "timed out after 20.0 s"]);
    cloud.proxy.heal();
    assert!(cloud.project.resource(THIS).is_some());
    cloud.project.plans_nothing();
    cloud.leaves_nothing("hangs");
}
