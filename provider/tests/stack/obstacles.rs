//! What is in the way is named, with the fix, and nothing is half made.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::engines::Engines;
use terraform_provider_mlplat::runtimes::process::{Health, Stack, StackError, credentials};
use terraform_provider_mlplat::services::{Component, Postgres, Redis, StackSpec};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestStack, cache, database, is_let_go, postgres, processes_of, spare_port, store, whole};

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_names_its_holder_and_nothing_is_made() {
    let test = TestStack::new();
    let port = spare_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let spec = StackSpec {
        redis: Some(Redis {
            port: Some(port),
            ..Redis::default()
        }),
        ..cache()
    };
    let error = test.apply(&spec).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(&format!("port {port} of `redis` is taken by ")),
        "{text}"
    );
    assert!(text.contains(&format!("(pid {})", std::process::id())), "{text}");
    assert!(text.ends_with("or set `redis.port` to a free port"), "{text}");
    assert_eq!(error.attribute(), ["redis", "port"]);
    assert!(test.stack.status().await.unwrap().is_none());
    assert!(!test.dir.exists());
    drop(listener);
    is_let_go(port).await;
    test.apply(&spec).await.unwrap();
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_engine_names_the_command() {
    let test = TestStack::new();
    let empty = test.parent().join("empty");
    let variables = [("HOME", empty.as_os_str())]
        .map(|(name, value)| (name.into(), value.to_owned()))
        .into();
    let config = Config::from_variables(variables, "/nowhere/mlplat".into(), empty).unwrap();
    let stack = Stack::open(&test.dir, Engines::new(&config), &config.program);
    let error = stack.apply(&cache(), &CancellationToken::new()).await.unwrap_err();
    let expected =
        "`redis` cannot run: no Valkey or Redis on this machine. To fix: run `mlplat engines install valkey`";
    assert_eq!(error.to_string(), expected);
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_ends_at_once_is_told_by_its_log() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let settings = test.dir.join("postgres/data/postgresql.auto.conf");
    let right = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, format!("{right}no_such_setting = 1\n")).unwrap();
    let error = test.apply(&with_more_connections()).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StackError::Ended { .. }), "{text}");
    assert!(
        text.contains("it exited with status 1") && text.contains("no_such_setting"),
        "{text}"
    );
    // Corrected, it starts: nothing has to be cleaned up by hand.
    fs::write(&settings, right).unwrap();
    test.apply(&with_more_connections()).await.unwrap();
    test.destroy().await;
}

/// PostgreSQL has to start anew for it.
fn with_more_connections() -> StackSpec {
    StackSpec {
        postgres: Some(Postgres {
            max_connections: Some(33),
            ..postgres()
        }),
        ..database()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_one_major_version_is_not_given_to_another() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let other = StackSpec {
        postgres: Some(Postgres {
            version: Some("9".into()),
            ..postgres()
        }),
        ..database()
    };
    let error = test.apply(&other).await.unwrap_err();
    assert_eq!(error.attribute(), ["postgres", "version"]);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_of_one_component_concerns_that_component_alone() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    let file = test.dir.join("redis/login.json");
    let right = fs::read(&file).unwrap();
    fs::write(&file, "").unwrap();
    let seen = test.status().await.components;
    assert_eq!(seen[&Component::Redis].health, Health::Failed);
    let problem = seen[&Component::Redis].problem.as_deref().unwrap();
    assert!(problem.contains("To fix: restore this damaged file"), "{problem}");
    assert_eq!(seen[&Component::Postgres].health, Health::Running);
    let more = StackSpec {
        object_store: Some(store(&["models", "reports", "more"])),
        ..whole()
    };
    let error = test.apply(&more).await.unwrap_err();
    assert_eq!(error.problems().len(), 1, "{error}");
    assert!(error.to_string().contains("redis/login.json"), "{error}");
    let endpoints = test.status().await.endpoints;
    assert_eq!(endpoints.s3.unwrap().buckets, ["models", "reports", "more"]);
    fs::write(&file, right).unwrap();
    test.apply(&more).await.unwrap();
    // What is shared concerns all of it.
    fs::write(test.dir.join("stack.json"), "").unwrap();
    let text = test.stack.status().await.unwrap_err().to_string();
    assert!(
        text.contains("stack.json") && text.contains("restore this damaged file"),
        "{text}"
    );
}

#[tokio::test]
async fn a_folder_with_other_things_is_left_alone() {
    let test = TestStack::new();
    fs::create_dir_all(&test.dir).unwrap();
    fs::write(test.dir.join("thesis.txt"), "years of work").unwrap();
    let error = test.apply(&cache()).await.unwrap_err();
    assert!(matches!(error, StackError::NotOurs { .. }), "{error}");
    let error = test.stack.destroy(&CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, StackError::NotOurs { .. }), "{error}");
    assert_eq!(fs::read_dir(&test.dir).unwrap().count(), 1);
    assert_eq!(processes_of(test.parent()), Vec::<u32>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_other_users_can_change_is_not_used() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    let above = test.dir.parent().unwrap().to_owned();
    for (open, mode) in [(&test.dir, 0o700), (&above, 0o755)] {
        fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
        let told = format!("{} is not safe: every user may write to it", open.display());
        for error in [
            test.apply(&cache()).await.unwrap_err(),
            test.stack.status().await.map(|_| ()).unwrap_err(),
            test.stack
                .destroy(&CancellationToken::new())
                .await
                .map(|_| ())
                .unwrap_err(),
            credentials(&test.dir).map(|_| ()).unwrap_err(),
        ]
        .map(|error: StackError| error.to_string())
        {
            assert!(error.starts_with(&told), "{error}");
            assert!(error.contains(&format!("`chmod go-w {}`", open.display())), "{error}");
        }
        fs::set_permissions(open, fs::Permissions::from_mode(mode)).unwrap();
    }
    test.apply(&cache()).await.unwrap();
    test.destroy().await;
}

/// As after a supervisor was killed in a container that shares the folder: nobody sees here whether its services go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stack_that_runs_where_it_cannot_be_seen_is_left_alone() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    test.kill_supervisor().await;
    let file = test.dir.join("state.json");
    let right = fs::read_to_string(&file).unwrap();
    let mut state = test.state();
    state["place"]["pid_namespace"] = "pid:[1]".into();
    fs::write(&file, state.to_string()).unwrap();
    for error in [
        test.apply(&cache()).await.map(|_| ()).unwrap_err(),
        test.stack
            .destroy(&CancellationToken::new())
            .await
            .map(|_| ())
            .unwrap_err(),
        test.stack.stop(&CancellationToken::new()).await.unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(matches!(error, StackError::Elsewhere { .. }), "{text}");
        assert!(
            text.contains("in another container or pid namespace") && text.contains("To fix: end it there"),
            "{text}"
        );
    }
    let seen = test.status().await.components.remove(&Component::Redis).unwrap();
    assert!(seen.problem.unwrap().contains("in another container"));
    fs::write(&file, right).unwrap();
    test.apply(&cache()).await.unwrap();
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_deleted_by_its_own_name_and_nothing_else_is() {
    let never = CancellationToken::new();
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    let other = crate::harness::open(&test.dir).named("beta");
    for error in [
        other.destroy(&never).await.map(|_| ()).unwrap_err(),
        other.stop(&never).await.unwrap_err(),
        other.status().await.map(|_| ()).unwrap_err(),
    ] {
        assert!(
            error.to_string().contains("the folder of the stack \"test\""),
            "{error}"
        );
    }
    test.destroy().await;
    // A project that happens to have a file of that name, and folders of these.
    fs::create_dir_all(test.dir.join("redis")).unwrap();
    for name in ["important.txt", "apply.lock", "redis/notes.txt"] {
        fs::write(test.dir.join(name), "").unwrap();
    }
    let error = test.stack.destroy(&never).await.unwrap_err();
    assert!(matches!(error, StackError::NotOurs { .. }), "{error}");
    fs::remove_file(test.dir.join("important.txt")).unwrap();
    let error = test.stack.destroy(&never).await.unwrap_err();
    assert!(matches!(error, StackError::NotOurs { .. }), "{error}");
    assert!(test.dir.join("redis/notes.txt").exists());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_names_the_attribute() {
    let test = TestStack::new();
    let stack = Stack::open(
        Path::new("/proc/mlplat"),
        crate::harness::engines(),
        Path::new("/nowhere"),
    );
    let error = stack.apply(&cache(), &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.attribute(), ["data_dir"]);
    assert!(
        error
            .to_string()
            .contains("To fix: make it writable for this user, or set `data_dir`"),
        "{error}"
    );
    drop(test);
}
