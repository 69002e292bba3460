//! `mlplat_environment` under Terraform's rules, in process: the resource, the data source and the functions.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::registry;
use tfplug::testing::{Action, Harness, UNKNOWN};

/// A folder for the files of one test, and the provider.
struct Place {
    folder: tempfile::TempDir,
    harness: Harness,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = BTreeMap::from([("HOME".into(), folder.path().into())]);
        let config = Config::from_variables(home, "/bin/mlplat".into(), "/tmp".into());
        let harness = Harness::new(registry::provider(config), json!({})).await.unwrap();
        Self { folder, harness }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A cache with a password and a store without one; both files.
    fn config(&self) -> Value {
        json!({
            "name": "local",
            "endpoints": {
                "redis": {
                    "host": {"address": "127.0.0.1", "port": 16379},
                    "tls": false,
                    "credentials": {"secret_name": "demo"},
                },
                "s3": {
                    "host": {"url": "http://127.0.0.1:18333"},
                    "region": "us-east-1",
                    "force_path_style": true,
                    "buckets": ["models"],
                },
            },
            "contract_file": self.path("endpoints.yaml"),
            "secret_file": self.path("secret.yaml"),
            "credentials_wo": {"redis": {"password": "canary-1"}},
            "credentials_wo_version": 1,
        })
    }
}

/// The configuration with another value at a JSON pointer.
fn with(mut config: Value, pointer: &str, value: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = config.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    parent.insert(name.into(), value);
    config
}

#[tokio::test]
async fn both_files_are_written_and_removed_and_no_credential_is_in_the_state() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    assert_eq!(environment.apply(place.config()).await.unwrap(), Action::Create);
    assert!(place.read("endpoints.yaml").contains("kind: EnvironmentEndpoints"));
    assert!(place.read("secret.yaml").contains(r#"redis.password: "canary-1""#));
    assert_eq!(
        place.path("secret.yaml").metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    let state = environment.state().unwrap();
    assert!(!state.to_string().contains("canary"), "{state}");
    assert_eq!(state["credentials_wo"], Value::Null);
    assert_eq!(
        environment.identity(),
        Some(json!({"contract_file": place.path("endpoints.yaml")}))
    );
    environment.destroy().await.unwrap();
    assert!(!place.path("endpoints.yaml").exists() && !place.path("secret.yaml").exists());
}

#[tokio::test]
async fn a_plan_names_a_folder_that_is_missing() {
    let place = Place::new().await;
    let environment = place.harness.resource("mlplat_environment");
    assert!(environment.plan(place.config()).await.unwrap().warnings.is_empty());
    let mut config = with(
        place.config(),
        "/contract_file",
        json!(place.path("overlay/endpoints.yaml")),
    );
    config["secret_file"] = json!(place.path("overlay/secret.yaml"));
    let told = environment.plan(config).await.unwrap().warnings.to_string();
    let folder = place.path("overlay").display().to_string();
    assert!(
        told.contains(&format!("To fix: mkdir -p {folder}, or correct the path")),
        "{told}"
    );
    assert_eq!(told.matches("does not exist").count(), 1, "{told}");
}

#[tokio::test]
async fn a_new_password_is_noticed_and_a_new_version_writes_in_any_case() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    environment.apply(place.config()).await.unwrap();
    let rotated = with(place.config(), "/credentials_wo/redis/password", json!("canary-2"));
    assert_eq!(environment.apply(rotated.clone()).await.unwrap(), Action::Update);
    assert!(place.read("secret.yaml").contains("canary-2"));
    let bumped = with(rotated, "/credentials_wo_version", json!(2));
    assert_eq!(environment.apply(bumped).await.unwrap(), Action::Update);
}

#[tokio::test]
async fn credentials_that_come_with_the_apply_do_not_fail_the_plan() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    environment.apply(place.config()).await.unwrap();
    // A component that this apply adds to the stack: its endpoint is known, its password not yet.
    let database = json!({
        "host": {"address": "127.0.0.1", "port": 15432},
        "database": "artefacts",
        "ssl_mode": "disable",
        "credentials": {"secret_name": "demo"},
    });
    let added = with(place.config(), "/endpoints/postgres", database);
    let plan = environment.plan(added.clone()).await.unwrap();
    assert_eq!(
        (plan.action, &plan.value.unwrap()["secret_file_status"]),
        (Action::Update, &json!(UNKNOWN))
    );
    let refused = environment.apply(added.clone()).await.unwrap_err();
    assert_eq!(
        refused.iter().next().unwrap().path.to_string(),
        "credentials_wo.postgres"
    );
    let login = json!({"username": "app", "password": "canary-3"});
    let complete = with(added, "/credentials_wo/postgres", login);
    assert_eq!(environment.apply(complete).await.unwrap(), Action::Update);
    assert!(place.read("secret.yaml").contains("canary-3"));
}

#[tokio::test]
async fn every_kind_of_drift_shows_in_the_plan_and_is_mended() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    environment.apply(place.config()).await.unwrap();
    let (contract, secret) = (place.read("endpoints.yaml"), place.read("secret.yaml"));

    let edits: [(&str, &dyn Fn()); 7] = [
        ("/endpoints/redis/host/port", &|| {
            fs::write(place.path("endpoints.yaml"), contract.replace("16379", "26379")).unwrap();
        }),
        ("/contract_sha256", &|| {
            fs::write(place.path("endpoints.yaml"), format!("{contract}# note\n")).unwrap()
        }),
        ("/contract_sha256", &|| {
            fs::write(place.path("endpoints.yaml"), &contract[..200]).unwrap()
        }),
        ("/contract_sha256", &|| {
            fs::remove_file(place.path("endpoints.yaml")).unwrap()
        }),
        ("/secret_file_status", &|| {
            fs::remove_file(place.path("secret.yaml")).unwrap()
        }),
        ("/secret_file_status", &|| {
            fs::set_permissions(place.path("secret.yaml"), Permissions::from_mode(0o644)).unwrap();
        }),
        ("/secret_file_status", &|| {
            fs::write(place.path("secret.yaml"), secret.replace("redis.password", "other")).unwrap();
        }),
    ];
    for (shown, edit) in edits {
        edit();
        environment.refresh().await.unwrap();
        let plan = environment.plan(place.config()).await.unwrap();
        assert_eq!(plan.action, Action::Update, "{shown}");
        let (before, after) = (environment.state().unwrap(), plan.value.unwrap());
        assert_ne!(before.pointer(shown), after.pointer(shown), "{shown}");
        environment.apply(place.config()).await.unwrap();
        assert_eq!(
            (place.read("endpoints.yaml"), place.read("secret.yaml")),
            (contract.clone(), secret.clone())
        );
    }

    fs::remove_file(place.path("endpoints.yaml")).unwrap();
    fs::remove_file(place.path("secret.yaml")).unwrap();
    environment.refresh().await.unwrap();
    assert_eq!(environment.state(), None);
}

#[tokio::test]
async fn files_of_somebody_else_are_neither_overwritten_nor_removed() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    fs::write(place.path("endpoints.yaml"), "kind: Deployment\n").unwrap();
    let error = environment.apply(place.config()).await.unwrap_err().to_string();
    let path = place.path("endpoints.yaml");
    assert_eq!(
        error,
        format!(
            "error at contract_file: The environment's files cannot be read or written: {} exists and is not the \
             endpoint contract of the environment \"local\". To fix: choose another path, or remove the file if nobody \
             needs it.",
            path.display()
        )
    );
    // The Secret manifest was written before: it is kept in the state, and goes with it.
    assert!(environment.is_tainted() && place.path("secret.yaml").exists());
    environment.destroy().await.unwrap();
    assert!(!place.path("secret.yaml").exists());
    assert_eq!(place.read("endpoints.yaml"), "kind: Deployment\n");
}

#[tokio::test]
async fn the_secret_manifest_moves_with_its_path_and_goes_with_it() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    environment.apply(place.config()).await.unwrap();
    let moved = with(place.config(), "/secret_file", json!(place.path("other.yaml")));
    assert_eq!(environment.apply(moved).await.unwrap(), Action::Update);
    assert!(!place.path("secret.yaml").exists() && place.path("other.yaml").exists());
    let mut without = place.config();
    for name in ["secret_file", "credentials_wo", "credentials_wo_version"] {
        without.as_object_mut().unwrap().remove(name);
    }
    assert_eq!(environment.apply(without).await.unwrap(), Action::Update);
    assert!(!place.path("other.yaml").exists());
}

#[tokio::test]
async fn name_and_contract_file_replace() {
    let place = Place::new().await;
    let mut environment = place.harness.resource("mlplat_environment");
    environment.apply(place.config()).await.unwrap();
    let renamed = with(place.config(), "/name", json!("other"));
    assert_eq!(environment.plan(renamed.clone()).await.unwrap().replace, ["name"]);
    assert_eq!(environment.apply(renamed).await.unwrap(), Action::Replace);
    let moved = with(place.config(), "/contract_file", json!(place.path("b.yaml")));
    let moved = with(moved, "/name", json!("other"));
    assert_eq!(environment.apply(moved).await.unwrap(), Action::Replace);
    assert!(!place.path("endpoints.yaml").exists() && place.path("b.yaml").exists());
}

#[tokio::test]
async fn a_contract_is_imported_by_its_path_and_the_plan_after_that_is_empty() {
    let place = Place::new().await;
    let mut config = place.config();
    for name in ["secret_file", "credentials_wo", "credentials_wo_version"] {
        config.as_object_mut().unwrap().remove(name);
    }
    place
        .harness
        .resource("mlplat_environment")
        .apply(config.clone())
        .await
        .unwrap();
    for by_identity in [false, true] {
        let path = place.path("endpoints.yaml");
        let mut found = place.harness.resource("mlplat_environment");
        if by_identity {
            found.import_identity(json!({"contract_file": path})).await.unwrap();
        } else {
            found.import(path.to_str().unwrap()).await.unwrap();
        }
        assert_eq!(found.plan(config.clone()).await.unwrap().action, Action::NoOp);
    }
    let missing = place.path("missing.yaml");
    let error = place
        .harness
        .resource("mlplat_environment")
        .import(missing.to_str().unwrap())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("does not exist. To fix:"), "{error}");
}

#[tokio::test]
async fn what_is_wrong_is_refused_at_its_attribute_and_nothing_is_written() {
    let place = Place::new().await;
    let cases = [
        ("/name", json!("Local"), "name"),
        ("/contract_file", json!("/tmp/"), "contract_file"),
        ("/secret_file", json!(place.path("endpoints.yaml")), "secret_file"),
        ("/credentials_wo", Value::Null, "credentials_wo"),
        ("/credentials_wo/redis", Value::Null, "credentials_wo.redis"),
        (
            "/credentials_wo/redis/password",
            json!("a/b"),
            "credentials_wo.redis.password",
        ),
        ("/endpoints/redis/host/port", json!(70000), "endpoints.redis.host.port"),
        (
            "/endpoints/redis/host/address",
            json!("http://x"),
            "endpoints.redis.host.address",
        ),
        (
            "/endpoints/redis/credentials/secret_name",
            json!("A B"),
            "endpoints.redis.credentials.secret_name",
        ),
        (
            "/endpoints/redis/credentials/url_key",
            json!("url"),
            "endpoints.redis.credentials.url_key",
        ),
        ("/endpoints/s3/host/url", json!("127.0.0.1"), "endpoints.s3.host.url"),
        (
            "/endpoints/s3/buckets",
            json!(["models", "X"]),
            "endpoints.s3.buckets[1]",
        ),
    ];
    for (pointer, value, attribute) in cases {
        let mut environment = place.harness.resource("mlplat_environment");
        let refused = environment
            .apply(with(place.config(), pointer, value))
            .await
            .expect_err(pointer);
        let paths: Vec<_> = refused.iter().map(|diagnostic| diagnostic.path.to_string()).collect();
        assert!(paths.iter().any(|path| path == attribute), "{pointer}: {refused}");
        assert!(!refused.to_string().contains("a/b"), "{refused}");
        assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0, "{pointer}");
    }
}

#[tokio::test]
async fn a_published_contract_is_read_back_and_rendered() {
    let place = Place::new().await;
    place
        .harness
        .resource("mlplat_environment")
        .apply(place.config())
        .await
        .unwrap();
    let found = place
        .harness
        .data_source(
            "mlplat_environment",
            json!({"contract_file": place.path("endpoints.yaml")}),
        )
        .await;
    let found = found.unwrap();
    assert_eq!(found["name"], "local");

    let text = place
        .harness
        .call("render_endpoints", vec![json!("local"), found["endpoints"].clone()])
        .await
        .unwrap();
    assert!(place.read("endpoints.yaml").ends_with(text.as_str().unwrap()));
    let env = place
        .harness
        .call("render_env", vec![found["endpoints"].clone(), json!("host")])
        .await
        .unwrap();
    assert_eq!(env["REDIS_PORT"], "16379");
    assert_eq!(env["S3_BUCKET"], "models");
    assert_eq!(env.get("REDIS_URL"), None);
    let error = place
        .harness
        .call("render_env", vec![found["endpoints"].clone(), json!("cluster")])
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("`view`: the redis endpoint has no `cluster` view"),
        "{error}"
    );
    let error = place
        .harness
        .call("render_env", vec![found["endpoints"].clone(), json!("pod")])
        .await
        .unwrap_err();
    assert!(error.to_string().contains("To fix: say host or cluster"), "{error}");

    let missing = json!({"contract_file": place.path("missing.yaml")});
    let error = place
        .harness
        .data_source("mlplat_environment", missing)
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with("error at contract_file: "), "{error}");
    fs::write(place.path("endpoints.yaml"), "kind: [").unwrap();
    let broken = json!({"contract_file": place.path("endpoints.yaml")});
    let error = place
        .harness
        .data_source("mlplat_environment", broken)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("line 1 column"), "{error}");
}
