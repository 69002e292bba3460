//! A stack belongs to one configuration: no other one, and no second resource, plans, changes or destroys it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::registry;
use terraform_provider_mlplat::runtimes::process::{Claim, Configuration, Removed, StackError};
use terraform_provider_mlplat::services::{Component, StackSpec};
use tfplug::Diagnostics;
use tfplug::testing::{Action, Harness};
use tokio_util::sync::CancellationToken;

use crate::harness::{TestStack, cache, database, open, postgres, processes_of, sql, until, whole};

/// One run of Terraform in this folder; the stack `demo` lies where the test's is.
async fn run_in(folder: &str, test: &TestStack) -> Harness {
    let real = Config::from_env().unwrap();
    let variables = BTreeMap::from([
        ("HOME".into(), test.parent().into()),
        ("MLPLAT_CACHE_DIR".into(), real.cache_dir.into()),
        ("MLPLAT_DATA_DIR".into(), test.parent().into()),
        ("PATH".into(), std::env::join_paths(real.path).unwrap()),
    ]);
    let program = env!("CARGO_BIN_EXE_terraform-provider-mlplat").into();
    let mut config = Config::from_variables(variables, program, "/tmp".into()).unwrap();
    config.working_dir = folder.into();
    Harness::new(registry::provider(Ok(config)), json!({})).await.unwrap()
}

fn demo() -> Value {
    json!({"name": "demo", "redis": {}})
}

fn text(refused: &Diagnostics) -> String {
    refused.iter().next().unwrap().detail.clone()
}

/// What is noted in `stack.json`, changed by hand.
fn edit_record(dir: &Path, edit: impl FnOnce(&mut Value)) {
    let file = dir.join("stack.json");
    let mut record = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    edit(&mut record);
    fs::write(file, record.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn another_configuration_is_refused_in_the_plan_and_told_how_to_import() {
    let test = TestStack::at("stacks/demo");
    let first = run_in("/home/user/first", &test).await;
    let mut stack = first.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let pids = test.pids();

    let second = run_in("/home/user/second", &test).await;
    let other = second.resource("mlplat_local_services");
    // With other components, with the same, and with the folder written out.
    for config in [
        json!({"name": "demo", "postgres": {}}),
        demo(),
        json!({"name": "demo", "redis": {}, "data_dir": test.dir}),
    ] {
        let refused = other.plan(config).await.unwrap_err();
        assert_eq!(refused.iter().next().unwrap().path.to_string(), "name");
        let text = text(&refused);
        assert!(
            text.contains("/home/user/first") && text.contains("workspace \"default\""),
            "{text}"
        );
        assert!(text.contains("terraform import ADDRESS demo"), "{text}");
    }
    // A folder of another name's stack is no place either.
    let elsewhere = json!({"name": "other", "redis": {}, "data_dir": test.dir});
    assert!(text(&other.plan(elsewhere).await.unwrap_err()).contains("the folder of the stack \"demo\""));

    assert_eq!(test.pids(), pids);
    stack.refresh().await.unwrap();
    assert_eq!(stack.plan(demo()).await.unwrap().action, Action::NoOp);
    stack.destroy().await.unwrap();
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_resource_of_the_same_configuration_is_refused() {
    let test = TestStack::at("stacks/demo");
    let run = run_in("/home/user/first", &test).await;
    let mut stack = run.resource("mlplat_local_services");
    stack.apply_once(demo()).await.unwrap();
    // Made in this very apply.
    let mut twin = run.resource("mlplat_local_services");
    let refused = twin.apply_once(demo()).await.unwrap_err();
    assert!(
        text(&refused).contains("another `mlplat_local_services` of this configuration"),
        "{refused:?}"
    );
    assert_eq!(twin.state(), None);
    // In one plan of both, the one that comes later is refused.
    assert!(text(&stack.plan(demo()).await.unwrap_err()).contains("`moved` block"));
    let later = run_in("/home/user/first", &test).await;
    let mut stack = later.resource("mlplat_local_services");
    stack.import("demo").await.unwrap();
    assert_eq!(stack.plan(demo()).await.unwrap().action, Action::NoOp);
    let twin = later.resource("mlplat_local_services");
    assert!(text(&twin.plan(demo()).await.unwrap_err()).contains("`moved` block"));
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_configuration_left_behind_is_adopted_by_it_alone_and_loses_nothing() {
    let test = TestStack::at("stacks/demo");
    let run = run_in("/home/user/first", &test).await;
    run.resource("mlplat_local_services").apply_once(demo()).await.unwrap();
    let pids = test.pids();
    // Its state is lost: another process of the same configuration knows nothing of it.
    let next = run_in("/home/user/first", &test).await;
    let mut stack = next.resource("mlplat_local_services");
    let refused = stack.plan(json!({"name": "demo", "postgres": {}})).await.unwrap_err();
    assert!(
        text(&refused).contains("this create would delete `redis` with its data"),
        "{refused:?}"
    );
    assert!(text(&refused).contains("terraform import ADDRESS demo"), "{refused:?}");
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Create);
    assert_eq!(test.pids(), pids);
    // Once Terraform has shown that it has it, only as it is.
    let later = run_in("/home/user/first", &test).await;
    edit_record(&test.dir, |record| record["owner"]["confirmed"] = json!(true));
    let stranger = later.resource("mlplat_local_services");
    let larger = json!({"name": "demo", "redis": {"maxmemory_mb": 64}});
    assert!(text(&stranger.plan(larger).await.unwrap_err()).contains("change its settings"));
    stack.destroy().await.unwrap();
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_a_stack_over_and_the_former_configuration_is_told() {
    let test = TestStack::at("stacks/demo");
    let first = run_in("/home/user/first", &test).await;
    let mut former = first.resource("mlplat_local_services");
    former.apply(demo()).await.unwrap();
    let pids = test.pids();

    let second = run_in("/home/user/second", &test).await;
    let mut stack = second.resource("mlplat_local_services");
    stack.import("demo").await.unwrap();
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::NoOp);

    let told = former.refresh().await.unwrap_err();
    assert!(
        text(&told).contains("managed by another configuration by now: /home/user/second"),
        "{told:?}"
    );
    assert!(text(&told).contains("terraform state rm ADDRESS"), "{told:?}");
    assert!(former.state().is_some(), "nothing is dropped from the state in silence");
    let larger = json!({"name": "demo", "redis": {"maxmemory_mb": 64}});
    assert!(text(&former.plan(larger).await.unwrap_err()).contains("/home/user/second"));
    // It leaves the state, and nothing else happens.
    former.destroy().await.unwrap();
    assert_eq!(test.pids(), pids);
    stack.refresh().await.unwrap();
    stack.destroy().await.unwrap();
    assert!(!test.dir.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_of_an_earlier_version_is_of_whoever_has_it_in_the_state() {
    let test = TestStack::at("stacks/demo");
    let first = run_in("/home/user/first", &test).await;
    let mut stack = first.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    edit_record(&test.dir, |record| {
        record.as_object_mut().unwrap().remove("owner");
    });
    let second = run_in("/home/user/second", &test).await;
    let other = second.resource("mlplat_local_services");
    let refused = other.plan(demo()).await.unwrap_err();
    assert!(
        text(&refused).contains("did not note for which configuration"),
        "{refused:?}"
    );
    // The next change gives it an owner.
    let larger = json!({"name": "demo", "redis": {"maxmemory_mb": 64}});
    assert_eq!(stack.apply(larger).await.unwrap(), Action::Update);
    assert!(text(&other.plan(demo()).await.unwrap_err()).contains("/home/user/first"));
    stack.destroy().await.unwrap();
}

fn claim(folder: &str) -> Claim {
    Claim {
        configuration: Configuration {
            directory: folder.into(),
            workspace: "default".into(),
            data_dir: None,
        },
        id: format!("id of {folder}"),
        in_state: false,
        known: None,
        import_id: "test".into(),
        run: Arc::default(),
    }
}

/// Planned before the other configuration made its stack: the apply meets it.
#[tokio::test(flavor = "multi_thread")]
async fn an_apply_meets_the_stack_that_the_plan_could_not_see() {
    let test = TestStack::new();
    let never = CancellationToken::new();
    let first = open(&test.dir).claimed(claim("/home/user/first"));
    first.apply(&database(), &never).await.unwrap();
    sql(&test, "artefacts", "CREATE TABLE kept AS SELECT 7 AS n")
        .await
        .unwrap();
    let second = open(&test.dir).claimed(claim("/home/user/second"));
    for spec in [whole(), cache(), renamed()] {
        let refused = second.apply(&spec, &never).await.unwrap_err();
        assert!(matches!(refused, StackError::Taken { .. }), "{refused}");
        assert!(!second.is_new(), "it would be tainted, and destroyed next");
    }
    let removed = second.destroy(&never).await.unwrap();
    assert!(matches!(removed, Removed::Kept { by } if by.directory == Path::new("/home/user/first")));
    assert_eq!(sql(&test, "artefacts", "SELECT n FROM kept").await.unwrap(), "7");
    test.destroy().await;
}

fn renamed() -> StackSpec {
    let mut postgres = postgres();
    postgres.username = "other".into();
    StackSpec {
        postgres: Some(postgres),
        ..database()
    }
}

/// A create that goes on with what was left behind and fails is not tainted: Terraform would destroy what was there before.
#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_that_fails_leaves_nothing_to_replace() {
    let test = TestStack::new();
    let never = CancellationToken::new();
    open(&test.dir)
        .claimed(claim("/home/user/first"))
        .apply(&cache(), &never)
        .await
        .unwrap();
    let again = open(&test.dir).claimed(Claim {
        id: "another".into(),
        ..claim("/home/user/first")
    });
    let mut missing = cache();
    missing.postgres = Some(postgres());
    missing.postgres.as_mut().unwrap().seed_sql = Some("no sql at all".into());
    again.apply(&missing, &never).await.unwrap_err();
    assert!(!again.is_new());
    test.destroy().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_others_survive_a_destroy_and_are_named() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    fs::write(test.dir.join("notes.txt"), "mine").unwrap();
    let removed = test.stack.destroy(&CancellationToken::new()).await.unwrap();
    let left = vec![test.dir.join("notes.txt")];
    assert_eq!(removed, Removed::Stack { left });
    assert_eq!(fs::read_dir(&test.dir).unwrap().count(), 1);
    until("the processes to end", || processes_of(test.parent()).is_empty()).await;
    // What is left is not a stack's folder any more.
    let error = test.apply(&cache()).await.unwrap_err();
    assert!(matches!(error, StackError::NotOurs { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_or_broken_record_is_not_written_over() {
    let test = TestStack::new();
    test.apply(&cache()).await.unwrap();
    let file = test.dir.join("stack.json");
    let right = fs::read(&file).unwrap();
    fs::write(&file, "").unwrap();
    let error = test.apply(&cache()).await.unwrap_err().to_string();
    assert!(
        error.contains("stack.json") && error.contains("not what mlplat wrote"),
        "{error}"
    );
    assert!(!error.contains("writable"), "{error}");
    fs::remove_file(&file).unwrap();
    let error = test.apply(&cache()).await.unwrap_err().to_string();
    assert!(
        error.contains("it does not exist, and the folder holds data"),
        "{error}"
    );
    fs::write(&file, right).unwrap();
    assert_eq!(test.apply(&cache()).await.unwrap().components.len(), 1);
    // With its own state.json, even what has lost its record can be deleted.
    fs::remove_file(&file).unwrap();
    let removed = test.stack.destroy(&CancellationToken::new()).await.unwrap();
    assert_eq!(removed, Removed::Stack { left: Vec::new() });
    assert!(!test.dir.exists());
    assert_eq!(test.pids().get(Component::Redis.as_str()), None);
}
