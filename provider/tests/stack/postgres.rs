//! What is inside PostgreSQL: what the application may do there, what it is given, and what is said when it cannot be made.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::Value;
use terraform_provider_mlplat::engines::{Engine, Found};
use terraform_provider_mlplat::runtimes::process::{Health, StackError};
use terraform_provider_mlplat::services::{Component, Postgres, StackSpec};

use crate::harness::{TestStack, database, engines, postgres, sql};

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
    assert!(
        error.to_string().contains("To fix: restore postgres/login.json"),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    fs::write(&file, right).unwrap();
    test.apply(&database()).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    test.destroy().await;
}
