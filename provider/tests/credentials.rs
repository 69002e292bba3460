//! `mlplat_credentials` while its stack is absent, planned, and there.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::registry;
use tfplug::testing::{Harness, UNKNOWN};

async fn harness(home: &tempfile::TempDir) -> Harness {
    // With the engines of this machine: a plan looks for them.
    let real = Config::from_env().unwrap();
    let variables = BTreeMap::from([
        ("HOME".into(), home.path().into()),
        ("MLPLAT_CACHE_DIR".into(), real.cache_dir.into()),
        ("PATH".into(), std::env::join_paths(real.path).unwrap()),
    ]);
    let config = Config::from_variables(variables, "/bin/mlplat".into(), "/tmp".into());
    Harness::new(registry::provider(config), json!({})).await.unwrap()
}

#[tokio::test]
async fn a_stack_that_nothing_makes_is_an_error_with_its_fix() {
    let home = tempfile::tempdir().unwrap();
    let harness = harness(&home).await;
    let by_name = harness
        .open("mlplat_credentials", json!({"name": "demo"}))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        by_name.starts_with("error at name: The credentials of the stack \"demo\" cannot be read: "),
        "{by_name}"
    );
    assert!(
        by_name.contains("To fix: apply the `mlplat_local_services`"),
        "{by_name}"
    );
    let config = json!({"name": "demo", "data_dir": home.path().join("elsewhere")});
    let by_dir = harness
        .open("mlplat_credentials", config)
        .await
        .unwrap_err()
        .to_string();
    assert!(by_dir.starts_with("error at data_dir: "), "{by_dir}");
    let relative = harness
        .open("mlplat_credentials", json!({"name": "demo", "data_dir": "elsewhere"}))
        .await;
    assert!(relative.unwrap_err().to_string().contains("must be an absolute path"));
}

#[tokio::test]
async fn a_stack_that_this_plan_makes_has_unknown_credentials() {
    let home = tempfile::tempdir().unwrap();
    let harness = harness(&home).await;
    let stack = harness.resource("mlplat_local_services");
    stack.plan(json!({"name": "demo", "redis": {}})).await.unwrap();
    let opened = harness
        .open("mlplat_credentials", json!({"name": "demo"}))
        .await
        .unwrap();
    assert_eq!(opened.result["credentials"], json!(UNKNOWN));
    assert!(
        harness
            .open("mlplat_credentials", json!({"name": "other"}))
            .await
            .is_err()
    );

    let elsewhere = home.path().join("elsewhere");
    stack
        .plan(json!({"name": "other", "data_dir": elsewhere, "redis": {}}))
        .await
        .unwrap();
    let opened = harness
        .open("mlplat_credentials", json!({"name": "other", "data_dir": elsewhere}))
        .await
        .unwrap();
    assert_eq!(opened.result["credentials"], json!(UNKNOWN));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "a plan makes nothing");
    assert_eq!(stack.state().unwrap_or_default(), Value::Null);
}
