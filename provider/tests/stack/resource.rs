//! `mlplat_local_services` under Terraform's rules, in process, with real engines.

use std::collections::BTreeMap;
use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};
use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::registry;
use tfplug::testing::{Action, Harness, Tracked, UNKNOWN};

use crate::harness::{TestStack, delete, is_alive, is_let_go, kill, processes_of, spare_port, until};

/// The provider, and a stack in its default place that is ended with the test.
struct Place {
    harness: Harness,
    test: TestStack,
}

impl Place {
    async fn new() -> Self {
        let test = TestStack::at("stacks/demo");
        let real = Config::from_env().unwrap();
        let variables = BTreeMap::from([
            ("HOME".into(), test.parent().into()),
            ("MLPLAT_CACHE_DIR".into(), real.cache_dir.into()),
            ("MLPLAT_DATA_DIR".into(), test.parent().into()),
            ("PATH".into(), std::env::join_paths(real.path).unwrap()),
        ]);
        let program = env!("CARGO_BIN_EXE_terraform-provider-mlplat").into();
        let config = Config::from_variables(variables, program, "/tmp".into());
        Self {
            harness: Harness::new(registry::provider(config), json!({})).await.unwrap(),
            test,
        }
    }
}

fn demo() -> Value {
    json!({"name": "demo", "redis": {}})
}

fn with_store(buckets: &[&str]) -> Value {
    json!({"name": "demo", "redis": {}, "object_store": {"buckets": buckets}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_and_chosen_is_in_the_state_and_no_password_is() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Create);
    let state = stack.state().unwrap();
    assert_eq!(state["data_dir"], json!(place.test.dir));
    assert_eq!(state["redis"]["status"], "running");
    assert_eq!(state["redis"]["port"], state["endpoints"]["redis"]["host"]["port"]);
    assert!(
        state["redis"]["engine_version_actual"]
            .as_str()
            .unwrap()
            .starts_with(state["redis"]["version"].as_str().unwrap())
    );
    let secret = place.test.credentials().redis.unwrap().secret;
    assert!(!state.to_string().contains(secret.expose()));
    assert_eq!(stack.plan(demo()).await.unwrap().action, Action::NoOp);
    stack.destroy().await.unwrap();
    assert!(fs::read_dir(place.test.parent()).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_added_changed_and_removed_in_place() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let redis = place.test.pids()["redis"];
    assert_eq!(stack.apply(with_store(&["models"])).await.unwrap(), Action::Update);
    // Where the ports stay, the endpoints are known in the plan.
    let plan = stack.plan(with_store(&["models", "reports"])).await.unwrap();
    assert_eq!(
        plan.value.unwrap()["endpoints"]["s3"]["buckets"],
        json!(["models", "reports"])
    );
    assert_eq!(
        stack.apply(with_store(&["models", "reports"])).await.unwrap(),
        Action::Update
    );
    let port = stack.state().unwrap()["object_store"]["port"].as_u64().unwrap();
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Update);
    assert_eq!(stack.state().unwrap()["object_store"], Value::Null);
    is_let_go(u16::try_from(port).unwrap()).await;
    assert_eq!(place.test.pids()["redis"], redis);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_shows_in_the_plan_and_is_mended() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    // Stopped behind Terraform's back.
    place.test.kill_supervisor().await;
    let redis = place.test.pids()["redis"];
    kill(redis, Signal::KILL);
    until("the service to end", || !is_alive(redis)).await;
    stack.refresh().await.unwrap();
    assert_eq!(stack.state().unwrap()["redis"]["status"], "stopped");
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Update);
    assert_eq!(stack.state().unwrap()["redis"]["status"], "running");
    // One component deleted.
    delete(&place.test.dir.join("redis")).await;
    stack.refresh().await.unwrap();
    assert_eq!(stack.state().unwrap()["redis"], Value::Null);
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Update);
    // All of it deleted.
    delete(&place.test.dir).await;
    until("the processes to end", || processes_of(place.test.parent()).is_empty()).await;
    stack.refresh().await.unwrap();
    assert_eq!(stack.state(), None);
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Create);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_on_this_machine_is_an_error_of_the_plan() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    let refused = async |stack: &Tracked<'_>, postgres: Value| {
        let configuration = json!({"name": "demo", "postgres": postgres, "redis": {}});
        let refused = stack.plan(configuration).await.unwrap_err();
        let told = refused.iter().next().unwrap().clone();
        (told.path.to_string(), told.detail)
    };
    let (path, detail) = refused(&stack, json!({"version": "11"})).await;
    assert_eq!(path, "postgres");
    assert!(detail.contains("no PostgreSQL 11 on this machine"), "{detail}");
    assert!(detail.contains("`apt-get install postgresql-11`"), "{detail}");
    let (path, detail) = refused(&stack, json!({"extensions": ["no_such"]})).await;
    assert_eq!(path, "postgres.extensions");
    assert!(
        detail.contains("does not offer the extension no_such. To fix:"),
        "{detail}"
    );
    // The same where the component exists already.
    stack
        .apply(json!({"name": "demo", "postgres": {}, "redis": {}}))
        .await
        .unwrap();
    let (path, _) = refused(&stack, json!({"extensions": ["no_such"]})).await;
    assert_eq!(path, "postgres.extensions");
    let with = json!({"name": "demo", "postgres": {"extensions": ["pg_trgm"]}, "redis": {}});
    assert_eq!(stack.apply(with.clone()).await.unwrap(), Action::Update);
    assert_eq!(stack.plan(with).await.unwrap().action, Action::NoOp);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_started_shows_in_the_plan() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let file = place.test.dir.join("redis/login.json");
    let mut login: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    login["admin_secret"] = Value::Null;
    fs::write(&file, login.to_string()).unwrap();
    stack.refresh().await.unwrap();
    assert_eq!(stack.state().unwrap()["redis"]["status"], "outdated");
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Update);
    assert_eq!(stack.plan(demo()).await.unwrap().action, Action::NoOp);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_done_shows_again_in_the_next_plan() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let port = spare_port();
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let fixed = json!({"name": "demo", "redis": {"port": port}});
    let refused = stack.apply(fixed.clone()).await.unwrap_err();
    let told = refused.iter().next().unwrap();
    assert_eq!(told.path.to_string(), "redis.port");
    assert!(
        told.detail.contains(&format!("(pid {})", std::process::id())),
        "{}",
        told.detail
    );
    assert_eq!(stack.plan(fixed.clone()).await.unwrap().action, Action::Update);
    drop(listener);
    is_let_go(port).await;
    assert_eq!(stack.apply(fixed).await.unwrap(), Action::Update);
    assert_eq!(stack.state().unwrap()["redis"]["port"], port);
    stack.destroy().await.unwrap();
}

/// What uses the endpoints must not be configured with an address that changes in the apply.
#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_port_that_is_lost_is_unknown_in_the_plan_and_the_users_own_is_not() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let port = u16::try_from(stack.state().unwrap()["redis"]["port"].as_u64().unwrap()).unwrap();
    place.test.kill_supervisor().await;
    kill(place.test.pids()["redis"], Signal::KILL);
    is_let_go(port).await;
    let stranger = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    stack.refresh().await.unwrap();
    let planned = stack.plan(demo()).await.unwrap().value.unwrap();
    assert_eq!(planned["redis"]["port"], UNKNOWN);
    assert_ne!(planned["endpoints"]["redis"]["host"]["port"], port);
    let fixed = json!({"name": "demo", "redis": {"port": port}});
    let planned = stack.plan(fixed.clone()).await.unwrap().value.unwrap();
    assert_eq!(planned["redis"]["port"], port);
    let refused = stack.apply(fixed).await.unwrap_err();
    assert_eq!(refused.iter().next().unwrap().path.to_string(), "redis.port");
    assert_eq!(stack.apply(demo()).await.unwrap(), Action::Update);
    let state = stack.state().unwrap();
    assert_ne!(state["redis"]["port"], port);
    assert_eq!(state["redis"]["port"], state["endpoints"]["redis"]["host"]["port"]);
    assert_eq!(state["redis"]["status"], "running");
    drop(stranger);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_were_changed_elsewhere_are_drift() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    let config = json!({"name": "demo", "redis": {"maxmemory_mb": 21}});
    stack.apply(config.clone()).await.unwrap();
    let mut elsewhere = crate::harness::cache();
    elsewhere.name = "demo".into();
    elsewhere.redis.as_mut().unwrap().maxmemory_mb = Some(22);
    place.test.apply(&elsewhere).await.unwrap();
    stack.refresh().await.unwrap();
    assert_eq!(stack.state().unwrap()["redis"]["maxmemory_mb"], 22);
    assert_eq!(stack.apply(config).await.unwrap(), Action::Update);
    stack.destroy().await.unwrap();
}

/// What an apply asked for and did not reach is in `stack.json`, and not in the state.
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_failed_is_planned_again_after_a_refresh() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    let with = |seed: &str| json!({"name": "demo", "postgres": {"seed_sql": seed}});
    stack.apply(with("select 1")).await.unwrap();
    stack.apply(with("no sql at all")).await.unwrap_err();
    stack.refresh().await.unwrap();
    assert_eq!(stack.state().unwrap()["postgres"]["seed_sql"], "select 1");
    assert_eq!(stack.plan(with("no sql at all")).await.unwrap().action, Action::Update);
    assert_eq!(stack.apply(with("select 2")).await.unwrap(), Action::Update);
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoints_of_components_that_stay_are_known_in_the_plan() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    let new = stack.plan(demo()).await.unwrap().value.unwrap();
    assert_eq!(
        new["endpoints"],
        json!({"postgres": null, "redis": UNKNOWN, "s3": null})
    );
    stack.apply(json!({"name": "demo", "postgres": {}})).await.unwrap();
    let known = stack.state().unwrap()["endpoints"]["postgres"].clone();
    let both = |username: &str| json!({"name": "demo", "postgres": {"username": username}, "redis": {}});
    let added = stack.plan(both("app")).await.unwrap().value.unwrap();
    assert_eq!(
        added["endpoints"],
        json!({"postgres": known, "redis": UNKNOWN, "s3": null})
    );
    stack.apply(both("app")).await.unwrap();
    let redis = stack.state().unwrap()["endpoints"]["redis"].clone();
    let renamed = stack.plan(both("other")).await.unwrap().value.unwrap();
    assert_eq!(
        renamed["endpoints"],
        json!({"postgres": UNKNOWN, "redis": redis, "s3": null})
    );
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_the_same_however_it_is_written_and_no_other_stacks() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    let parent = place.test.parent();
    let dir = parent.join("made/here");
    let at = |dir: &str| json!({"name": "demo", "redis": {}, "data_dir": dir});
    let dir = dir.to_str().unwrap();
    stack.apply(at(dir)).await.unwrap();
    std::os::unix::fs::symlink(parent.join("made"), parent.join("link")).unwrap();
    for same in [
        format!("{dir}/"),
        format!("{dir}/."),
        dir.replace("/made/", "//made/./"),
        dir.replace("/made/", "/made/../made/"),
        dir.replace("/made/", "/link/"),
    ] {
        assert_eq!(stack.plan(at(&same)).await.unwrap().action, Action::NoOp, "{same}");
    }
    // Refused in the plan, before the old one is destroyed.
    fs::create_dir(parent.join("full")).unwrap();
    fs::write(parent.join("full/thesis.txt"), "years of work").unwrap();
    for (other, why) in [
        (parent.join("full"), "a folder with other things in it"),
        (parent.join("made"), "a folder with other things in it"),
        (parent.join("made/here/redis/x"), "inside the folder of another stack"),
        (parent.join("link/here/new/x"), "inside the folder of another stack"),
    ] {
        let refused = stack.plan(at(other.to_str().unwrap())).await.unwrap_err();
        let told = refused.iter().next().unwrap();
        assert!(told.detail.contains(why), "{}: {}", other.display(), told.detail);
        assert_eq!(told.path.to_string(), "data_dir");
    }
    stack.destroy().await.unwrap();
    assert!(!parent.join("made").exists(), "what was made for it goes with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn name_folder_and_runtime_replace_and_nothing_else_does() {
    let place = Place::new().await;
    let mut stack = place.harness.resource("mlplat_local_services");
    stack.apply(demo()).await.unwrap();
    let action = async |config: Value| stack.plan(config).await.unwrap().action;
    assert_eq!(action(json!({"name": "other", "redis": {}})).await, Action::Replace);
    let elsewhere = place.test.parent().join("elsewhere");
    assert_eq!(
        action(json!({"name": "demo", "data_dir": elsewhere, "redis": {}})).await,
        Action::Replace
    );
    assert_eq!(
        action(json!({"name": "demo", "redis": {"maxmemory_mb": 64}})).await,
        Action::Update
    );
    assert_eq!(
        action(json!({"name": "demo", "redis": {"persistence": false}})).await,
        Action::Update
    );
    assert_eq!(
        action(json!({"name": "demo", "redis": {}, "credentials_secret_name": "x"})).await,
        Action::Update
    );
    stack.destroy().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_imported_by_its_name() {
    let place = Place::new().await;
    let mut first = place.harness.resource("mlplat_local_services");
    first.apply(demo()).await.unwrap();
    for id in ["demo".to_owned(), format!("demo@{}", place.test.dir.display())] {
        let mut second = place.harness.resource("mlplat_local_services");
        second.import(&id).await.unwrap();
        assert_eq!(second.state(), first.state());
        assert_eq!(second.plan(demo()).await.unwrap().action, Action::NoOp);
    }
    let mut none = place.harness.resource("mlplat_local_services");
    let refused = none.import("absent").await.unwrap_err();
    assert!(
        refused
            .iter()
            .next()
            .unwrap()
            .detail
            .contains("there is no local stack in")
    );
    first.destroy().await.unwrap();
}

#[tokio::test]
async fn arguments_that_cannot_work_are_refused_by_name() {
    let place = Place::new().await;
    let cases = [
        (json!({"name": "Demo"}), "name"),
        (json!({"name": "demo", "data_dir": "here"}), "data_dir"),
        (json!({"name": "demo", "data_dir": "/tmp/a\nb"}), "data_dir"),
        (json!({"name": "demo", "runtime": "docker"}), "runtime"),
        (
            json!({"name": "demo", "postgres": {"engine": "mysql"}}),
            "postgres.engine",
        ),
        (json!({"name": "demo", "postgres": {"port": 70000}}), "postgres.port"),
        (
            json!({"name": "demo", "postgres": {"username": "pg_x"}}),
            "postgres.username",
        ),
        (
            json!({"name": "demo", "redis": {"maxmemory_policy": "all"}}),
            "redis.maxmemory_policy",
        ),
        (
            json!({"name": "demo", "object_store": {"buckets": ["A"]}}),
            "object_store.buckets",
        ),
        (
            json!({"name": "demo", "redis": {"port": 1}, "postgres": {"port": 1}}),
            "redis.port",
        ),
    ];
    for (config, attribute) in cases {
        let stack = place.harness.resource("mlplat_local_services");
        let refused = stack.plan(config.clone()).await.map(|_| ()).unwrap_err();
        assert_eq!(refused.iter().next().unwrap().path.to_string(), attribute, "{config}");
    }
    assert!(!place.test.dir.exists());
}
