//! A provider's whole life, in process and under Terraform's rules.

mod library;

use serde_json::{Value as Json, json};
use tfplug::Diagnostics;
use tfplug::testing::{Action, Harness, UNKNOWN};

async fn harness() -> Harness {
    Harness::new(library::provider(), json!({"town": "Ulm"}))
        .await
        .expect("the library has no demands")
}

fn shelf(name: &str) -> Json {
    json!({"name": name, "rows": 3, "owner": {"name": "Eve"}, "books": [{"title": "B"}, {"title": "A", "copies": 2}],
           "height": 0.1, "rule": [{}], "note": {"any": [1, "x"]}})
}

fn words(errors: &Diagnostics) -> String {
    errors.to_string()
}

#[tokio::test]
async fn a_plan_tells_what_is_known_and_what_is_not() {
    let harness = harness().await;
    let planned = harness.resource("library_shelf").plan(shelf("a")).await.unwrap();
    assert_eq!(planned.action, Action::Create);
    assert_eq!(
        planned.value.unwrap(),
        json!({
            "name": "a", "material": "oak", "rows": 3, "height": 0.1,
            "owner": {"name": "Eve", "room": UNKNOWN, "desk": null},
            "books": [{"title": "B", "copies": 1}, {"title": "A", "copies": 2}],
            "tags": null, "label": null, "pin": null, "pin_version": null, "note": {"any": [1, "x"]},
            "number": UNKNOWN, "status": UNKNOWN, "place": UNKNOWN, "timeouts": null, "rule": [{"days": 14}],
        })
    );
}

#[tokio::test]
async fn a_shelf_lives_from_create_to_destroy() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    assert_eq!(it.apply(shelf("a")).await, Ok(Action::Create));
    assert_eq!(it.apply(shelf("a")).await, Ok(Action::NoOp));
    assert_eq!(it.identity(), Some(json!({"name": "a"})));
    let made = it.state().unwrap();
    assert_eq!(
        (&made["number"], &made["place"]),
        (&json!(1), &json!({"town": "Ulm", "floor": -1}))
    );

    let mut changed = shelf("a");
    changed["owner"]["desk"] = json!({"letter": "D"});
    let planned = it.plan(changed.clone()).await.unwrap();
    assert_eq!(planned.action, Action::Update);
    let value = planned.value.unwrap();
    assert_eq!(
        (&value["number"], &value["owner"]["room"], &value["status"]),
        (&json!(1), &json!(7), &json!(UNKNOWN))
    );
    assert_eq!(it.apply(changed).await, Ok(Action::Update));

    it.destroy().await.unwrap();
    assert_eq!(it.state(), None);
}

#[tokio::test]
async fn what_needs_a_new_resource_is_named_in_order() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    it.apply(shelf("a")).await.unwrap();
    let mut other = shelf("b");
    other["material"] = json!("steel");
    let planned = it.plan(other.clone()).await.unwrap();
    assert_eq!(
        (planned.action, planned.replace),
        (Action::Replace, vec!["material".to_owned(), "name".to_owned()])
    );
    assert_eq!(planned.value.unwrap()["number"], json!(UNKNOWN));
    assert_eq!(it.apply(other).await, Ok(Action::Replace));
    assert_eq!(it.state().unwrap()["name"], "b");
}

#[tokio::test]
async fn what_breaks_is_mended_and_what_is_gone_is_made_again() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    let config = json!({"name": "a"});
    it.apply(config.clone()).await.unwrap();
    let mut broken = it.state().unwrap();
    broken["status"] = json!("broken");
    it.load(2, broken).await.unwrap();
    let planned = it.plan(config).await.unwrap();
    assert_eq!(
        (planned.action, &planned.value.unwrap()["status"]),
        (Action::Update, &json!("in use"))
    );

    let mut gone = it.state().unwrap();
    gone["name"] = json!("gone");
    it.load(2, gone).await.unwrap();
    it.refresh().await.unwrap();
    assert_eq!(it.state(), None);
}

#[tokio::test]
async fn a_half_made_shelf_stays_tracked_and_is_replaced() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    let error = it.apply(shelf("wobbly")).await.unwrap_err();
    assert_eq!(words(&error), "error: The shelf fell over");
    assert_eq!(it.state().unwrap()["name"], "wobbly");
    assert!(it.is_tainted());
    assert_eq!(it.plan(shelf("a")).await.unwrap().action, Action::Replace);
    assert_eq!(it.apply(shelf("a")).await, Ok(Action::Replace));
    assert!(!it.is_tainted());
}

#[tokio::test]
async fn a_failed_update_keeps_the_prior_state() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    it.apply(shelf("a")).await.unwrap();
    let before = it.state();
    let mut stuck = shelf("a");
    stuck["label"] = json!("stuck");
    assert_eq!(words(&it.apply(stuck).await.unwrap_err()), "error: The shelf is stuck");
    assert_eq!(it.state(), before);
    assert!(!it.is_tainted());
}

#[tokio::test]
async fn a_destroy_can_be_refused_in_the_plan() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    let mut loved = shelf("a");
    loved["label"] = json!("loved");
    it.apply(loved).await.unwrap();
    assert_eq!(
        words(&it.plan_destroy().await.unwrap_err()),
        "error: The shelf is loved"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_known_after_apply_is_a_bug_by_name_and_the_rest_is_kept() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    let error = words(&it.apply(shelf("vague")).await.unwrap_err());
    assert!(
        error.starts_with("error at status: The provider has a bug: `library_shelf` says"),
        "{error}"
    );
    assert_eq!(
        (&it.state().unwrap()["status"], &it.state().unwrap()["number"]),
        (&Json::Null, &json!(1))
    );
}

#[tokio::test]
async fn a_result_that_is_not_the_planned_one_is_found() {
    let harness = harness().await;
    let error = words(
        &harness
            .resource("library_shelf")
            .apply(shelf("wrong"))
            .await
            .unwrap_err(),
    );
    assert!(
        error.starts_with("error at rows: Provider produced inconsistent result after apply"),
        "{error}"
    );
}

#[tokio::test]
async fn write_only_values_reach_create_and_nothing_else() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    let mut secret = shelf("a");
    secret["pin"] = json!("1234");
    secret["pin_version"] = json!(1);
    it.apply(secret.clone()).await.unwrap();
    assert_eq!(it.state().unwrap()["pin"], Json::Null);
    secret["pin"] = json!("4321");
    assert_eq!(it.plan(secret).await.unwrap().action, Action::NoOp);
}

#[tokio::test]
async fn a_shelf_is_imported_by_id_and_by_identity() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    it.apply(shelf("a")).await.unwrap();
    let (mut by_id, mut by_identity) = (harness.resource("library_shelf"), harness.resource("library_shelf"));
    by_id.import("a").await.unwrap();
    by_identity.import_identity(json!({"name": "a"})).await.unwrap();
    assert_eq!(by_id.state(), it.state());
    assert_eq!(by_identity.state(), it.state());
    assert_eq!(by_id.plan(shelf("a")).await.unwrap().action, Action::NoOp);
    let error = harness.resource("library_shelf").import("z").await.unwrap_err();
    assert_eq!(words(&error), "error: There is no shelf `z`: To fix: create it.");
}

#[tokio::test]
async fn old_states_are_upgraded_and_newer_ones_refused() {
    let harness = harness().await;
    let mut it = harness.resource("library_shelf");
    it.load(1, json!({"title": "old"})).await.unwrap();
    assert_eq!(
        (&it.state().unwrap()["name"], &it.state().unwrap()["number"]),
        (&json!("old"), &json!(u64::MAX))
    );
    it.load(2, json!({"name": "now", "material": "oak", "dropped": 1}))
        .await
        .unwrap();
    assert_eq!(
        (&it.state().unwrap()["name"], &it.state().unwrap()["rule"]),
        (&json!("now"), &json!([]))
    );
    assert_eq!(
        words(&it.load(0, json!({})).await.unwrap_err()),
        "error: There was no version 0"
    );
    let newer = words(&it.load(3, json!({})).await.unwrap_err());
    assert!(newer.contains("knows versions up to 2"), "{newer}");
}

/// Every refusal of a configuration, in the user's words.
#[tokio::test]
async fn a_bad_configuration_is_refused_by_the_attributes_name() {
    let harness = harness().await;
    let cases = [
        (
            json!({}),
            "error at name: Terraform refuses `name`: the argument is required",
        ),
        (
            json!({"name": "a", "material": "paper"}),
            "error at material: Invalid value for `material`: `material` must be one of `oak`, `steel`, got `paper`",
        ),
        (
            json!({"name": "A"}),
            "error at name: Invalid value for `name`: `name` must start with a small letter, got `A`",
        ),
        (
            json!({"name": "a", "rows": 70000}),
            "error at rows: Invalid value for `rows`: `rows` must be between 1 and 9, got 70000",
        ),
        (
            json!({"name": "a", "owner": {"name": "Eve", "room": 70000}}),
            "error at owner.room: Invalid value for `owner.room`: `owner.room` must be a whole number between 0 and \
             65535, got 70000",
        ),
        (
            json!({"name": "a", "owner": {"name": "Eve", "room": 0}}),
            "error at owner.room: Invalid value for `owner.room`: `owner.room` must be at least 1, got 0",
        ),
        (
            json!({"name": "a", "tags": {}, "label": "x"}),
            "error at tags: `tags` and `label` cannot both be set: To fix: remove `tags` or `label`.",
        ),
        (
            json!({"name": "a", "pin": "canary"}),
            "error at pin: `pin` needs `pin_version` beside it: To fix: set `pin_version` too.",
        ),
        (
            json!({"name": "a", "rows": 9}),
            "error at rows: Oak bends under 9 rows: To fix: use steel.",
        ),
        (
            json!({"name": "a", "number": 9}),
            "error at number: Terraform refuses `number`: the provider decides it; it \
         cannot be set",
        ),
        (
            json!({"name": "a", "nmae": "b"}),
            "error: Terraform refuses the configuration: there is no attribute `nmae`",
        ),
    ];
    for (config, message) in cases {
        assert_eq!(
            words(&harness.resource("library_shelf").validate(config).await),
            message
        );
    }
}

#[tokio::test]
async fn what_is_unknown_passes_until_it_is_known() {
    let harness = harness().await;
    let it = harness.resource("library_shelf");
    let unknown = json!({"name": UNKNOWN, "rows": UNKNOWN, "owner": UNKNOWN, "books": UNKNOWN, "rule": UNKNOWN});
    assert_eq!(words(&it.validate(unknown.clone()).await), "");
    assert_eq!(it.plan(unknown).await.unwrap().value.unwrap()["name"], json!(UNKNOWN));
    assert!(
        Harness::new(library::provider(), json!({"town": UNKNOWN}))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn warnings_come_with_the_plan() {
    let harness = harness().await;
    let planned = harness
        .resource("library_shelf")
        .plan(json!({"name": "a", "rows": 1}))
        .await
        .unwrap();
    assert_eq!(planned.warnings.to_string(), "warning at rows: One row is little");
}

#[tokio::test]
async fn a_data_source_answers_or_says_why_not() {
    let harness = harness().await;
    harness.resource("library_shelf").apply(shelf("a")).await.unwrap();
    let found = harness
        .data_source("library_shelf", json!({"name": "a"}))
        .await
        .unwrap();
    assert_eq!(found, json!({"name": "a", "place": {"town": "Ulm", "floor": -1}}));
    let error = harness
        .data_source("library_shelf", json!({"name": "z"}))
        .await
        .unwrap_err();
    assert_eq!(words(&error), "error at name: No such shelf");
}

#[tokio::test]
async fn an_ephemeral_resource_is_opened_renewed_and_closed() {
    let harness = harness().await;
    let mut card = harness.open("library_card", json!({"days": 2})).await.unwrap();
    assert_eq!(card.result, json!({"days": 2, "code": "card for 2"}));
    card.renew().await.unwrap();
    assert!(card.renew_at.is_some());
    card.renew().await.unwrap();
    assert_eq!(card.renew_at, None);
    card.close().await.unwrap();
    let lost = harness.open("library_card", json!({"days": 13})).await.unwrap();
    assert_eq!(words(&lost.close().await.unwrap_err()), "error: The card is lost");
}

#[tokio::test]
async fn a_function_takes_null_and_any_number_of_words() {
    let harness = harness().await;
    assert_eq!(
        harness
            .call("label", vec![json!("a"), json!(2), json!("b"), json!("c")])
            .await,
        Ok(json!("a b c"))
    );
    assert_eq!(harness.call("label", vec![Json::Null, json!(2)]).await, Ok(json!("")));
    let many = harness
        .call("label", vec![Json::Null, json!(1), json!("b"), json!("c")])
        .await
        .unwrap_err();
    assert_eq!(many.to_string(), "`most`: 2 words do not fit");
    let range = harness.call("label", vec![Json::Null, json!(4)]).await.unwrap_err();
    assert_eq!(range.to_string(), "`most`: `most` must be between 1 and 3, got 4");
}

/// A resource that is never done by itself.
mod waiting {
    use tfplug::{Config, Configure, Context, Diagnostic, Diagnostics, Kept, Model, Provider, Resource, async_trait};

    #[derive(Model, Clone)]
    struct Nothing {}

    #[derive(Model, Clone)]
    struct Kettle {
        litres: u8,
    }

    struct Root;

    #[async_trait]
    impl Configure for Root {
        type Config = Nothing;
        type Clients = ();

        async fn configure(&self, _: Config<Nothing>) -> Result<(), Diagnostics> {
            Ok(())
        }
    }

    struct Kettles;

    #[async_trait]
    impl Resource for Kettles {
        type Model = Kettle;
        type Clients = ();
        const TYPE: &'static str = "kettle";

        async fn create(&self, context: &Context<()>, planned: Kettle, _: Kettle) -> Result<Kettle, Kept<Kettle>> {
            context.cancelled().await;
            Err(Kept::with(planned, Diagnostic::error("Stopped before it boiled")))
        }

        async fn read(&self, _: &Context<()>, state: Kettle) -> Result<Option<Kettle>, Diagnostics> {
            Ok(Some(state))
        }

        async fn update(&self, _: &Context<()>, _: Kettle, to: Kettle, _: Kettle) -> Result<Kettle, Kept<Kettle>> {
            Ok(to)
        }

        async fn delete(&self, _: &Context<()>, _: Kettle) -> Result<(), Kept<Kettle>> {
            Ok(())
        }
    }

    pub(crate) fn provider() -> Provider {
        Provider::builder("kitchen", "0.1.0", Root).resource(Kettles).build()
    }
}

#[tokio::test]
async fn a_create_that_is_stopped_keeps_what_it_has_made() {
    let harness = Harness::new(waiting::provider(), json!({})).await.unwrap();
    let mut it = harness.resource("kitchen_kettle");
    let (result, ()) = tokio::join!(it.apply(json!({"litres": 1})), async { harness.stop() });
    assert_eq!(words(&result.unwrap_err()), "error: Stopped before it boiled");
    assert!(it.is_tainted());
}
