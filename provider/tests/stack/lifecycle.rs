//! From nothing to running, and back to nothing.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use terraform_provider_mlplat::engines::Engine;
use terraform_provider_mlplat::runtimes::process::{Health, StackError, credentials};
use terraform_provider_mlplat::services::{Component, Postgres, StackSpec};

use crate::harness::{
    TestStack, cache, database, engines, is_alive, is_let_go, open, postgres, processes_of, sql, until, whole,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_stack_starts_side_by_side_and_leaves_nothing_behind() {
    let test = TestStack::new();
    let logs = logs_of_stores();
    let started = Instant::now();
    let status = test.apply(&whole()).await.unwrap();
    println!("from nothing to every answer: {:?}", started.elapsed());
    for (component, seen) in &status.components {
        assert_eq!(seen.health, Health::Running, "{component}: {:?}", seen.problem);
    }
    assert_eq!(
        sql(
            &test,
            "artefacts",
            "SELECT current_user || ' ' || (SELECT usesuper FROM pg_user WHERE usename = current_user)"
        )
        .await
        .unwrap(),
        "app false"
    );
    let endpoints = &status.endpoints;
    endpoints.validate().unwrap();
    assert_eq!(endpoints.s3.as_ref().unwrap().buckets, ["models", "reports"]);

    let again = Instant::now();
    let pids = test.pids();
    test.apply(&whole()).await.unwrap();
    println!("again, with nothing to do: {:?}", again.elapsed());
    assert_eq!(test.pids(), pids);

    // Each where it is expected, so that `destroy` looks for it at the right place; and no log in the same folder.
    let sockets = test.stray_sockets();
    assert_eq!(sockets.len(), 7);
    assert!(sockets.iter().all(|path| path.exists()), "{sockets:?}");
    let log = format!(".{}", pids["object_store"]);
    let new = logs_of_stores();
    assert_eq!(new.difference(&logs).find(|name| name.ends_with(&log)), None);

    let ports: Vec<_> = status.components.values().map(|seen| seen.port).collect();
    let ending = Instant::now();
    let supervisor = test.supervisor().unwrap();
    test.destroy().await;
    println!("destroyed in {:?}", ending.elapsed());
    assert!(!test.dir.exists());
    assert_eq!(
        std::fs::read_dir(test.parent()).unwrap().count(),
        0,
        "the folders that were made for it"
    );
    assert!(!is_alive(supervisor));
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
    for port in ports {
        is_let_go(port).await;
    }
    test.destroy().await;
}

/// The log files of stores in the folder for temporary files.
fn logs_of_stores() -> BTreeSet<String> {
    let files = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let names = files.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("weed.")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_in_private_files_and_nowhere_else() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    let given = test.credentials();
    let mut secrets = Vec::new();
    for login in [
        given.postgres.unwrap(),
        given.redis.unwrap(),
        given.object_store.unwrap(),
    ] {
        assert_eq!(login.secret.expose().len(), 32);
        assert!(login.admin_secret.is_none());
        secrets.push(login.secret);
    }
    for pid in processes_of(test.parent()) {
        for file in ["cmdline", "environ"] {
            let text = std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            assert!(
                secrets.iter().all(|secret| !text.contains(secret.expose())),
                "{file} of {pid}"
            );
        }
    }
    for name in [
        "stack.json",
        "units.json",
        "state.json",
        "supervisor.log",
        "postgres/log",
        "redis/log",
        "object_store/log",
    ] {
        let path = test.dir.join(name);
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        assert!(secrets.iter().all(|secret| !text.contains(secret.expose())), "{name}");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{name}");
    }
    assert_eq!(test.dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stacks_live_side_by_side() {
    let (one, other) = (TestStack::new(), TestStack::new());
    let spec = whole();
    let (first, second) = tokio::join!(one.apply(&spec), other.apply(&spec));
    let (first, second) = (first.unwrap(), second.unwrap());
    for component in Component::ALL {
        assert_ne!(first.components[&component].port, second.components[&component].port);
    }
    assert_ne!(one.credentials().postgres, other.credentials().postgres);
    one.destroy().await;
    let seen = other.status().await;
    assert!(seen.components.values().all(|seen| seen.health == Health::Running));
    other.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_who_apply_at_once_get_one_supervisor_and_the_same_services() {
    let test = TestStack::new();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let stack = open(&test.dir);
        tasks.spawn(async move {
            stack
                .apply(&cache(), &tokio_util::sync::CancellationToken::new())
                .await
                .map(|_| ())
        });
    }
    for result in tasks.join_all().await {
        result.unwrap();
    }
    // One supervisor, one service; those who came second are on their way out.
    let mut ours = [test.supervisor().unwrap(), test.pids()["redis"]];
    ours.sort_unstable();
    until("the others to end", || {
        let mut left = processes_of(test.parent());
        left.sort_unstable();
        left == ours
    })
    .await;
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_comes_back_with_its_data() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let before = test.credentials();
    test.stack
        .stop(&tokio_util::sync::CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
    let seen = test.status().await;
    assert!(seen.components.values().all(|seen| seen.health == Health::Stopped));
    test.apply(&whole()).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    assert_eq!(test.credentials(), before);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_apply_that_is_stopped_keeps_what_is_there_and_can_be_finished() {
    let test = TestStack::new();
    let token = tokio_util::sync::CancellationToken::new();
    // It would come to its end in an hour.
    let slow = StackSpec {
        postgres: Some(Postgres {
            seed_sql: Some("SELECT pg_sleep(3600)".into()),
            ..postgres()
        }),
        ..whole()
    };
    let (applied, ()) = tokio::join!(test.stack.apply(&slow, &token), async {
        until("a service to be started", || !test.pids().is_empty()).await;
        token.cancel();
    });
    let error = applied.unwrap_err();
    assert!(matches!(error, StackError::Cancelled { .. }), "{error}");
    assert!(test.stack.status().await.unwrap().is_some());
    let status = test.apply(&whole()).await.unwrap();
    assert!(status.components.values().all(|seen| seen.health == Health::Running));
    test.destroy().await;
}

#[tokio::test]
async fn what_does_not_exist_has_no_credentials_and_no_status() {
    let test = TestStack::new();
    assert!(test.stack.status().await.unwrap().is_none());
    assert!(matches!(credentials(&test.dir), Err(StackError::Absent { .. })));
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_postgresql_that_is_fetched_serves_as_well_as_an_installed_one() {
    let fetched = tokio::task::spawn_blocking(|| engines().install(Engine::Postgres, &mut |line| println!("{line}")));
    let fetched = fetched.await.unwrap().unwrap();
    let test = TestStack::new();
    let postgres = Postgres {
        version: Some(fetched.version.clone()),
        ..postgres()
    };
    let status = test
        .apply(&StackSpec {
            postgres: Some(postgres),
            ..database()
        })
        .await
        .unwrap();
    assert_eq!(status.components[&Component::Postgres].version, fetched.version);
    assert!(
        sql(&test, "artefacts", "SHOW server_version")
            .await
            .unwrap()
            .starts_with(&fetched.version)
    );
    test.destroy().await;
}
