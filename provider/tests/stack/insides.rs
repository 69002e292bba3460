//! What is inside the cache and the store: what an application may do there, what survives, and new passwords for all.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::Value;
use terraform_provider_mlplat::runtimes::process::{Credentials, Health, StackError};
use terraform_provider_mlplat::services::{Component, ObjectStore, StackSpec};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{TestStack, cache, sql, store, whole};
use crate::s3;

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_gives_new_passwords_in_place_and_the_old_ones_open_nothing() {
    let rotated = |rotation: &str| StackSpec {
        rotation: Some(rotation.into()),
        ..whole()
    };
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    assert_eq!(redis(&test, "SET kept 7").await, "+OK");
    s3::put(&test, "models/kept").await;
    let (before, server) = (test.credentials(), test.pids()["postgres"]);
    test.apply(&rotated("2026-11")).await.unwrap();
    let after = test.credentials();
    let secrets = |credentials: &Credentials| {
        let logins = [&credentials.postgres, &credentials.redis, &credentials.object_store];
        logins.map(|login| login.as_ref().unwrap().secret.clone())
    };
    for (old, new) in secrets(&before).iter().zip(secrets(&after)) {
        assert_ne!(old, &new);
    }
    // With the new ones all is there; with the old one nothing answers.
    assert_eq!(test.pids()["postgres"], server);
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    assert_eq!(redis(&test, "GET kept").await, "$1");
    assert_eq!(s3::get(&test, "models/kept").await, "text");
    let old = before.redis.unwrap().secret;
    assert!(
        redis(&test, &format!("AUTH {}", old.expose()))
            .await
            .starts_with("-WRONGPASS")
    );
    test.apply(&rotated("2026-11")).await.unwrap();
    assert_eq!(test.credentials(), after);
    test.destroy().await;
}

/// Says something to the cache as the application, and gives its first line back.
async fn redis(test: &TestStack, words: &str) -> String {
    let port = test.status().await.components[&Component::Redis].port;
    let login = test.credentials().redis.unwrap();
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    let mut line = String::new();
    for words in [format!("AUTH {}", login.secret.expose()), words.to_owned()] {
        stream.write_all(format!("{words}\r\n").as_bytes()).await.unwrap();
        line.clear();
        stream.read_line(&mut line).await.unwrap();
    }
    line.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_uses_the_cache_and_does_not_administer_it() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    for words in [
        "SET k v",
        "INFO server",
        "KEYS *",
        "FLUSHDB",
        "EVAL return(1) 0",
        "CLIENT LIST",
        "MULTI",
        "ACL WHOAMI",
    ] {
        let answer = redis(&test, words).await;
        assert!(!answer.starts_with('-'), "{words}: {answer}");
    }
    for words in [
        "CONFIG SET requirepass x",
        "CONFIG GET dir",
        "ACL SETUSER default nopass",
        "ACL SETUSER mlplat off",
        "ACL LOAD",
        "DEBUG SLEEP 1",
        "MODULE LOAD /tmp/x.so",
        "REPLICAOF 127.0.0.1 1",
        "MIGRATE 127.0.0.1 1 k 0 1",
        "SHUTDOWN NOSAVE",
        "SAVE",
        "CLIENT PAUSE 100000",
    ] {
        let answer = redis(&test, words).await;
        assert!(answer.starts_with('-'), "{words}: {answer}");
    }
    assert_eq!(
        test.status().await.components[&Component::Redis].health,
        Health::Running
    );
    // As an earlier version of mlplat has left it.
    let file = test.dir.join("redis/login.json");
    let mut stored: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    stored["admin_secret"] = Value::Null;
    fs::write(&file, stored.to_string()).unwrap();
    test.is(Component::Redis, Health::Outdated).await;
    let status = test.apply(&cache()).await.unwrap();
    assert_eq!(status.components[&Component::Redis].health, Health::Running);
    assert!(!redis(&test, "PING").await.starts_with('-'));
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_append_only_file_is_told_at_once_with_the_command_that_mends_it() {
    let test = TestStack::new();
    let status = test.apply(&cache()).await.unwrap();
    let engine = status.components[&Component::Redis].engine;
    assert_eq!(redis(&test, "SET kept 7").await, "+OK");
    test.stack
        .stop(&tokio_util::sync::CancellationToken::new())
        .await
        .unwrap();
    let folder = test.dir.join(format!("redis/data-{engine}/appendonlydir"));
    let file = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path());
    let file = file
        .into_iter()
        .find(|path| path.to_string_lossy().ends_with(".incr.aof"))
        .unwrap();
    let damage = |path: &std::path::Path| {
        let mut file = fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(b"garbage that is no command\n").unwrap();
    };
    damage(&file);
    let started = Instant::now();
    let error = test.apply(&cache()).await.unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, StackError::Hopeless { .. }), "{text}");
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
    // The command that it names, as a person would copy it.
    let command = text.lines().find(|line| line.contains(" --fix ")).unwrap().trim();
    let fixed = std::process::Command::new("bash")
        .args(["-c", &format!("yes | {command}")])
        .current_dir(test.parent())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&fixed.stdout).into_owned();
    assert!(said.contains("Successfully truncated AOF"), "{said} {command}");
    test.apply(&cache()).await.unwrap();
    assert_eq!(redis(&test, "EXISTS kept").await, ":1");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_with_versions_markers_or_uploads_is_not_deleted_by_accident() {
    let with = |store: ObjectStore| StackSpec {
        object_store: Some(store),
        redis: None,
        ..cache()
    };
    let test = TestStack::new();
    let all = ["models", "versions", "uploads", "empty"];
    test.apply(&with(store(&all))).await.unwrap();
    s3::version(&test, "versions").await;
    s3::put(&test, "versions/model.bin").await;
    s3::put(&test, "versions/model.bin").await;
    s3::delete(&test, "versions/model.bin").await;
    s3::start_upload(&test, "uploads/large").await;
    for (kept, contents) in [
        ("versions", "versions of objects, delete markers"),
        ("uploads", "unfinished uploads"),
    ] {
        let wanted: Vec<_> = all.into_iter().filter(|name| *name != kept).collect();
        let error = test.apply(&with(store(&wanted))).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("bucket \"{kept}\" still holds")) && error.contains(contents),
            "{error}"
        );
        // It is there, with all that it held.
        test.apply(&with(store(&all))).await.unwrap();
    }
    assert_eq!(
        s3::get(&test, "versions?versions=").await.matches("<Version>").count(),
        2
    );
    test.apply(&with(store(&["models", "versions", "uploads"])))
        .await
        .unwrap();
    let forced = ObjectStore {
        force_destroy: true,
        ..store(&["models"])
    };
    test.apply(&with(forced)).await.unwrap();
    let left = s3::get(&test, "").await;
    assert_eq!(left.matches("<Name>").count(), 1, "{left}");
    test.destroy().await;
}
