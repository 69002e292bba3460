//! A canary: the passwords of a stack appear nowhere but in its own folder and in the published Secret.

use crate::pids;
use harness::{Project, process};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

const CONFIGURATION: &str = r#"
resource "mlplat_local_services" "this" {
  name         = "canary"
  postgres     = { database = "artefacts" }
  redis        = {}
  object_store = { buckets = ["models"] }
}

ephemeral "mlplat_credentials" "this" {
  name = mlplat_local_services.this.name
}

resource "mlplat_environment" "this" {
  name                   = "local"
  endpoints              = mlplat_local_services.this.endpoints
  contract_file          = "${path.module}/endpoints.yaml"
  secret_file            = "${path.module}/secret.yaml"
  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}

output "endpoints" {
  value = mlplat_local_services.this.endpoints
}
"#;

/// Keys of the published Secret whose values are secrets (user names are not).
const SECRET_KEYS: [&str; 3] = ["postgres.password", "redis.password", "s3.secretAccessKey"];

#[test]
fn no_password_is_in_state_plan_log_arguments_or_manifests() {
    let project = Project::new(CONFIGURATION);
    let trace = project.path("trace.log");
    let traced = |arguments: &[&str]| {
        let mut command = project.command(&harness::terraform());
        harness::project::run(
            command
                .args(arguments)
                .env("TF_LOG", "TRACE")
                .env("TF_LOG_PATH", &trace),
        )
        .success()
    };
    let planned = traced(&["plan", "-no-color", "-out=saved.tfplan"]);
    let (applied, meanwhile) = watched(|| traced(&["apply", "-no-color", "-auto-approve"]));
    let again = traced(&["plan", "-no-color", "-out=second.tfplan"]);
    let shown = traced(&["show", "-json", "second.tfplan"]);
    let status = project.mlplat(&["status", "canary"]).success();

    let secrets = secrets(&fs::read_to_string(project.path("secret.yaml")).expect("the Secret"));
    assert_eq!(secrets.len(), SECRET_KEYS.len());
    let state = fs::read_to_string(project.path("terraform.tfstate")).expect("the state");
    let contract = fs::read_to_string(project.path("endpoints.yaml")).expect("the contract");
    let log = fs::read_to_string(&trace).expect("the log");
    for line in [
        "[TRACE]",
        "terraform-provider-mlplat: answered",
        "tf_rpc=ApplyResourceChange",
    ] {
        assert!(
            log.contains(line),
            "the log is not at TRACE, or not the provider's: no {line}"
        );
    }
    let rendered = rendered(&project);
    assert!(
        rendered.contains("secretKeyRef") && rendered.contains("DATABASE_URL"),
        "{rendered}"
    );
    let started = meanwhile.iter().any(|line| line.contains("postgres -D"));
    assert!(started, "the engines start meanwhile");
    let arguments = meanwhile.into_iter().collect::<Vec<_>>().join("\n");
    let mut environments = String::new();
    for pid in pids(&project, "canary").into_values() {
        environments += &String::from_utf8_lossy(&fs::read(format!("/proc/{pid}/environ")).unwrap_or_default());
    }
    for (place, text) in [
        ("the first plan", &planned.text),
        ("the apply", &applied.text),
        ("the second plan", &again.text),
        ("the plan file", &shown.text),
        ("the status", &status.text),
        ("the state", &state),
        ("the contract", &contract),
        ("the rendered manifests", &rendered),
        ("the log at TRACE", &log),
        ("process arguments", &arguments),
        ("process environments", &environments),
        ("the stack's logs", &logs(&project.stack("canary"))),
    ] {
        for (key, secret) in &secrets {
            assert!(!text.contains(secret.as_str()), "{key} is in {place}");
        }
    }
}

/// The command lines of every process that was seen while this went on, and at its end.
fn watched<T>(work: impl FnOnce() -> T) -> (T, BTreeSet<String>) {
    // Dropped when the work is over, also by a panic.
    let (working, over) = mpsc::channel::<()>();
    thread::scope(move |scope| {
        let watching = scope.spawn(move || {
            let mut seen = BTreeSet::new();
            loop {
                let last = over.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Disconnected);
                seen.extend(process::all().into_iter().map(process::command_line));
                if last {
                    return seen;
                }
            }
        });
        let answer = work();
        drop(working);
        (answer, watching.join().expect("it only reads"))
    })
}

/// What inject-endpoints makes of a workload, the contract and the Secret; without the Secret.
fn rendered(project: &Project) -> String {
    project.write("inject.yaml", INJECT);
    let published =
        ["endpoints.yaml", "secret.yaml"].map(|file| fs::read_to_string(project.path(file)).expect("published"));
    project.write("stream.yaml", &format!("{WORKLOAD}---\n{}", published.join("---\n")));
    let mut function = project.command(&harness::program::binary("inject-endpoints"));
    function.args(["--config", "inject.yaml"]);
    function.stdin(fs::File::open(project.path("stream.yaml")).expect("the stream"));
    let answer = harness::project::run(&mut function).success().text;
    answer
        .split("\n---\n")
        .filter(|document| !document.contains("stringData"))
        .collect()
}

const INJECT: &str = "\
apiVersion: mlplat.dev/v1alpha1
kind: InjectEndpoints
metadata: {name: inject-endpoints}
spec: {view: host}
";

const WORKLOAD: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: application}
spec:
  containers:
  - name: application
    image: application:1
";

/// The secret values of a manifest, each long enough to be found by chance nowhere.
fn secrets(manifest: &str) -> Vec<(String, String)> {
    let value = |key: &str| {
        let line = manifest
            .lines()
            .find(|line| line.trim_start().trim_start_matches('"').starts_with(key))?;
        let value = line.split_once(": ")?.1.trim().trim_matches('"').to_owned();
        assert!(value.len() >= 32, "{key} has {} characters", value.len());
        Some((key.to_owned(), value))
    };
    SECRET_KEYS.into_iter().filter_map(value).collect()
}

/// Every log file below a folder.
fn logs(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            text += &logs(&path);
        } else if path.to_string_lossy().contains(".log") {
            text += &String::from_utf8_lossy(&fs::read(&path).unwrap_or_default());
        }
    }
    text
}
