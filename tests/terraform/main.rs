//! The provider under real Terraform, with real engines. Each case has its own project and its own stack folder.

mod bad_input;
mod cluster_access;
mod environment;
mod external_secret;
mod faults;
mod lifecycle;
mod ownership;
mod secrets;

use harness::{Project, process, wait};
use std::collections::BTreeMap;
use std::time::Duration;

/// A stack with PostgreSQL and a cache: what most cases need.
const PAIR: &str = r#"
resource "mlplat_local_services" "this" {
  name     = "pair"
  postgres = { database = "artefacts" }
  redis    = {}
}
"#;

/// A stack with a cache alone: the fastest.
const CACHE: &str = r#"
resource "mlplat_local_services" "this" {
  name  = "cache"
  redis = {}
}
"#;

/// The address of the resource in these configurations.
const THIS: &str = "mlplat_local_services.this";

/// Every wait of a test ends after this.
const SOON: Duration = Duration::from_secs(60);

/// The process ids of a stack's services by component.
fn pids(project: &Project, stack: &str) -> BTreeMap<String, u32> {
    let status = status(project, stack);
    let components = status["components"].as_object().expect("a table of components");
    components
        .iter()
        .filter_map(|(component, state)| Some((component.clone(), u32::try_from(state["pid"].as_u64()?).ok()?)))
        .collect()
}

/// What `mlplat status --json` says, whether all is well or not.
fn status(project: &Project, stack: &str) -> serde_json::Value {
    let output = project.mlplat(&["status", stack, "--json"]);
    serde_json::from_str(&output.text).unwrap_or_else(|error| panic!("{error}: {}", output.text))
}

/// The process id of a stack's supervisor.
fn supervisor(project: &Project, stack: &str) -> u32 {
    let folder = project.stack(stack);
    let running = process::mentioning(&folder);
    let supervises = |line: &str| line.contains(" supervise ");
    running
        .iter()
        .find(|(_, line)| supervises(line))
        .unwrap_or_else(|| panic!("no supervisor among {running:?}"))
        .0
}

/// Whether this process of one of the project's stacks runs: a stranger may have its number by now.
fn runs(project: &Project, pid: u32) -> bool {
    let running = process::mentioning(&project.path("data"));
    running.iter().any(|(found, _)| *found == pid)
}

/// The port of a component, from the state.
fn port(project: &Project, component: &str) -> u16 {
    let resource = project.resource(THIS).expect("the stack is in the state");
    u16::try_from(resource[component]["port"].as_u64().expect("a port")).expect("a port number")
}

/// # Panics
/// When anything of the project's stacks is left: a process, a folder.
#[track_caller]
fn nothing_is_left(project: &Project) {
    wait::until("every process of the stack to end", SOON, || {
        process::mentioning(&project.path("data")).is_empty().then_some(())
    });
    let stacks: Vec<_> = std::fs::read_dir(project.path("data/stacks"))
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    assert!(stacks.is_empty(), "{stacks:?} is left");
}
