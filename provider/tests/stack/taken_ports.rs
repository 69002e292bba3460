//! One component's port is another program's: the others run, and a port that was chosen is chosen again.

use std::net::TcpListener;
use std::path::Path;

use rustix::process::Signal;
use terraform_provider_mlplat::runtimes::process::{Health, StackError};
use terraform_provider_mlplat::services::{Component, ObjectStore, Redis, StackSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestStack, cache, is_let_go, kill, postgres, spare_port, sql, store, whole};

fn redis_on(port: u16, rest: StackSpec) -> StackSpec {
    StackSpec {
        redis: Some(Redis {
            port: Some(port),
            ..Redis::default()
        }),
        ..rest
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_port_that_was_taken_meanwhile_is_chosen_again() {
    let test = TestStack::new();
    let before = test.apply(&whole()).await.unwrap();
    let port =
        |status: &terraform_provider_mlplat::runtimes::process::Status, component| status.components[&component].port;
    assert!(test.stack.lost_ports().is_empty(), "its own service is no stranger");
    // As after a crash of the machine.
    test.kill_supervisor().await;
    for pid in test.pids().into_values() {
        kill(pid, Signal::KILL);
    }
    let taken = port(&before, Component::Redis);
    is_let_go(taken).await;
    let stranger = TcpListener::bind(("127.0.0.1", taken)).unwrap();
    assert_eq!(test.stack.lost_ports(), [Component::Redis].into());
    let after = test.apply(&whole()).await.unwrap();
    for (component, seen) in &after.components {
        assert_eq!(seen.health, Health::Running, "{component}: {:?}", seen.problem);
        let moved = *component == Component::Redis;
        assert_eq!(seen.port != port(&before, *component), moved, "{component}");
    }
    drop(stranger);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_of_the_users_keeps_no_other_component_down_and_all_are_told() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let before = test.pids();
    let port = spare_port();
    let stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let other_buckets = StackSpec {
        object_store: Some(store(&["models", "reports", "more"])),
        ..redis_on(port, whole())
    };
    let error = test.apply(&other_buckets).await.unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert_eq!(error.attribute(), ["redis", "port"]);
    // The redis of before goes on, on its port; the others are as asked for.
    assert_eq!(test.pids(), before);
    let status = test.status().await;
    assert!(status.components.values().all(|seen| seen.health == Health::Running));
    assert_ne!(status.components[&Component::Redis].port, port);
    assert_eq!(status.endpoints.s3.unwrap().buckets, ["models", "reports", "more"]);
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");

    // Two problems are told as two, also of a stack that is down, and the third component comes up.
    let second = spare_port();
    let other_stranger = TcpListener::bind(("127.0.0.1", second)).unwrap();
    test.stack.stop(&CancellationToken::new()).await.unwrap();
    let both = StackSpec {
        object_store: Some(ObjectStore {
            port: Some(second),
            ..store(&["models", "reports"])
        }),
        ..redis_on(port, whole())
    };
    let error = test.apply(&both).await.unwrap_err();
    let attributes: Vec<_> = error.problems().iter().map(|problem| problem.attribute()).collect();
    assert_eq!(attributes, [["redis", "port"], ["object_store", "port"]]);
    assert_eq!(
        test.status().await.components[&Component::Postgres].health,
        Health::Running
    );
    drop((stranger, other_stranger));
    is_let_go(port).await;
    is_let_go(second).await;
    let status = test.apply(&both).await.unwrap();
    assert_eq!(status.components[&Component::Redis].port, port);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_new_stack_is_made_when_one_component_cannot_run_and_all_problems_are_told() {
    let test = TestStack::new();
    let port = spare_port();
    let _stranger = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let spec = StackSpec {
        postgres: Some(terraform_provider_mlplat::services::Postgres {
            version: Some("9".into()),
            ..postgres()
        }),
        ..redis_on(port, cache())
    };
    let error = test.apply(&spec).await.unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_another_stack_has_names_that_stack() {
    let (first, second) = (TestStack::new(), TestStack::new());
    let port = first.apply(&cache()).await.unwrap().components[&Component::Redis].port;
    let error = second.apply(&redis_on(port, cache())).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StackError::PortTaken { .. }), "{text}");
    let expected = format!(" of the local stack \"test\" in {}", real(&first.dir).display());
    assert!(text.contains(&expected), "{text}");
    first.destroy().await;
}

fn real(path: &Path) -> std::path::PathBuf {
    path.canonicalize().unwrap()
}
