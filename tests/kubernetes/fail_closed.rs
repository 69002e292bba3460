//! A function that did not run gives pods that do not start, never pods that talk to a wrong place.

use crate::application::{Application, BUILD, build, path};
use crate::node;
use harness::program::{kustomize, tool};
use harness::wait;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn kubectl() -> PathBuf {
    tool(
        "kubectl",
        "install kubectl 1.27 or newer: https://kubernetes.io/docs/tasks/tools/",
    )
}

#[test]
fn pods_of_a_skipped_function_do_not_start() {
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
        let answer = build(
            Command::new(client).args(arguments).arg(application.overlay("local")),
            &path(),
        );
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
        let answer = build(Command::new(client).args(arguments).arg(overlay), &without_functions);
        let errors = String::from_utf8_lossy(&answer.stderr);
        assert!(
            !answer.status.success() && answer.stdout.is_empty(),
            "{what}: it rendered something"
        );
        assert!(errors.contains(message), "{what}: {errors}");
    }
}
