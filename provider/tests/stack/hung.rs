//! Processes that live and do not react. SIGSTOP stands for a deadlock, a swap storm or a stuck disk.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use terraform_provider_mlplat::runtimes::process::Health;
use terraform_provider_mlplat::services::{Component, Redis, StackSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestStack, cache, database, is_alive, kill, processes_of, sql, until, whole};

#[tokio::test(flavor = "multi_thread")]
async fn hung_services_are_told_at_once_and_restarted_with_their_data_by_the_next_apply() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let before = test.pids();
    before.values().for_each(|pid| kill(*pid, Signal::STOP));
    let asked = Instant::now();
    let status = test.status().await;
    // One timeout of 3 s for all of them, and not one for each.
    assert!(asked.elapsed() < Duration::from_secs(7), "{:?}", asked.elapsed());
    for (component, seen) in &status.components {
        assert_eq!(seen.health, Health::Unresponsive, "{component}: {:?}", seen.problem);
        assert_eq!(seen.pid, Some(before[component.as_str()]));
        let problem = seen.problem.as_deref().unwrap();
        assert!(problem.contains("gave no answer within 3 s"), "{problem}");
    }
    let started = Instant::now();
    let status = test.apply(&whole()).await.unwrap();
    println!("all answered again after {:?}", started.elapsed());
    for (component, seen) in &status.components {
        assert_eq!(seen.health, Health::Running, "{component}: {:?}", seen.problem);
        assert_ne!(seen.pid, Some(before[component.as_str()]));
    }
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    // Once is enough: nothing is restarted by the next apply, also not after the supervisor was lost.
    let after = test.pids();
    test.kill_supervisor().await;
    test.apply(&whole()).await.unwrap();
    assert_eq!(test.pids(), after);
    test.destroy().await;
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn hung_access_is_told_with_its_reason_and_restarted_alone() {
    let spec = StackSpec {
        cluster_access: Some("127.0.0.2".parse().unwrap()),
        ..cache()
    };
    let test = TestStack::new();
    test.apply(&spec).await.unwrap();
    let before = test.pids();
    kill(before["redis/access"], Signal::STOP);
    let seen = test.status().await.components.remove(&Component::Redis).unwrap();
    assert_eq!(seen.health, Health::Unreachable);
    let problem = seen.problem.unwrap();
    assert!(problem.contains("pods do not reach it on 127.0.0.2:"), "{problem}");
    assert!(problem.contains("gave no answer within 3 s"), "{problem}");
    test.apply(&spec).await.unwrap();
    let after = test.pids();
    assert_eq!(after["redis"], before["redis"]);
    assert_ne!(after["redis/access"], before["redis/access"]);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hung_supervisor_is_replaced_and_its_services_go_on() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let (supervisor, before) = (test.supervisor().unwrap(), test.pids());
    kill(supervisor, Signal::STOP);
    let both = StackSpec {
        redis: Some(Redis::default()),
        ..database()
    };
    let status = test.apply(&both).await.unwrap();
    assert!(status.components.values().all(|seen| seen.health == Health::Running));
    assert_eq!(test.pids()["postgres"], before["postgres"]);
    assert!(!is_alive(supervisor));
    // It ends its services too.
    kill(test.supervisor().unwrap(), Signal::STOP);
    test.stack.stop(&CancellationToken::new()).await.unwrap();
    until("all to end", || processes_of(test.parent()).is_empty()).await;
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_server_does_not_know_is_told_soon_and_with_the_fix() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let file = test.dir.join("postgres/login.json");
    let right = std::fs::read(&file).unwrap();
    let mut login: serde_json::Value = serde_json::from_slice(&right).unwrap();
    login["admin_secret"] = "another-password".into();
    std::fs::write(&file, login.to_string()).unwrap();
    let started = Instant::now();
    let text = test.apply(&database()).await.unwrap_err().to_string();
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    assert!(text.contains("28P01"), "{text}");
    assert!(text.contains("To fix: restore postgres/login.json"), "{text}");
    assert!(!text.contains("another-password"), "{text}");
    std::fs::write(&file, right).unwrap();
    test.apply(&database()).await.unwrap();
    test.destroy().await;
}
