//! What is inside the services: what an application may do there, what survives, and what is said when it cannot be made.

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::Value;
use terraform_provider_mlplat::engines::{Engine, Found};
use terraform_provider_mlplat::runtimes::process::{Credentials, Health, StackError};
use terraform_provider_mlplat::services::{Component, ObjectStore, Postgres, StackSpec};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::harness::{TestStack, cache, database, engines, postgres, sql, store, whole};
use crate::s3;

/// Every PostgreSQL of this machine, one of each major version.
async fn majors() -> Vec<Found> {
    let found = tokio::task::spawn_blocking(|| {
        engines().install(Engine::Postgres, &mut |_| {}).unwrap();
        engines().all(Engine::Postgres)
    });
    let mut found = found.await.unwrap();
    found.dedup_by_key(|found| found.version.split('.').next().unwrap().to_owned());
    found
}

fn on(engine: &Found, postgres: Postgres) -> StackSpec {
    StackSpec {
        postgres: Some(Postgres {
            version: Some(engine.version.clone()),
            ..postgres
        }),
        ..database()
    }
}

fn with_extensions(names: &[&str]) -> Postgres {
    Postgres {
        extensions: names.iter().map(|name| (*name).to_owned()).collect(),
        ..postgres()
    }
}

/// Speaks SQL as the stack's administrator.
async fn sql_as_admin(test: &TestStack, statement: &str) {
    let client = admin(test).await;
    client.batch_execute(statement).await.unwrap();
}

async fn admin(test: &TestStack) -> tokio_postgres::Client {
    let stored = fs::read(test.dir.join("postgres/login.json")).unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(test.status().await.components[&Component::Postgres].port)
        .user("mlplat_admin")
        .password(stored["admin_secret"].as_str().unwrap())
        .dbname("artefacts");
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn the_applications_login_reaches_no_program_and_no_file_on_any_major_version() {
    for engine in majors().await {
        let test = TestStack::new();
        let spec = on(&engine, postgres());
        test.apply(&spec).await.unwrap();
        let refused = async || {
            for statement in [
                "GRANT pg_execute_server_program TO app",
                "GRANT pg_read_server_files TO app",
                "GRANT pg_write_server_files TO app",
                "COPY (SELECT 1) TO PROGRAM 'true'",
                "COPY (SELECT 1) TO '/tmp/mlplat-must-not-be'",
                "CREATE TEMP TABLE t (x text); COPY t FROM '/etc/passwd'",
                "SELECT pg_read_file('/etc/passwd')",
                "ALTER ROLE app SUPERUSER",
                "SET ROLE mlplat_admin",
                "ALTER ROLE mlplat_admin PASSWORD 'x'",
            ] {
                let error = sql(&test, "artefacts", statement).await.expect_err(statement);
                assert_eq!(
                    error.code().unwrap().code(),
                    "42501",
                    "{statement} on {}: {error}",
                    engine.version
                );
            }
        };
        refused().await;
        assert_eq!(sql(&test, "artefacts", "CREATE DATABASE other").await.unwrap(), "");
        let major: u32 = engine.version.split('.').next().unwrap().parse().unwrap();
        let made = sql(&test, "artefacts", "CREATE ROLE reader").await;
        assert_eq!(made.is_ok(), major >= 16, "{}", engine.version);
        if major < 16 {
            // As earlier versions of mlplat made it, and as it made use of that.
            sql_as_admin(&test, "ALTER ROLE app CREATEROLE").await;
            sql(&test, "artefacts", "GRANT pg_execute_server_program TO app")
                .await
                .unwrap();
            sql(
                &test,
                "artefacts",
                "CREATE ROLE x LOGIN PASSWORD 'x' CREATEROLE; GRANT pg_read_server_files TO x WITH ADMIN OPTION",
            )
            .await
            .unwrap();
            let seen = test.is(Component::Postgres, Health::Incomplete).await;
            assert!(seen.problem.unwrap().contains("access to this machine"));
            let status = test.apply(&spec).await.unwrap();
            assert_eq!(status.components[&Component::Postgres].health, Health::Running);
            refused().await;
            let left = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
                WHERE r.rolname IN ('app', 'x')";
            assert_eq!(sql(&test, "artefacts", left).await.unwrap(), "0");
            let left = "SELECT count(*) FROM pg_roles WHERE rolcreaterole AND NOT rolsuper";
            assert_eq!(sql(&test, "artefacts", left).await.unwrap(), "0");
        }
        test.destroy().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_beyond_ascii_is_text_on_any_major_version() {
    for engine in majors().await {
        let test = TestStack::new();
        test.apply(&on(&engine, postgres())).await.unwrap();
        let words = "SELECT lower('ÄÖÜ') || initcap('élan') || ('é' ~ '^\\w$')::text";
        assert_eq!(
            sql(&test, "artefacts", words).await.unwrap(),
            "äöüÉlantrue",
            "{}",
            engine.version
        );
        // What an application makes has it too.
        sql(&test, "artefacts", "CREATE DATABASE other").await.unwrap();
        assert_eq!(
            sql(&test, "other", words).await.unwrap(),
            "äöüÉlantrue",
            "{}",
            engine.version
        );
        assert_eq!(sql(&test, "other", "SHOW lc_messages").await.unwrap(), "C");
        test.destroy().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_come_and_go_in_place_and_what_uses_them_is_kept() {
    let engine = majors()
        .await
        .into_iter()
        .find(|found| found.extensions().is_some_and(|offered| offered.contains("vector")));
    let engine = engine.expect("the engine that `mlplat engines install postgres` fetches has vector");
    let test = TestStack::new();
    let seeded = Postgres {
        seed_sql: Some("CREATE TABLE items (v vector(3)); INSERT INTO items VALUES ('[1,2,3]'), ('[9,9,9]');".into()),
        ..with_extensions(&["vector"])
    };
    test.apply(&on(&engine, seeded.clone())).await.unwrap();
    let pid = test.pids()["postgres"];
    let nearest = "SELECT v FROM items ORDER BY v <-> '[1,2,2]' LIMIT 1";
    assert_eq!(sql(&test, "artefacts", nearest).await.unwrap(), "[1,2,3]");
    // Without a restart; one of the two needs the other.
    let more = Postgres {
        extensions: vec!["vector".into(), "cube".into(), "earthdistance".into()],
        ..seeded.clone()
    };
    test.apply(&on(&engine, more)).await.unwrap();
    assert_eq!(test.pids()["postgres"], pid);
    test.apply(&on(&engine, seeded.clone())).await.unwrap();
    let left = "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension";
    assert_eq!(sql(&test, "artefacts", left).await.unwrap(), "plpgsql vector");
    // What is in use stays, and is said.
    let without = Postgres {
        extensions: Vec::new(),
        ..seeded.clone()
    };
    let error = test.apply(&on(&engine, without.clone())).await.unwrap_err().to_string();
    assert!(
        error.contains("extension \"vector\" is still in use: column v of table items"),
        "{error}"
    );
    assert_eq!(sql(&test, "artefacts", nearest).await.unwrap(), "[1,2,3]");
    sql(&test, "artefacts", "DROP TABLE items").await.unwrap();
    test.apply(&on(&engine, without)).await.unwrap();
    // The application's own is not ours.
    sql(&test, "artefacts", "CREATE EXTENSION pg_trgm").await.unwrap();
    let loaded = with_extensions(&["vector", "pg_stat_statements"]);
    test.apply(&on(&engine, loaded.clone())).await.unwrap();
    sql(&test, "artefacts", "SELECT count(*) FROM pg_stat_statements")
        .await
        .unwrap();
    sql_as_admin(&test, "DROP EXTENSION vector").await;
    let seen = test.is(Component::Postgres, Health::Incomplete).await;
    assert!(seen.missing_extensions.contains("vector"), "{:?}", seen.problem);
    test.apply(&on(&engine, loaded)).await.unwrap();
    assert_eq!(
        sql(&test, "artefacts", left).await.unwrap(),
        "pg_stat_statements pg_trgm plpgsql vector"
    );
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extension_that_is_not_offered_is_an_error_with_the_ways_to_it() {
    let test = TestStack::new();
    let spec = StackSpec {
        postgres: Some(with_extensions(&["no_such_extension"])),
        ..database()
    };
    let error = test.apply(&spec).await.unwrap_err().to_string();
    assert!(
        error.contains("does not offer the extension no_such_extension. To fix: install"),
        "{error}"
    );
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_that_is_a_dump_is_told_where_and_what_to_do() {
    let seeded = |text: &str| StackSpec {
        postgres: Some(Postgres {
            seed_sql: Some(text.into()),
            ..postgres()
        }),
        ..database()
    };
    let test = TestStack::new();
    let dump = "CREATE TABLE t (a int, b text);\nCOPY public.t (a, b) FROM stdin;\n1\tgeheim\n\\.\n";
    let error = test.apply(&seeded(dump)).await.unwrap_err().to_string();
    assert!(
        error.contains("seed_sql: syntax error at or near \"1\" (42601), line 3, column 1."),
        "{error}"
    );
    assert!(
        error.contains("line 2 of the seed is COPY … FROM stdin: dump with `pg_dump --inserts`"),
        "{error}"
    );
    assert!(!error.contains("geheim"), "{error}");
    // Without rows the server waits for them: that must not hang.
    let error = test.apply(&seeded("CREATE TABLE t (a int); COPY t FROM STDIN;")).await;
    let error = error.unwrap_err().to_string();
    assert!(error.contains("dump with `pg_dump --inserts`"), "{error}");
    let error = test
        .apply(&seeded("SELECT 1;\nSELECT 'geheim', nix;"))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("line 2, column 18: `SELECT '', nix;`. Nothing of it was kept."),
        "{error}"
    );
    let error = test
        .apply(&seeded("CREATE EXTENSION vector"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("name the extension in `postgres.extensions`"), "{error}");
    test.destroy().await;
}

/// An apply that was killed leaves its statement running in the server.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_session_makes_at_the_same_time_counts_as_made() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let mut other = admin(&test).await;
    let making = other.transaction().await.unwrap();
    making.batch_execute("CREATE ROLE \"Second\"").await.unwrap();
    let renamed = StackSpec {
        postgres: Some(Postgres {
            username: "Second".into(),
            ..postgres()
        }),
        ..database()
    };
    let (applied, ()) = tokio::join!(test.apply(&renamed), async {
        // The apply waits for the transaction by now; where it does not yet, it finds the role.
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE ROLE%'";
        let client = admin(&test).await;
        let deadline = Instant::now() + Duration::from_secs(20);
        while Instant::now() < deadline && client.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        making.commit().await.unwrap();
    });
    applied.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT current_user").await.unwrap(), "Second");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_user_logs_in_no_more_and_comes_back_when_it_is_asked_for() {
    let named = |name: &str| StackSpec {
        postgres: Some(Postgres {
            username: name.into(),
            ..postgres()
        }),
        ..database()
    };
    let test = TestStack::new();
    test.apply(&named("app")).await.unwrap();
    test.apply(&named("Owner")).await.unwrap();
    let can = "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'";
    assert_eq!(sql(&test, "artefacts", can).await.unwrap(), "f");
    test.apply(&named("app")).await.unwrap();
    assert_eq!(sql(&test, "artefacts", can).await.unwrap(), "t");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_passwords_of_a_database_end_the_apply_at_once() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let file = test.dir.join("postgres/login.json");
    let right = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let seen = test.status().await.components.remove(&Component::Postgres).unwrap();
    assert!(seen.exists(), "what holds data is not planned as new");
    let started = Instant::now();
    let error = test.apply(&database()).await.unwrap_err();
    assert!(matches!(error, StackError::LoginLost { .. }), "{error}");
    assert!(!file.exists());
    let mut wrong: Value = serde_json::from_str(&right).unwrap();
    wrong["admin_secret"] = "wrong".into();
    fs::write(&file, wrong.to_string()).unwrap();
    let error = test.apply(&database()).await.unwrap_err();
    assert!(matches!(error, StackError::LoginRefused { .. }), "{error}");
    assert!(error.to_string().contains("To fix: put that file back"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    fs::write(&file, right).unwrap();
    test.apply(&database()).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    test.destroy().await;
}

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
