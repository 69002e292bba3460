//! The provider's file is replaced, or its folder is deleted, while a stack runs.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use terraform_provider_mlplat::runtimes::process::Health;
use terraform_provider_mlplat::services::{Component, StackSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{PROGRAM, TestStack, cache, is_alive, kill, open_as, processes_of, until};

fn with_access() -> StackSpec {
    StackSpec {
        cluster_access: Some("127.0.0.2".parse().unwrap()),
        ..cache()
    }
}

/// A copy of the provider, as `terraform init` makes one.
fn install(at: &Path) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    let new = at.with_extension("new");
    fs::copy(PROGRAM, &new).unwrap();
    fs::rename(new, at).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_provider_takes_over_and_the_services_go_on() {
    let test = TestStack::new();
    let program = test.parent().join("providers/provider");
    install(&program);
    let stack = open_as(&test.dir, &program);
    let never = CancellationToken::new();
    stack.apply(&cache(), &never).await.unwrap();
    let (supervisor, pids) = (test.supervisor().unwrap(), test.pids());
    // The same file: nothing changes.
    stack.apply(&cache(), &never).await.unwrap();
    assert_eq!(test.supervisor(), Some(supervisor));
    install(&program);
    stack.apply(&cache(), &never).await.unwrap();
    assert_ne!(test.supervisor(), Some(supervisor));
    assert!(!is_alive(supervisor));
    assert_eq!(test.pids(), pids);
    // Another version says so in its state.
    let mut state = test.state();
    state["build"]["version"] = "0.0.9".into();
    let second = test.supervisor().unwrap();
    fs::write(test.dir.join("state.json"), state.to_string()).unwrap();
    stack.apply(&cache(), &never).await.unwrap();
    assert_ne!(test.supervisor(), Some(second));
    assert_eq!(test.pids(), pids);
    test.destroy().await;
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn access_comes_back_after_the_providers_folder_was_deleted() {
    let test = TestStack::new();
    let program = test.parent().join("providers/provider");
    install(&program);
    let stack = open_as(&test.dir, &program);
    stack.apply(&with_access(), &CancellationToken::new()).await.unwrap();
    let (supervisor, killed) = (test.supervisor().unwrap(), test.pids()["redis/access"]);
    fs::remove_dir_all(program.parent().unwrap()).unwrap();
    kill(killed, Signal::KILL);
    until("the access to come back", || {
        test.pids().get("redis/access").is_some_and(|pid| *pid != killed)
    })
    .await;
    test.is(Component::Redis, Health::Running).await;
    // Another provider takes over from a program whose file is no more.
    let status = test.apply(&with_access()).await.unwrap();
    assert_eq!(status.components[&Component::Redis].health, Health::Running);
    assert_ne!(test.supervisor(), Some(supervisor));
    test.destroy().await;
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn services_gain_no_privileges_and_write_no_core_files() {
    let test = TestStack::new();
    test.apply(&crate::harness::whole()).await.unwrap();
    for (name, pid) in test.pids() {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        let (status, limits) = (read("status"), read("limits"));
        let field = |field: &str| status.lines().find_map(|line| line.strip_prefix(field)).map(str::trim);
        assert_eq!(field("NoNewPrivs:"), Some("1"), "{name}");
        let core = limits
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .unwrap();
        let core: Vec<_> = core.split_whitespace().collect();
        assert_eq!(core[4..6], ["0", "0"], "{name}: {core:?}");
        // CAP_NET_BIND_SERVICE (10) and CAP_SETFCAP (31).
        let effective = u64::from_str_radix(field("CapEff:").unwrap(), 16).unwrap();
        assert_eq!(effective & !(1 << 10 | 1 << 31), 0, "{name}: {effective:x}");
    }
    test.destroy().await;
}
