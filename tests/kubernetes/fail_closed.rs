//! A function that did not run gives pods that do not start, never pods that talk to a wrong place.

use crate::application::{Application, BUILD, FUNCTIONS, build, path};
use crate::node;
use harness::program::{kustomize, mlplat, tool};
use harness::wait;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn kubectl() -> PathBuf {
    tool(
        "kubectl",
        "install kubectl 1.27 or newer: https://kubernetes.io/docs/tasks/tools/",
    )
}

/// `mlplat verify` refuses the overlay for this client, and says of every function that this becomes of it.
#[track_caller]
fn said_before(overlay: &Path, client: &Path, arguments: &[&str], path: &OsString, of_each: &str) {
    let flags = format!("--flags={}", arguments[1..].join(" "));
    let mut verify = Command::new(mlplat());
    verify.args(["verify", &flags, "--client"]).arg(client).arg(overlay);
    let answer = build(&mut verify, path);
    let said = String::from_utf8_lossy(&answer.stdout);
    assert_eq!(answer.status.code(), Some(1), "{said}");
    for function in FUNCTIONS {
        let named = |line: &&str| line.contains(&format!(" {function}): {of_each}")) && line.contains("To fix: ");
        assert_eq!(said.lines().filter(named).count(), 1, "{function}: {of_each}:\n{said}");
    }
}

#[test]
fn pods_of_a_skipped_function_do_not_start_and_verify_says_so_before() {
    let cluster = node();
    // Both succeed, and say nothing.
    let skips: [(&str, PathBuf, &[&str]); 2] = [
        (
            "kubectl-without-exec",
            kubectl(),
            &["kustomize", "--enable-alpha-plugins"],
        ),
        ("flag-forgotten", kustomize(), &["build", "--enable-alpha-plugins"]),
    ];
    for (namespace, client, arguments) in skips {
        let application = Application::new(namespace, 30081).with_contract();
        let overlay = application.overlay("local");
        said_before(&overlay, &client, arguments, &path(), "is skipped without a word");
        let answer = build(Command::new(client).args(arguments).arg(overlay), &path());
        let rendered = String::from_utf8(answer.stdout).expect("manifests are UTF-8");
        assert!(
            answer.status.success() && answer.stderr.is_empty(),
            "{namespace}: it is not silent any more"
        );
        cluster
            .run_with(&["apply", "--server-side", "-f", "-"], &rendered)
            .success();
        application
            .run(cluster, &["create", "job", "now", "--from=cronjob/report"])
            .success();
        let waiting = "jsonpath={range .items[*]}{.metadata.labels.app\\.kubernetes\\.io/name} \
                       {.status.containerStatuses[0].state.waiting.reason}{\"\\n\"}{end}";
        let talking = "app.kubernetes.io/name in (backend, report)";
        let pods = wait::until(
            "the pods that would talk to the services",
            Duration::from_secs(300),
            || {
                let pods = application
                    .run(cluster, &["get", "pods", "-l", talking, "-o", waiting])
                    .text;
                let refused = |name: &str| {
                    let mut of_name = pods.lines().filter(|line| line.starts_with(name)).peekable();
                    of_name.peek().is_some() && of_name.all(|line| line.ends_with(" CreateContainerConfigError"))
                };
                (refused("backend") && refused("report")).then_some(pods)
            },
        );
        let events = application.run(cluster, &["get", "events"]).text;
        assert!(
            events.contains("configmap \"mlplat-endpoints\" not found"),
            "{pods}\n{events}"
        );
        let started = "jsonpath={.items[*].status.containerStatuses[*].started}";
        let started = application
            .run(cluster, &["get", "pods", "-l", talking, "-o", started])
            .text;
        assert!(!started.contains("true"), "{started}");
        application.abandon(cluster);
    }
}

#[test]
fn a_client_that_cannot_run_the_function_and_knows_it_renders_nothing() {
    let application = Application::new("refused", 30082).with_contract();
    let without_functions = "/usr/local/bin:/usr/bin:/bin".into();
    let refusals: [(&str, PathBuf, &[&str], &str); 3] = [
        (
            "kubectl without a flag",
            kubectl(),
            &["kustomize"],
            "external plugins disabled",
        ),
        (
            "kustomize without a flag",
            kustomize(),
            &["build"],
            "external plugins disabled",
        ),
        (
            "the binary is missing",
            kustomize(),
            &BUILD,
            "executable file not found in $PATH",
        ),
    ];
    for (what, client, arguments, message) in refusals {
        let overlay: &Path = &application.overlay("local");
        said_before(overlay, &client, arguments, &without_functions, "fails the build");
        let answer = build(Command::new(client).args(arguments).arg(overlay), &without_functions);
        let errors = String::from_utf8_lossy(&answer.stderr);
        assert!(
            !answer.status.success() && answer.stdout.is_empty(),
            "{what}: it rendered something"
        );
        assert!(errors.contains(message), "{what}: {errors}");
    }
}
