//! What a user does on an ordinary day: apply, plan, change, replace, import, destroy.

use crate::{CACHE, PAIR, THIS, nothing_is_left, pids, port, runs};
use harness::project::run;
use harness::{Project, process, terraform};
use std::thread;

#[test]
fn a_stack_is_applied_planned_empty_and_destroyed_without_a_trace() {
    let project = Project::new(
        r#"
resource "mlplat_local_services" "this" {
  name         = "whole"
  postgres     = { database = "artefacts", seed_sql = "create table seeded (id int); insert into seeded values (7);" }
  redis        = {}
  object_store = { buckets = ["models", "reports"] }
}
"#,
    );
    project.apply();
    project.plans_nothing();

    let state = project.resource(THIS).expect("the stack is in the state");
    for component in ["postgres", "redis", "object_store"] {
        assert_eq!(state[component]["status"], "running", "{component}");
        assert!(process::listening(port(&project, component)), "{component} listens");
    }
    let endpoints = &state["endpoints"];
    assert_eq!(endpoints["postgres"]["host"]["port"], state["postgres"]["port"]);
    assert_eq!(endpoints["postgres"]["database"], "artefacts");
    assert_eq!(endpoints["s3"]["buckets"], serde_json::json!(["models", "reports"]));

    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn changing_one_service_leaves_the_others_running() {
    let project = Project::new(PAIR);
    project.apply();
    let before = pids(&project, "pair");
    let cache_port = port(&project, "redis");

    project.configure(&PAIR.replace("redis    = {}", "redis    = { maxmemory_mb = 64 }"));
    project.plans_a_change();
    let applied = project.apply();
    assert!(
        applied.text.contains("0 added, 1 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    project.plans_nothing();

    let after = pids(&project, "pair");
    assert_eq!(before["postgres"], after["postgres"], "PostgreSQL was not touched");
    assert_ne!(
        before["redis"], after["redis"],
        "the cache was restarted with its new limit"
    );
    assert_eq!(cache_port, port(&project, "redis"), "a port that was chosen once stays");
}

#[test]
fn a_component_is_added_and_removed_in_place() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");

    let with_postgres = CACHE.replace("redis = {}", "redis = {}\n  postgres = { database = \"added\" }");
    project.configure(&with_postgres);
    project.apply();
    project.plans_nothing();
    assert_eq!(before["redis"], pids(&project, "cache")["redis"]);
    let postgres = pids(&project, "cache")["postgres"];

    project.configure(CACHE);
    project.apply();
    project.plans_nothing();
    assert!(!runs(&project, postgres), "a component that is left out is ended");
    assert_eq!(before, pids(&project, "cache"));
}

/// A provider that is configured from one endpoint goes on planning while another is to come.
#[test]
fn a_component_that_is_added_leaves_the_other_endpoints_known() {
    let project = Project::new(CACHE);
    project.apply();
    project.configure(&CACHE.replace("redis = {}", "redis = {}\n  postgres = {}"));
    project.terraform(&["plan", "-no-color", "-out=plan"]).success();
    let shown = project.terraform(&["show", "-json", "plan"]).success();
    let start = shown.text.find('{').expect("a plan");
    let mut parsed = serde_json::Deserializer::from_str(&shown.text[start..]).into_iter::<serde_json::Value>();
    let plan = parsed.next().expect("a plan").expect("JSON");
    let change = &plan["resource_changes"][0]["change"];
    assert_eq!(change["after_unknown"]["endpoints"]["postgres"], true, "{change}");
    assert_eq!(
        change["after"]["endpoints"]["redis"],
        change["before"]["endpoints"]["redis"]
    );
    project.terraform(&["apply", "-no-color", "plan"]).success();
    project.plans_nothing();
}

#[test]
fn a_new_name_is_a_new_stack() {
    let project = Project::new(CACHE);
    project.apply();
    let old = pids(&project, "cache")["redis"];

    project.configure(&CACHE.replace("\"cache\"", "\"renamed\""));
    let plan = project.plans_a_change();
    assert!(
        plan.text.contains("must be replaced") && plan.text.contains("# forces replacement"),
        "{}",
        plan.text
    );
    project.apply();
    project.plans_nothing();
    assert!(!runs(&project, old));
    assert!(!project.stack("cache").exists(), "the old stack's folder is gone");
    assert!(process::alive(pids(&project, "renamed")["redis"]));
}

#[test]
fn another_data_directory_is_a_new_stack() {
    let project = Project::new(CACHE);
    project.apply();
    let elsewhere = project.path("data/stacks/elsewhere");
    project.configure(&CACHE.replace(
        "redis = {}",
        &format!("redis = {{}}\n  data_dir = {:?}", elsewhere.display()),
    ));
    let plan = project.plans_a_change();
    assert!(plan.text.contains("must be replaced"), "{}", plan.text);
    project.apply();
    project.plans_nothing();
    assert!(elsewhere.exists() && !project.stack("cache").exists());
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn a_fixed_port_is_used_and_changed_in_place() {
    let (first, second) = (process::spare_port(), process::spare_port());
    let with = |port: u16| CACHE.replace("{}", &format!("{{ port = {port} }}"));
    let project = Project::new(&with(first));
    project.apply();
    assert!(process::listening(first));
    project.configure(&with(second));
    project.apply();
    project.plans_nothing();
    assert!(process::listening(second) && !process::listening(first));
    let state = project.resource(THIS).expect("in the state");
    assert_eq!(
        state["endpoints"]["redis"]["host"]["port"], second,
        "the contract follows"
    );
}

#[test]
fn an_imported_stack_needs_no_change() {
    let project = Project::new(PAIR);
    project.apply();
    let before = pids(&project, "pair");
    let known = project.resource(THIS).expect("in the state");
    project.terraform(&["state", "rm", THIS]).success();

    project.terraform(&["import", "-no-color", THIS, "pair"]).success();
    assert_eq!(project.resource(THIS).expect("imported"), known);
    project.plans_nothing();
    assert_eq!(before, pids(&project, "pair"));

    project.terraform(&["state", "rm", THIS]).success();
    project
        .terraform(&["import", "-no-color", THIS, "absent"])
        .fails_with(&["nothing to import", "absent"]);
    project
        .terraform(&["import", "-no-color", THIS, "No Name"])
        .fails_with(&["names no stack"]);
}

#[test]
fn two_stacks_live_side_by_side() {
    let stack = |name: &str| {
        let project = Project::new(&PAIR.replace("\"pair\"", &format!("{name:?}")));
        project.apply();
        project.plans_nothing();
        (pids(&project, name), project)
    };
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| stack("left"));
        let right = scope.spawn(|| stack("right"));
        (
            left.join().expect("left is applied"),
            right.join().expect("right is applied"),
        )
    });
    left.1.destroy();
    assert_eq!(
        right.0,
        pids(&right.1, "right"),
        "destroying one stack leaves the other alone"
    );
    right.1.plans_nothing();
}

#[test]
fn a_resource_that_is_only_in_the_file_is_destroyed_by_removing_it() {
    let project = Project::new(CACHE);
    project.apply();
    project.configure("");
    project.apply();
    nothing_is_left(&project);
}

/// A user namespace makes the process an ordinary user, whoever runs the test.
#[test]
fn an_ordinary_user_has_a_whole_life_too() {
    let project = Project::new(PAIR);
    let script = r#"
[ "$(id -u)" = 1000 ] || exit 8
"$TERRAFORM" apply -auto-approve -no-color &&
"$TERRAFORM" plan -detailed-exitcode -no-color &&
"$TERRAFORM" destroy -auto-approve -no-color"#;
    let mut command = project.command("unshare".as_ref());
    command.args(["--user", "--map-user=1000", "--map-group=1000", "sh", "-c", script]);
    run(command.env("TERRAFORM", terraform())).success();
    nothing_is_left(&project);
}
