//! The provider is killed (SIGKILL) after each of its calls: between what AWS did and what Terraform hears of it.

use crate::{Cloud, THIS};
use harness::emulators::Kind;
use harness::{process, wait};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Runs `terraform apply` or `destroy`, and kills its providers after this call. `false` = it ended before.
pub(crate) fn killed_after(cloud: &Cloud, call: usize, command: &str) -> bool {
    cut_off_after(cloud, call, command, |terraform| {
        for provider in process::children(terraform) {
            process::kill(provider);
        }
    })
}

/// Runs `terraform apply` or `destroy`, and cuts it off after this call; `how` is given its process. `false` = it ended before.
pub(crate) fn cut_off_after(cloud: &Cloud, call: usize, command: &str, how: impl Fn(u32) + Send + 'static) -> bool {
    let terraform = Arc::new(AtomicU32::new(0));
    let of_hook = Arc::clone(&terraform);
    cloud.proxy.after_call(call, move || {
        let parent = wait::until("the process id of Terraform", Duration::from_secs(60), || {
            Some(of_hook.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
        });
        how(parent);
    });
    let mut child = cloud
        .project
        .start(&[command, "-auto-approve", "-no-color", "-input=false"]);
    terraform.store(child.id(), Ordering::SeqCst);
    let ended = child.wait().expect("terraform ends");
    let killed = !cloud.proxy.heal();
    assert_eq!(ended.success(), !killed, "{}", log(cloud));
    killed
}

fn log(cloud: &Cloud) -> String {
    std::fs::read_to_string(cloud.project.path("terraform.log")).unwrap_or_default()
}

#[test]
fn a_create_killed_after_any_call_is_finished_by_the_next_apply_without_a_second_bucket() {
    let mut calls = 0;
    loop {
        let prefix = format!("killed-create-{calls}-");
        let cloud = Cloud::bucket(Kind::Moto, &format!("bucket_prefix = \"{prefix}\""));
        if !killed_after(&cloud, calls + 1, "apply") {
            cloud.leaves_nothing(&prefix);
            break;
        }
        calls += 1;
        cloud.project.apply();
        assert_eq!(cloud.buckets(&prefix).len(), 1, "killed after call {calls}");
        cloud.project.plans_nothing();
        cloud.leaves_nothing(&prefix);
    }
    assert!(calls > 10, "a create makes more than {calls} calls");
}

#[test]
fn an_update_killed_after_any_call_is_finished_by_the_next_apply() {
    let name = "killed-update";
    let before = format!("bucket = \"{name}\"");
    let after = format!(
        "{before}\ntags = {{ a = \"b\" }}\nversioning = {{ enabled = false }}\nlifecycle_rule = []\n\
         public_access_block = {{ block_public_acls = false }}\nattach_deny_insecure_transport_policy = false"
    );
    let cloud = Cloud::bucket(Kind::MiniStack, &before);
    cloud.project.apply();
    let mut calls = 0;
    loop {
        // There and back: each time the other configuration is the change.
        cloud.configure(if calls % 2 == 0 { &after } else { &before });
        if !killed_after(&cloud, calls + 1, "apply") {
            break;
        }
        calls += 1;
        assert!(cloud.project.resource(THIS).is_some(), "killed after call {calls}");
        cloud.project.apply();
        cloud.project.plans_nothing();
    }
    assert!(calls > 10, "an update makes more than {calls} calls");
    cloud.leaves_nothing(name);
}

#[test]
fn a_destroy_killed_after_any_call_is_finished_by_the_next_one() {
    let mut calls = 0;
    loop {
        let name = format!("killed-destroy-{calls}");
        // This test writes without TLS.
        let arguments = "force_destroy = true\nattach_deny_insecure_transport_policy = false";
        let cloud = Cloud::bucket(Kind::Moto, &format!("bucket = \"{name}\"\n{arguments}"));
        cloud.project.apply();
        assert_eq!(cloud.emulator.s3("PUT", &format!("/{name}/key"), "text").status(), 200);
        let killed = killed_after(&cloud, calls + 1, "destroy");
        cloud.leaves_nothing(&name);
        if !killed {
            break;
        }
        calls += 1;
    }
    assert!(calls > 2, "a destroy makes more than {calls} calls");
}
