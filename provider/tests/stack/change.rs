//! Changes in place touch what they change and nothing else.

use std::collections::BTreeSet;

use terraform_provider_mlplat::runtimes::process::{Health, StackError};
use terraform_provider_mlplat::services::{Component, ObjectStore, Postgres, Redis, StackSpec};

use crate::harness::{TestStack, cache, database, is_let_go, postgres, spare_port, sql, store, whole};
use crate::s3;

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_of_one_component_leaves_the_others_pids_alone() {
    let test = TestStack::new();
    test.apply(&whole()).await.unwrap();
    let before = test.pids();
    let spec = StackSpec {
        postgres: Some(Postgres {
            max_connections: Some(33),
            ..postgres()
        }),
        ..whole()
    };
    test.apply(&spec).await.unwrap();
    let after = test.pids();
    assert_ne!(after["postgres"], before["postgres"]);
    assert_eq!(
        (after["redis"], after["object_store"]),
        (before["redis"], before["object_store"])
    );
    assert_eq!(sql(&test, "artefacts", "SHOW max_connections").await.unwrap(), "33");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_comes_and_goes_with_its_data() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    let redis = test.pids()["redis"];
    test.apply(&StackSpec {
        postgres: Some(postgres()),
        ..cache()
    })
    .await
    .unwrap();
    let port = test.status().await.components[&Component::Postgres].port;
    assert_eq!(test.pids()["redis"], redis);
    let status = test.apply(&cache()).await.unwrap();
    assert_eq!(status.components.keys().collect::<Vec<_>>(), [&Component::Redis]);
    assert!(!test.dir.join("postgres").exists());
    is_let_go(port).await;
    assert_eq!(test.pids()["redis"], redis);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_is_stable_until_another_is_fixed() {
    let test = TestStack::new();
    let first = test.apply(&cache()).await.unwrap().components[&Component::Redis].port;
    let fixed = spare_port();
    let spec = StackSpec {
        redis: Some(Redis {
            port: Some(fixed),
            ..Redis::default()
        }),
        ..cache()
    };
    assert_eq!(
        test.apply(&spec).await.unwrap().components[&Component::Redis].port,
        fixed
    );
    is_let_go(first).await;
    assert_eq!(
        test.apply(&cache()).await.unwrap().components[&Component::Redis].port,
        fixed
    );
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_and_user_come_beside_the_first_and_take_it_over() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    let pid = test.pids()["postgres"];
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let renamed = Postgres {
        username: "owner".into(),
        ..postgres()
    };
    test.apply(&StackSpec {
        postgres: Some(renamed),
        ..database()
    })
    .await
    .unwrap();
    assert_eq!(
        sql(&test, "artefacts", "SELECT current_user || n FROM kept")
            .await
            .unwrap(),
        "owner7"
    );
    let moved = Postgres {
        username: "owner".into(),
        database: "other".into(),
        ..postgres()
    };
    test.apply(&StackSpec {
        postgres: Some(moved),
        ..database()
    })
    .await
    .unwrap();
    assert_eq!(sql(&test, "other", "SELECT current_database()").await.unwrap(), "other");
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    assert_eq!(test.pids()["postgres"], pid);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_runs_once_and_all_or_nothing() {
    let seeded = |text: &str| StackSpec {
        postgres: Some(Postgres {
            seed_sql: Some(text.into()),
            ..postgres()
        }),
        ..database()
    };
    let test = TestStack::new();
    let error = test
        .apply(&seeded("CREATE TABLE t (n int); INSERT INTO nowhere VALUES (1);"))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("seed_sql: relation \"nowhere\" does not exist"),
        "{error}"
    );
    assert!(matches!(
        error,
        StackError::Furnish {
            component: Component::Postgres,
            ..
        }
    ));
    let right = seeded("CREATE TABLE t (n int); INSERT INTO t VALUES (1);");
    test.apply(&right).await.unwrap();
    test.apply(&right).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT count(*) FROM t").await.unwrap(), "1");
    test.apply(&seeded("INSERT INTO t VALUES (2);")).await.unwrap();
    assert_eq!(sql(&test, "artefacts", "SELECT count(*) FROM t").await.unwrap(), "2");
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_database_is_incomplete_and_is_made_again() {
    let test = TestStack::new();
    test.apply(&database()).await.unwrap();
    sql(&test, "postgres", "DROP DATABASE artefacts").await.unwrap();
    test.is(Component::Postgres, Health::Incomplete).await;
    let status = test.apply(&database()).await.unwrap();
    assert_eq!(status.components[&Component::Postgres].health, Health::Running);
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_come_and_go_and_full_ones_are_not_lost_by_accident() {
    let with = |store: ObjectStore| StackSpec {
        object_store: Some(store),
        redis: None,
        ..cache()
    };
    let test = TestStack::new();
    test.apply(&with(store(&["models"]))).await.unwrap();
    let pid = test.pids()["object_store"];
    test.apply(&with(store(&["models", "reports"]))).await.unwrap();
    s3::put(&test, "reports/a%20b/c%2Bd").await;
    let error = test.apply(&with(store(&["models"]))).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("bucket \"reports\" still holds objects. To fix:"),
        "{error}"
    );
    // Tried again, it is not forgotten.
    test.apply(&with(store(&["models"]))).await.unwrap_err();
    let forced = ObjectStore {
        force_destroy: true,
        ..store(&["models"])
    };
    test.apply(&with(forced)).await.unwrap();
    s3::delete_bucket(&test, "models").await;
    let seen = test.is(Component::ObjectStore, Health::Incomplete).await;
    assert_eq!(seen.missing_buckets, BTreeSet::from(["models".to_owned()]));
    let status = test.apply(&with(store(&["models"]))).await.unwrap();
    assert_eq!(status.components[&Component::ObjectStore].health, Health::Running);
    assert_eq!(test.pids()["object_store"], pid);
    test.destroy().await;
}
