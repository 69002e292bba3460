//! What the API server itself says to the overlays, and the rules that it enforces.

use crate::application::Application;
use crate::node;
use harness::cluster::Cluster;
use harness::wait;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(120);

/// Stands in for the operator's definition, with the fields that ExternalSecrets of ours have.
const EXTERNAL_SECRETS: &str = include_str!("rules/external-secrets.yaml");
const STRICT: [&str; 6] = [
    "apply",
    "--server-side",
    "--validate=strict",
    "--dry-run=server",
    "-f",
    "-",
];

fn namespace(cluster: &Cluster, name: &str) {
    let text = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n  labels:\n    pod-security.kubernetes.io/enforce: restricted\n"
    );
    cluster
        .run_with(&["apply", "--server-side", "-f", "-"], &text)
        .success();
}

#[test]
fn every_overlay_is_accepted_with_every_field() {
    let cluster = node();
    cluster
        .run_with(&["apply", "--server-side", "-f", "-"], EXTERNAL_SECRETS)
        .success();
    cluster
        .run(&[
            "wait",
            "--for=condition=Established",
            "crd/externalsecrets.external-secrets.io",
            "--timeout=300s",
        ])
        .success();
    // What is established is listed a moment later.
    wait::until("the new kind", SOON, || {
        (cluster.run(&["get", "externalsecrets"]).code == Some(0)).then_some(())
    });
    let application = Application::new("artefact-store", 30080).with_contract();
    namespace(cluster, "artefact-store");
    for overlay in ["local", "dev", "staging", "prod"] {
        let rendered = application.render(overlay);
        let objects = rendered.lines().filter(|line| line.starts_with("kind: ")).count();
        let answer = cluster.run_with(&STRICT, &rendered).success();
        let accepted = answer
            .text
            .lines()
            .filter(|line| line.ends_with("(server dry run)"))
            .count();
        assert_eq!(accepted, objects, "{overlay}:\n{}", answer.text);
        assert!(!answer.text.contains("Warning:"), "{overlay}:\n{}", answer.text);

        let misspelt = rendered.replacen("automountServiceAccountToken:", "automountServiceAccountTokens:", 1);
        let refused = cluster.run_with(&STRICT, &misspelt);
        assert_ne!(refused.code, Some(0), "{overlay}: a misspelt field is taken");
        assert!(
            refused.text.contains("field not declared in schema") || refused.text.contains("unknown field"),
            "{}",
            refused.text
        );
    }
}

#[test]
fn pods_that_are_not_restricted_are_refused() {
    let cluster = node();
    namespace(cluster, "restricted");
    let root = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: root\n  namespace: restricted\nspec:\n  containers:\n    \
                - name: pod\n      image: mlplat-pod:0.1.0\n      securityContext:\n        runAsUser: 0\n";
    let refused = cluster.run_with(&["apply", "--server-side", "-f", "-"], root);
    assert_ne!(refused.code, Some(0));
    assert!(
        refused.text.contains("violates PodSecurity \"restricted"),
        "{}",
        refused.text
    );
    cluster
        .run(&["delete", "namespace", "restricted", "--wait=false"])
        .success();
}

#[test]
fn operators_look_at_everything_but_secrets() {
    let cluster = node();
    let application = Application::new("operated", 30083).with_contract();
    application.deploy(cluster).success();
    let may = |arguments: &[&str]| {
        let as_operator = ["--as=somebody", "--as-group=artefact-store-operators"];
        application.run(cluster, &[&as_operator, arguments].concat())
    };
    // The API server hears of a new binding a moment after it was stored.
    wait::until("the operators' rights", SOON, || {
        (may(&["get", "pods,deployments,networkpolicies"]).code == Some(0)).then_some(())
    });
    may(&["rollout", "restart", "deployment/frontend"]).success();
    for forbidden in [
        &["get", "secrets"][..],
        &["delete", "deployment", "frontend"],
        &["get", "nodes"],
    ] {
        let refused = may(forbidden);
        assert!(
            refused.code != Some(0) && refused.text.contains("forbidden"),
            "{forbidden:?}: {}",
            refused.text
        );
    }
    application.abandon(cluster);
}
