//! NetworkPolicies where they are enforced: they let through what the application needs, and nothing else. The node is
//! this test's own.

use crate::application::Application;
use crate::images;
use crate::whole_path::with_files;
use harness::cluster::Cluster;
use harness::program::pinned;
use harness::{Project, process, wait};
use std::collections::BTreeMap;
use std::env;
use std::net::TcpListener;
use std::time::Duration;

const NAMESPACE: &str = "policies";
const PATIENCE: Duration = Duration::from_secs(120);
/// Pods with the labels of the application's, and one that the application does not know.
const PODS: [&str; 5] = ["backend", "frontend", "report", "prometheus", "stranger"];

#[test]
fn the_application_works_behind_its_policies_and_they_refuse_everything_else() {
    let cluster = Cluster::start();
    images::import(&cluster);
    answer_names_from_a_pod(&cluster);
    let application = Application::new(NAMESPACE, 30085);
    let postgres = process::spare_port();
    let project = Project::new(&with_files(&application, &cluster, postgres));
    project.apply();

    // Its namespace and its policies, and pods that look at the world from behind them.
    let rendered = application.render("local");
    let wanted = ["kind: Namespace\n", "kind: NetworkPolicy\n"];
    let of_kind = |document: &&str| wanted.iter().any(|kind| document.contains(kind));
    let policies: Vec<&str> = rendered.split("---\n").filter(of_kind).collect();
    assert_eq!(
        policies.len(),
        8,
        "the namespace, five of the bases, two that were made:\n{rendered}"
    );
    let pods = PODS.map(|name| include_str!("policies/pod.yaml").replace("{{name}}", name));
    apply(&cluster, &format!("{}---\n{}", policies.join("---\n"), pods.concat()));
    application
        .run(
            &cluster,
            &["wait", "--for=condition=Ready", "pod", "--all", "--timeout=300s"],
        )
        .success();
    let addresses: BTreeMap<&str, String> = PODS
        .into_iter()
        .map(|name| {
            let query = ["get", "pod", name, "-o", "jsonpath={.status.podIP}"];
            (
                name,
                format!("{}:8080", application.run(&cluster, &query).success().text),
            )
        })
        .collect();
    let reaches = |from: &str, to: &str| {
        let connect = ["exec", from, "--", "/usr/local/bin/pod", "connect", to];
        application.run(&cluster, &connect).code == Some(0)
    };
    // What is let through is, however busy the machine; what is refused is refused at once.
    let reaches_at_last = |from: &str, to: &str| wait::within(PATIENCE, || reaches(from, to).then_some(())).is_some();
    assert!(
        reaches_at_last("stranger", &addresses["backend"]),
        "nothing enforces them yet: what is refused below is refused by them"
    );

    cluster.enforce_policies().expect("kube-router's rules");
    wait::until("the stranger to be refused", PATIENCE, || {
        (!reaches("stranger", &addresses["backend"])).then_some(())
    });
    let elsewhere = TcpListener::bind((cluster.site().host(), 0)).expect("this machine's end of the link");
    let host = cluster.site().host();
    let postgres = format!("{host}:{postgres}");
    let elsewhere = format!("{host}:{}", elsewhere.local_addr().expect("it is bound").port());
    let to = |name: &str| addresses[name].clone();
    for (from, to, allowed) in [
        ("frontend", to("backend"), true),
        ("prometheus", to("backend"), true),
        ("report", to("backend"), false),
        ("stranger", to("backend"), false),
        ("backend", to("frontend"), false),
        ("backend", to("prometheus"), false),
        ("backend", postgres.clone(), true),
        ("report", postgres.clone(), true),
        ("frontend", postgres.clone(), false),
        ("prometheus", postgres.clone(), false),
        ("stranger", postgres, false),
        ("backend", elsewhere.clone(), false),
        ("report", elsewhere, false),
    ] {
        let reached = if allowed {
            reaches_at_last(from, &to)
        } else {
            reaches(from, &to)
        };
        assert_eq!(reached, allowed, "from {from} to {to}");
    }
    let reached_from_here = |name: &str| {
        let address = addresses[name].parse().expect("an address");
        std::net::TcpStream::connect_timeout(&address, PATIENCE).is_ok()
    };
    assert!(reached_from_here("frontend"), "the front door is open");
    assert!(!reached_from_here("backend") && !reached_from_here("prometheus"));
    application
        .run(&cluster, &["delete", "pod", "--all", "--now"])
        .success();

    // The application itself: every pod becomes ready behind them, and does its work.
    application.deploy(&cluster).success();
    application.is_ready(&cluster);
    let used = application.run(
        &cluster,
        &[
            "exec",
            "deployment/frontend",
            "--",
            "/usr/local/bin/artefact-store",
            "try",
            "http://backend",
        ],
    );
    assert!(used.success().text.contains("PostgreSQL"));
    application.makes_its_report(&cluster);
    let query = format!(
        "/api/v1/namespaces/{NAMESPACE}/services/prometheus:http/proxy/api/v1/query?query=sum(up%7Bjob%3D%22backend%22%7D)"
    );
    wait::until("Prometheus to have seen the backend", Duration::from_secs(300), || {
        cluster
            .run(&["get", "--raw", &query])
            .text
            .contains(",\"1\"]")
            .then_some(())
    });
    project.destroy();
    cluster.stop();
}

fn apply(cluster: &Cluster, manifest: &str) {
    cluster
        .run_with(&["apply", "--server-side", "-f", "-"], manifest)
        .success();
}

/// The bases let pods ask the pods of `kube-dns`; beside the API server it is none.
fn answer_names_from_a_pod(cluster: &Cluster) {
    let parts = pinned("kubernetes");
    let coredns = env::split_paths(&parts).map(|folder| folder.join("coredns"));
    images::import_one(
        cluster,
        "coredns",
        &coredns.into_iter().find(|file| file.is_file()).expect("it was built"),
    );
    let manifest = include_str!("policies/dns.yaml").replace("{{node}}", &cluster.site().node().to_string());
    apply(cluster, &manifest);
    let of_dns = |arguments: &[&str]| {
        cluster
            .run(&[&["--namespace=kube-system"], arguments].concat())
            .success()
            .text
    };
    of_dns(&["wait", "--for=condition=Ready", "pod/dns", "--timeout=300s"]);
    let address = of_dns(&["get", "pod", "dns", "-o", "jsonpath={.status.podIP}"]);
    let patch = format!(r#"[{{"op": "replace", "path": "/endpoints/0/addresses", "value": ["{address}"]}}]"#);
    of_dns(&["patch", "endpointslice", "kube-dns", "--type=json", "-p", &patch]);
}
