//! kill -9 of anything, a lost state, a folder that is deleted.

use std::fs;
use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;
use terraform_provider_mlplat::runtimes::process::Health;
use terraform_provider_mlplat::services::{Component, Postgres, StackSpec};

use crate::harness::{TestStack, cache, database, delete, is_alive, kill, postgres, processes_of, sql, until, whole};

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_comes_back_with_its_data() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(
        &test,
        "artefacts",
        "CREATE TABLE kept AS SELECT generate_series(1, 20000) AS n",
    )
    .await
    .unwrap();
    for component in Component::ALL {
        let others: Vec<_> = test
            .pids()
            .into_iter()
            .filter(|(name, _)| name != component.as_str())
            .collect();
        let killed = Instant::now();
        test.kill_and_await(component).await;
        println!("{component} was back after {:?}", killed.elapsed());
        assert!(others.iter().all(|(name, pid)| test.pids()[name] == *pid));
    }
    assert_eq!(
        sql(&test, "artefacts", "SELECT count(*) FROM kept").await.unwrap(),
        "20000"
    );
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_outlive_their_supervisor_and_the_next_one_adopts_them() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    let pids = test.pids();
    let supervisor = test.kill_supervisor().await;
    // Nobody would start a service again now: that is drift.
    assert!(
        test.status()
            .await
            .components
            .values()
            .all(|seen| seen.health == Health::Stopped)
    );
    let adopting = Instant::now();
    let status = test.apply(&whole()).await.unwrap();
    println!("adopted in {:?}", adopting.elapsed());
    assert!(status.components.values().all(|seen| seen.health == Health::Running));
    assert_eq!(test.pids(), pids);
    assert_ne!(test.supervisor(), Some(supervisor));
    test.destroy().await;
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everything_is_killed_an_apply_brings_it_back_with_its_data() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(
        &test,
        "artefacts",
        "CREATE TABLE kept AS SELECT generate_series(1, 200000) AS n",
    )
    .await
    .unwrap();
    test.kill_supervisor().await;
    for pid in test.pids().into_values() {
        kill(pid, Signal::KILL);
    }
    let started = Instant::now();
    test.apply(&whole()).await.unwrap();
    println!("all was back after {:?}", started.elapsed());
    assert_eq!(
        sql(&test, "artefacts", "SELECT count(*) FROM kept").await.unwrap(),
        "200000"
    );
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_no_state_names_is_found_and_replaced_not_doubled() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let lost = test.pids()["postgres"];
    test.kill_supervisor().await;
    fs::remove_file(test.dir.join("state.json")).unwrap();
    test.apply(&database()).await.unwrap();
    assert!(!processes_of(test.parent()).contains(&lost));
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_got_the_pid_is_never_signalled() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    test.kill_supervisor().await;
    let service = test.pids()["redis"];
    kill(service, Signal::KILL);
    until("the service to end", || !is_alive(service)).await;
    let mut stranger = std::process::Command::new("sleep").arg("3600").spawn().unwrap();
    // The state as it would be if the kernel had given the two pids to the stranger.
    let mut state = test.state();
    state["supervisor"]["pid"] = json!(stranger.id());
    state["units"]["redis"]["process"]["pid"] = json!(stranger.id());
    fs::write(test.dir.join("state.json"), state.to_string()).unwrap();
    test.apply(&cache()).await.unwrap();
    let pid = test.pids()["redis"];
    test.destroy().await;
    let ended = stranger.try_wait().unwrap();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    assert_ne!(pid, stranger.id());
    assert_eq!(ended, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_folder_takes_its_processes_with_it() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    delete(&test.dir).await;
    assert!(test.stack.status().await.unwrap().is_none());
    until("the processes to end", || processes_of(test.parent()).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_stack_can_be_made_again_at_once_on_the_same_port() {
    let test = TestStack::new();
    let port = test.apply(&database()).await.unwrap().components[&Component::Postgres].port;
    let fixed = Postgres {
        port: Some(port),
        ..postgres()
    };
    let spec = StackSpec {
        postgres: Some(fixed),
        ..database()
    };
    delete(&test.dir).await;
    let status = test.apply(&spec).await.unwrap();
    assert_eq!(status.components[&Component::Postgres].health, Health::Running);
    test.destroy().await;
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_component_is_missing_and_is_made_anew() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    let other = test.pids()["redis"];
    delete(&test.dir.join("postgres")).await;
    assert_eq!(
        test.status().await.components[&Component::Postgres].health,
        Health::Missing
    );
    test.apply(&whole()).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT 1").await.unwrap(), "1");
    assert_eq!(test.pids()["redis"], other);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_that_is_told_to_end_ends_its_services_in_order() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    kill(test.supervisor().unwrap(), Signal::TERM);
    until("all to end", || processes_of(test.parent()).is_empty()).await;
    // A second start needs no recovery: the first ended in order.
    test.apply(&whole()).await.unwrap();
    let log = fs::read_to_string(test.dir.join("postgres/log")).unwrap();
    assert!(!log.contains("automatic recovery in progress"), "{log}");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_supervisor_takes_nothing_from_who_started_it() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    let former = test.kill_supervisor().await;
    // A caller with an open file, in its own folder, who ignores signals, as `nohup` does.
    let held = test.parent().join("held");
    let script = r#"exec 7>"$1"; trap '' INT QUIT HUP; cd "$2"; exec "$3" supervise "$4""#;
    let status = std::process::Command::new("sh")
        .args(["-c", script, "sh"])
        .args([&held, test.parent()])
        .arg(env!("CARGO_BIN_EXE_terraform-provider-mlplat"))
        .arg(&test.dir)
        .env("CANARY", "caller")
        .status()
        .unwrap();
    assert!(status.success());
    until("a supervisor", || test.supervisor().is_some_and(|now| now != former)).await;
    // Started by it, unlike the one that it adopted.
    let service = test.kill_and_await(Component::Redis).await;
    for pid in [test.supervisor().unwrap(), service] {
        let open = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
        assert!(
            open.map(|entry| fs::read_link(entry.path()).unwrap_or_default())
                .all(|path| path != held),
            "{pid}"
        );
        assert_ne!(session(&pid.to_string()), session("self"), "{pid}");
    }
    assert_eq!(
        fs::read_link(format!("/proc/{}/cwd", test.supervisor().unwrap())).unwrap(),
        std::path::Path::new("/")
    );
    let environment = fs::read(format!("/proc/{service}/environ")).unwrap();
    assert!(!String::from_utf8_lossy(&environment).contains("CANARY"));
    let status = fs::read_to_string(format!("/proc/{service}/status")).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t")).unwrap();
    let ignored = u64::from_str_radix(ignored, 16).unwrap();
    // Redis itself ignores HUP (1) and PIPE (13); INT (2) and QUIT (3) came from the caller.
    assert_eq!(ignored & 0b110, 0, "{ignored:b}");
    test.destroy().await;
}

/// From the kernel's own text: it is 0 for a session that began outside of our container, which
/// `getsid` of rustix takes for impossible.
fn session(pid: &str) -> i32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .nth(3)
        .unwrap()
        .parse()
        .unwrap()
}
