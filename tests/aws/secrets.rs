//! The access key's secret reaches AWS as a signature, and nothing else.

use crate::{Cloud, provider, resource};
use harness::emulators::Kind;
use harness::project::run;
use harness::terraform;
use std::fs;

const CANARY: &str = "canary-wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY";

#[test]
fn the_secret_of_the_access_key_is_in_no_state_plan_or_log() {
    let cloud = Cloud::bucket(Kind::Moto, "");
    let block = provider(&cloud.proxy.url(), "").replace("\"an-emulator-takes-any\"", "var.secret_key");
    let variable = "variable \"secret_key\" {\n  type      = string\n  sensitive = true\n  ephemeral = true\n}\n";
    let bucket = resource("bucket = \"canary\"");
    cloud.project.configure(&format!("{variable}{block}{bucket}"));
    let log = cloud.project.path("trace.log");
    let in_terraform = |arguments: &[&str]| {
        let mut command = cloud.project.command(&terraform());
        command
            .args(arguments)
            .env("TF_VAR_secret_key", CANARY)
            .env("TF_LOG", "TRACE")
            .env("TF_LOG_PATH", &log);
        run(&mut command)
    };
    let planned = in_terraform(&["plan", "-no-color", "-out=saved.tfplan"]).success();
    let shown = in_terraform(&["show", "-json", "saved.tfplan"]).success();
    let applied = in_terraform(&["apply", "-no-color", "saved.tfplan"]).success();
    cloud
        .proxy
        .fault(harness::Fault::FORBIDDEN, 1000, |call| call.asks("tagging"));
    let refused = in_terraform(&["plan", "-no-color"]);
    assert_eq!(refused.code, Some(1), "{}", refused.text);
    cloud.proxy.heal();
    let log = fs::read_to_string(&log).expect("the log");
    assert!(log.contains("ApplyResourceChange"), "the log is at TRACE");
    let state = fs::read_to_string(cloud.project.path("terraform.tfstate")).expect("the state");
    assert!(state.contains("canary"), "the bucket is in the state");
    for (place, text) in [
        ("the plan", &planned.text),
        ("the plan file", &shown.text),
        ("the apply", &applied.text),
        ("an error", &refused.text),
        ("the log at TRACE", &log),
        ("the state", &state),
    ] {
        assert!(!text.contains(CANARY), "the secret is in {place}");
    }
    in_terraform(&["destroy", "-auto-approve", "-no-color"]).success();
}
