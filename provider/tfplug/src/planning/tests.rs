//! A table of plans: prior state and configuration in, planned state and replacements out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::testing::UNKNOWN;
use crate::testing::values::{from_json, to_json};
use crate::value::Value;
use crate::{Computed, Model, Secret, WriteOnly};

#[derive(Model, Clone, Debug, PartialEq)]
struct Stack {
    #[model(replace)]
    name: String,
    #[model(default = "process")]
    runtime: String,
    #[model(keep)]
    id: Computed<String>,
    status: Computed<String>,
    postgres: Option<Postgres>,
    users: Option<BTreeSet<User>>,
    pools: Option<BTreeMap<String, Postgres>>,
    token: WriteOnly<Secret>,
    #[model(default)]
    limits: Limits,
    #[model(block)]
    rule: Vec<Rule>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Postgres {
    #[model(default = "postgres")]
    engine: String,
    #[model(optional, keep)]
    port: Computed<u16>,
    #[model(replace)]
    database: String,
    address: Computed<String>,
}

#[derive(Model, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct User {
    name: String,
    #[model(keep)]
    uid: Computed<u32>,
    #[model(default = 7)]
    days: u32,
}

#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Limits {
    memory_mb: Option<u32>,
    #[model(keep)]
    effective_mb: Computed<u32>,
}

#[derive(Model, Clone, Debug, PartialEq)]
struct Rule {
    #[model(default = true)]
    allow: bool,
}

fn value(json: &Json) -> Value {
    let block = Stack::block();
    let mut value = from_json(json, &block.ty()).unwrap();
    super::normalise(&block, &mut value);
    value
}

/// The planned state and what is replaced, as Terraform would take it.
fn planned(prior: &Json, config: &Json) -> (Json, Vec<String>) {
    let block = Stack::block();
    let (prior, config) = (value(prior), value(config));
    let proposed = super::propose(&block, &prior, &config);
    let (planned, replace) = super::plan(&block, &prior, &config, proposed);
    let errors = crate::testing::rules::plan(&block, &prior, &config, &planned);
    assert!(errors.is_empty(), "Terraform would refuse it: {errors}");
    (to_json(&planned), replace.iter().map(ToString::to_string).collect())
}

fn with(mut base: Json, changes: &[(&str, Json)]) -> Json {
    for (pointer, json) in changes {
        *base
            .pointer_mut(pointer)
            .unwrap_or_else(|| panic!("{pointer} is not there")) = json.clone();
    }
    base
}

fn config() -> Json {
    json!({"name": "demo", "runtime": null, "postgres": {"database": "app", "port": null}, "token": "canary",
           "users": [{"name": "b"}, {"name": "a"}], "pools": null, "rule": [{}], "limits": null})
}

fn state() -> Json {
    json!({"name": "demo", "runtime": "process", "id": "i-1", "status": "running",
           "postgres": {"engine": "postgres", "port": 15432, "database": "app", "address": "here"},
           "users": [{"name": "a", "uid": 1, "days": 7}, {"name": "b", "uid": 2, "days": 7}],
           "pools": null, "token": null, "limits": {"memory_mb": null, "effective_mb": 512}, "rule": [{"allow": true}]})
}

#[test]
fn a_create_has_its_defaults_and_everything_computed_is_unknown() {
    let (planned, replace) = planned(&Json::Null, &config());
    assert_eq!(
        planned,
        json!({"name": "demo", "runtime": "process", "id": UNKNOWN, "status": UNKNOWN,
               "postgres": {"engine": "postgres", "port": UNKNOWN, "database": "app", "address": UNKNOWN},
               "users": [{"name": "a", "uid": UNKNOWN, "days": 7}, {"name": "b", "uid": UNKNOWN, "days": 7}],
               "pools": null, "token": null, "limits": {"memory_mb": null, "effective_mb": UNKNOWN},
               "rule": [{"allow": true}]})
    );
    assert!(replace.is_empty());
}

#[test]
fn an_unchanged_configuration_plans_the_prior_state() {
    let (planned, replace) = planned(&state(), &config());
    assert_eq!(planned, state());
    assert!(replace.is_empty());
}

#[test]
fn a_change_makes_the_computed_unknown_but_keeps_what_is_kept() {
    let (planned, replace) = planned(&state(), &with(config(), &[("/runtime", json!("docker"))]));
    let wanted = with(
        state(),
        &[
            ("/runtime", json!("docker")),
            ("/status", json!(UNKNOWN)),
            ("/postgres/address", json!(UNKNOWN)),
        ],
    );
    assert_eq!(planned, wanted);
    assert!(replace.is_empty());
}

#[test]
fn replacements_are_named_nested_ones_too() {
    let changed = with(
        config(),
        &[("/name", json!("other")), ("/postgres/database", json!("x"))],
    );
    assert_eq!(planned(&state(), &changed).1, ["name", "postgres.database"]);
}

#[test]
fn an_object_that_is_new_replaces_nothing_and_keeps_nothing() {
    let before = with(state(), &[("/postgres", Json::Null)]);
    let (planned, replace) = planned(&before, &config());
    assert_eq!(
        planned["postgres"],
        json!({"engine": "postgres", "port": UNKNOWN, "database": "app", "address": UNKNOWN})
    );
    assert!(replace.is_empty());
}

#[test]
fn an_object_that_is_taken_out_is_null() {
    let (planned, replace) = planned(&state(), &with(config(), &[("/postgres", Json::Null)]));
    assert_eq!(planned["postgres"], Json::Null);
    assert!(replace.is_empty());
}

#[test]
fn an_unknown_configuration_stays_unknown_and_may_replace() {
    let unknown = with(config(), &[("/name", json!(UNKNOWN)), ("/runtime", json!(UNKNOWN))]);
    let (planned, replace) = planned(&state(), &unknown);
    assert_eq!(
        (&planned["name"], &planned["runtime"]),
        (&json!(UNKNOWN), &json!(UNKNOWN))
    );
    assert_eq!(planned["id"], json!("i-1"));
    assert_eq!(replace, ["name"]);
}

#[test]
fn an_unknown_port_is_not_replaced_by_the_kept_one() {
    let (planned, _) = planned(&state(), &with(config(), &[("/postgres/port", json!(UNKNOWN))]));
    assert_eq!(planned["postgres"]["port"], json!(UNKNOWN));
}

#[test]
fn elements_of_a_set_are_matched_by_value() {
    let users = json!([{"name": "c"}, {"name": "b", "days": 7}, {"name": "a", "days": 9}]);
    let (planned, _) = planned(&state(), &with(config(), &[("/users", users)]));
    let mut elements = planned["users"].as_array().unwrap().clone();
    elements.sort_by_key(|user| user["name"].as_str().map(str::to_owned));
    assert_eq!(
        elements,
        [
            // Its days were 7: it is another element, so it has nothing to keep.
            json!({"name": "a", "uid": UNKNOWN, "days": 9}),
            json!({"name": "b", "uid": 2, "days": 7}),
            json!({"name": "c", "uid": UNKNOWN, "days": 7}),
        ]
    );
}

#[test]
fn of_two_elements_alike_each_keeps_its_own() {
    let users = json!([{"name": "a"}, {"name": "a", "days": 9}]);
    let (created, _) = planned(&Json::Null, &with(config(), &[("/users", users)]));
    assert_eq!(
        created["users"],
        json!([{"name": "a", "uid": UNKNOWN, "days": 7}, {"name": "a", "uid": UNKNOWN, "days": 9}])
    );
}

#[test]
fn elements_of_a_map_are_matched_by_key() {
    let pool = json!({"engine": "postgres", "port": 1, "database": "one", "address": "x"});
    let before = with(state(), &[("/pools", json!({"one": pool}))]);
    let after = with(
        config(),
        &[(
            "/pools",
            json!({"one": {"database": "uno"}, "two": {"database": "two"}}),
        )],
    );
    let (planned, replace) = planned(&before, &after);
    assert_eq!(
        planned["pools"],
        json!({"one": {"engine": "postgres", "port": 1, "database": "uno", "address": UNKNOWN},
               "two": {"engine": "postgres", "port": UNKNOWN, "database": "two", "address": UNKNOWN}})
    );
    assert_eq!(replace, ["pools[\"one\"].database"]);
}

#[test]
fn blocks_have_defaults_and_a_new_one_is_a_change() {
    let (planned, _) = planned(&state(), &with(config(), &[("/rule", json!([{}, {"allow": false}]))]));
    assert_eq!(planned["rule"], json!([{"allow": true}, {"allow": false}]));
    assert_eq!(planned["status"], json!(UNKNOWN));
}

#[test]
fn a_default_that_is_an_object_gives_way_and_comes_back() {
    let set = with(config(), &[("/limits", json!({"memory_mb": 5}))]);
    assert_eq!(
        planned(&state(), &set).0["limits"],
        json!({"memory_mb": 5, "effective_mb": 512})
    );
    let before = with(state(), &[("/limits/memory_mb", json!(5))]);
    assert_eq!(
        planned(&before, &config()).0["limits"],
        json!({"memory_mb": null, "effective_mb": 512})
    );
}

#[test]
fn fractions_keep_the_digits_that_the_user_wrote() {
    let wanted = Value::Number(crate::Number::parse("0.10000000000000000001").unwrap());
    let mut read = crate::Field::into_value(0.1_f64);
    super::reconcile(&mut read, &wanted);
    assert_eq!(read, wanted);
    let mut other = crate::Field::into_value(0.2_f64);
    super::reconcile(&mut other, &wanted);
    assert_eq!(other, crate::Field::into_value(0.2_f64));
}
