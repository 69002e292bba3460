//! The store as a process whose services are all away: what it says, and how it ends.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde_json::Value;

/// Nothing listens on port 1.
const AWAY: [(&str, &str); 7] = [
    (
        "DATABASE_URL",
        "postgresql://store:canary@127.0.0.1:1/artefacts?sslmode=disable",
    ),
    ("REDIS_URL", "redis://:canary@127.0.0.1:1/0"),
    ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_ACCESS_KEY_ID", "canary"),
    ("AWS_SECRET_ACCESS_KEY", "canary"),
    ("S3_BUCKET", "models"),
];

/// A free port that nobody takes by chance: neither the operating system, which serves connections above, nor another test.
fn spare_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).unwrap() * 20;
    let next = || 10_000 + (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % 5_000;
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    std::iter::repeat_with(next).find(is_free).unwrap()
}

struct Store {
    /// Gone once it was stopped.
    child: Option<Child>,
    url: String,
    client: Client,
}

impl Store {
    async fn start() -> Self {
        Self::run("serve", &AWAY).await
    }

    async fn run(mode: &str, variables: &[(&str, &str)]) -> Self {
        let port = spare_port();
        let child = Command::new(env!("CARGO_BIN_EXE_artefact-store"))
            .arg(mode)
            .env_clear()
            .envs(variables.iter().copied())
            .env("PORT", port.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let client = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        let store = Self {
            child: Some(child),
            url: format!("http://127.0.0.1:{port}"),
            client,
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        while store.client.get(format!("{}/healthz", store.url)).send().await.is_err() {
            assert!(Instant::now() < deadline, "it never answered");
            tokio::task::yield_now().await;
        }
        store
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    fn stop(mut self) -> Output {
        let child = self.child.take().unwrap();
        assert!(
            Command::new("kill")
                .args(["-TERM", &child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        child.wait_with_output().unwrap()
    }
}

impl Drop for Store {
    /// A failed test leaves no process behind.
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test]
async fn it_runs_without_its_services_and_says_which_are_away() {
    let store = Store::start().await;
    assert_eq!(store.get("/healthz").await.0, StatusCode::OK);

    let (status, ready) = store.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    for endpoint in ["postgres", "redis", "s3"] {
        assert_ne!(ready["checks"][endpoint], "ok", "{ready}");
    }
    let (_, endpoints) = store.get("/endpoints").await;
    assert_eq!(endpoints["endpoints"][0]["address"], "127.0.0.1:1");
    assert_eq!(endpoints["endpoints"][2]["variable"], "AWS_ENDPOINT_URL_S3");

    let (status, refusal) = store.get("/artefacts").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refusal["error"], "the database does not answer as it should");

    let output = store.stop();
    assert_eq!(output.status.code(), Some(0), "SIGTERM is an orderly end");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("PostgreSQL at 127.0.0.1:1 does not answer"), "{said}");
    assert!(!format!("{said}{ready}{endpoints}").contains("canary"), "{said}");
    for line in said.lines() {
        assert!(
            serde_json::from_str::<Value>(line).unwrap()["timestamp"].is_string(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_frontend_serves_its_files_and_passes_on_what_the_page_asks_of_the_store() {
    let page = "<!doctype html><title>page</title>";
    let content = tempfile::tempdir().unwrap();
    std::fs::write(content.path().join("index.html"), page).unwrap();
    std::fs::write(content.path().join(".hidden"), "canary").unwrap();
    let store = Store::start().await;
    let frontend = Store::run(
        "frontend",
        &[
            ("CONTENT_DIR", content.path().to_str().unwrap()),
            ("BACKEND_URL", &store.url),
        ],
    )
    .await;
    let get = async |path: &str| {
        frontend
            .client
            .get(format!("{}{path}", frontend.url))
            .send()
            .await
            .unwrap()
    };

    for path in ["/", "/index.html"] {
        let answer = get(path).await;
        assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.text().await.unwrap(), page);
    }
    // The store's metrics stay inside, and so does what is hidden.
    for path in ["/.hidden", "/metrics", "/api/metrics", "/api/readyz", "/../Cargo.toml"] {
        assert_eq!(get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let (status, endpoints) = frontend.get("/api/endpoints").await;
    assert_eq!(
        (status, &endpoints["endpoints"][0]["address"]),
        (StatusCode::OK, &"127.0.0.1:1".into())
    );
    let (status, refusal) = frontend.get("/api/artefacts?before=1").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{refusal}");

    // A body arrives whole, and what the store says of it comes back.
    let posted = |bytes: usize| {
        frontend
            .client
            .post(format!("{}/api/artefacts?name=a&version=1", frontend.url))
            .body(vec![1; bytes])
            .send()
    };
    assert_eq!(posted(0).await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(posted(1 << 20).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);

    drop(store);
    let (status, refusal) = frontend.get("/api/endpoints").await;
    assert_eq!(
        (status, &refusal["error"]),
        (StatusCode::BAD_GATEWAY, &"the store does not answer".into())
    );
    assert_eq!(frontend.stop().status.code(), Some(0));
}

#[test]
fn a_frontend_without_a_page_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_artefact-store"))
        .arg("frontend")
        .env_clear()
        .env("CONTENT_DIR", folder.path())
        .env("BACKEND_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("has no index.html. To fix: set it to the folder of the page"),
        "{error}"
    );
}

#[test]
fn without_its_variables_it_names_them_all_and_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_artefact-store"))
        .env_clear()
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    for name in ["DATABASE_URL", "REDIS_URL", "S3_BUCKET", "AWS_REGION"] {
        assert!(error.contains(&format!("{name} is not set")), "{error}");
    }
}
