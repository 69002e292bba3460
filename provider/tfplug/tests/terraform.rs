//! Real Terraform and the example provider: Terraform's own checks of plans and results are the strictest there are.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use support::{
    example,
    plugin_host::pause,
    workspace::{Run, Workspace},
};

const WHOLE: &str = r#"
data "tfplug_fact" "word" { word = "büro" }

ephemeral "tfplug_token" "this" {
  name    = "db"
  journal = "$THINGS/journal"
}

resource "tfplug_thing" "a" {
  folder            = "$THINGS"
  name              = "alpha"
  size              = data.tfplug_fact.word.letters
  note              = provider::tfplug::join("-", "x", provider::tfplug::shout("y"))
  secret_wo         = ephemeral.tfplug_token.this.token
  secret_wo_version = 1
  disk              = { kind = "ssd" }
  rules             = [{ who = "ann" }, { who = "bob", may = "write" }]
  labels            = { "team.name" = { who = "core" } }
}

resource "tfplug_thing" "b" {
  folder = "$THINGS"
  name   = "beta"
  note   = tfplug_thing.a.path
}

output "device" { value = tfplug_thing.a.disk.device }
"#;

#[test]
fn a_whole_life_is_what_terraform_expects() {
    let workspace = Workspace::new();
    workspace.write(WHOLE);
    workspace
        .apply()
        .ends_with(0)
        .says("2 added, 0 changed, 0 destroyed")
        .says("device = \"/dev/alpha\"");
    let alpha = workspace.thing("alpha").unwrap();
    assert_eq!(
        alpha,
        serde_json::json!({"size": 4, "team": "core", "secret_bytes": "pre-db-canary".len()})
    );
    assert_eq!(
        fs::read_to_string(workspace.things().join("journal")).unwrap(),
        "open\nclose\nopen\nclose\n"
    );
    assert!(
        !workspace.state().contains("canary"),
        "a write-only value is in the state"
    );
    workspace.plan().ends_with(0).says("No changes.");

    // An update changes in place, and what is kept stays known to those who use it.
    workspace.write(&WHOLE.replace("\"ssd\" }", "\"ssd\", gib = 20 }"));
    let plan = workspace.plan();
    plan.ends_with(2)
        .says("0 to add, 1 to change, 0 to destroy")
        .says("~ gib = 10 -> 20")
        .does_not_say("tfplug_thing.b will");
    workspace.apply().ends_with(0).says("0 added, 1 changed, 0 destroyed");
    workspace.plan().ends_with(0);
    assert!(workspace.state().contains("\"generation\": 2"));

    // A nested attribute can need a new resource.
    workspace.write(&WHOLE.replace("\"ssd\"", "\"hdd\""));
    workspace
        .plan()
        .ends_with(2)
        .says("~ kind = \"ssd\" -> \"hdd\" # forces replacement");
    workspace.apply().ends_with(0).says("1 added, 0 changed, 1 destroyed");
    workspace.plan().ends_with(0);

    workspace
        .destroy()
        .ends_with(0)
        .says("2 destroyed")
        .says("The file goes too");
    assert!(workspace.thing("alpha").is_none() && workspace.thing("beta").is_none());
}

#[test]
fn what_changed_behind_terraforms_back_is_seen_and_mended() {
    let workspace = Workspace::new();
    workspace.write(WHOLE);
    workspace.apply().ends_with(0);
    fs::write(workspace.things().join("alpha.json"), "{\"size\": 77}").unwrap();
    fs::remove_file(workspace.things().join("beta.json")).unwrap();
    workspace
        .plan()
        .ends_with(2)
        .says("~ size = 77 -> 4")
        .says("1 to add, 1 to change, 0 to destroy");
    workspace.apply().ends_with(0);
    assert_eq!(workspace.thing("alpha").unwrap()["size"], 4);
    assert!(workspace.thing("beta").is_some());
    workspace.plan().ends_with(0);
}

#[test]
fn a_bad_configuration_is_refused_with_its_attribute_before_anything_is_made() {
    let workspace = Workspace::new();
    workspace.write(
        "resource \"tfplug_thing\" \"a\" {\n  folder = \"$THINGS\"\n  name = \"a\"\n  size = 70000\n  \
         trouble = \"none\"\n}\n",
    );
    let run = workspace.apply();
    run.ends_with(1)
        .says("`size` must be")
        .says("70000")
        .says("`trouble` must be")
        .says("size = 70000");
    assert!(workspace.thing("a").is_none());
    workspace.write("output \"x\" { value = provider::tfplug::shout(\"\") }\n");
    workspace
        .apply()
        .ends_with(1)
        .says("Invalid value for \"text\" parameter: There is nothing to say.");
}

#[test]
fn what_exists_is_imported_and_then_has_nothing_to_change() {
    let workspace = Workspace::new();
    fs::write(workspace.things().join("old.json"), "{\"size\": 9}").unwrap();
    workspace.write(
        "import {\n  to = tfplug_thing.old\n  id = \"$THINGS/old\"\n}\n\
         resource \"tfplug_thing\" \"old\" {\n  folder = \"$THINGS\"\n  name = \"old\"\n  size = 9\n}\n",
    );
    workspace
        .apply()
        .ends_with(0)
        .says("1 imported, 0 added, 0 changed, 0 destroyed");
    workspace.plan().ends_with(0);
}

fn trouble(kind: &str) -> String {
    format!(
        "resource \"tfplug_thing\" \"t\" {{\n  folder = \"$THINGS\"\n  name = \"t\"\n  trouble = {kind}\n  disk = {{}}\n}}\n\
         resource \"tfplug_thing\" \"well\" {{\n  folder = \"$THINGS\"\n  name = \"well\"\n}}\n"
    )
}

#[test]
fn a_panic_is_a_diagnostic_and_loses_nothing() {
    let workspace = Workspace::new();
    workspace.write(&trouble("\"panic\""));
    let run = workspace.apply();
    run.ends_with(1)
        .says("The provider has a bug")
        .says("the thing t exploded (at ")
        .says("thing.rs:");
    assert!(
        workspace.thing("well").is_some(),
        "the other resource was made by the same process"
    );
    assert!(
        workspace.state().contains("\"status\": \"tainted\""),
        "what may be half made is tracked"
    );
    // Nothing was made, so the next run finds it gone and makes it.
    workspace.write(&trouble("null"));
    workspace.apply().ends_with(0).says("1 added, 0 changed, 0 destroyed");
    workspace.plan().ends_with(0);
}

#[test]
fn what_is_half_made_is_kept_and_replaced() {
    let workspace = Workspace::new();
    workspace.write(&trouble("\"half\""));
    workspace.apply().ends_with(1).says("The thing is half made");
    assert!(workspace.thing("t").is_some() && workspace.state().contains("\"status\": \"tainted\""));
    workspace.write(&trouble("null"));
    workspace.apply().ends_with(0).says("1 added, 0 changed, 1 destroyed");
}

#[test]
fn ctrl_c_ends_a_create_at_once() {
    let workspace = Workspace::new();
    workspace.write(&trouble("\"endless\""));
    let mut apply = workspace.start(&["apply", "-auto-approve", "-no-color", "-input=false"]);
    let mut stdout = apply.stdout.take().unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("tfplug_thing.t: Creating...") {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&seen));
        seen.push(byte[0]);
    }
    // A Ctrl-C before the call has arrived would be another test.
    while !workspace.things().join("t.begun").exists() {
        assert!(apply.try_wait().unwrap().is_none(), "it ended by itself");
        pause();
    }
    signal_group(apply.id());
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    let output = apply.wait_with_output().unwrap();
    Run::of(&output)
        .ends_with(1)
        .says("The thing was not made: Terraform asked to stop");
    assert!(workspace.thing("t").is_none());
}

fn signal_group(leader: u32) {
    // A negative number names the process group.
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", "--", &format!("-{leader}")])
            .status()
            .unwrap()
            .success()
    );
}

/// With no other way to find it: neither a file of the provider nor a setting that names one.
#[test]
fn a_provider_that_a_debugger_has_started_is_used() {
    let workspace = Workspace::new();
    fs::remove_dir_all(workspace.path().join("plugins")).unwrap();
    fs::write(workspace.path().join("terraform.rc"), "provider_installation {}\n").unwrap();
    workspace.write(WHOLE);
    let mut debugged = Debugged::start();
    let attached = |arguments: &[&str]| {
        let mut command = workspace.command(arguments);
        Run::of(
            &command
                .env("TF_REATTACH_PROVIDERS", &debugged.reattach)
                .output()
                .unwrap(),
        )
    };
    attached(&["apply", "-auto-approve", "-no-color"])
        .ends_with(0)
        .says("2 added, 0 changed, 0 destroyed");
    // The same process serves one run after the other.
    attached(&["plan", "-detailed-exitcode", "-no-color"]).ends_with(0);
    attached(&["destroy", "-auto-approve", "-no-color"]).ends_with(0);
    assert!(
        debugged.child.try_wait().unwrap().is_none(),
        "a person decides when it ends"
    );
    workspace.apply().ends_with(1);
}

/// The example provider, started with `--debug`.
struct Debugged {
    child: Child,
    reattach: String,
}

impl Debugged {
    fn start() -> Self {
        let mut child = Command::new(example())
            .arg("--debug")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reattach = lines
            .map(Result::unwrap)
            .find_map(|line| {
                Some(
                    line.trim()
                        .strip_prefix("export TF_REATTACH_PROVIDERS=")?
                        .trim_matches('\'')
                        .to_owned(),
                )
            })
            .unwrap();
        Self { child, reattach }
    }
}

impl Drop for Debugged {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn five_megabytes_fit_into_one_attribute() {
    let workspace = Workspace::new();
    fs::write(workspace.path().join("large.txt"), "0123456789".repeat(500_000)).unwrap();
    workspace.write(
        "resource \"tfplug_thing\" \"a\" {\n  folder = \"$THINGS\"\n  name = \"a\"\n  note = file(\"large.txt\")\n}\n",
    );
    workspace.apply().ends_with(0);
    workspace.plan().ends_with(0);
    assert!(workspace.state().len() > 5_000_000);
}

#[test]
fn logs_arrive_with_their_level_and_without_secrets() {
    let workspace = Workspace::new();
    workspace.write(WHOLE);
    let log = workspace.path().join("log");
    let apply = |level: &str| {
        let mut command = workspace.command(&["apply", "-auto-approve", "-no-color"]);
        command.env("TF_LOG_PROVIDER", level).env("TF_LOG_PATH", &log);
        assert!(command.status().unwrap().success());
        let text = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        text
    };
    let text = apply("TRACE");
    let line = text
        .lines()
        .find(|line| line.contains("tf_rpc=ApplyResourceChange"))
        .expect("a line of the apply");
    assert!(
        line.contains("[DEBUG] provider.terraform-provider-tfplug: answered"),
        "{line}"
    );
    assert!(
        line.contains("tf_resource_type=tfplug_thing") && line.contains("tf_req_id="),
        "{line}"
    );
    assert!(!text.contains("db-canary"), "a secret is in the log");
    assert!(
        !text.lines().any(|line| line.contains("terraform-provider-tfplug: {")),
        "a line was not understood"
    );
    workspace.write(&WHOLE.replace("\"ssd\"", "\"hdd\""));
    assert!(!apply("INFO").contains("terraform-provider-tfplug: answered"));
}
