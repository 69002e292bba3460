//! The example application in a namespace: a copy of the examples' tree, rendered and applied.

use harness::cluster::Cluster;
use harness::program::{binaries, binary, kustomize, repository};
use harness::project::{Output, run};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output as Answer};
use tempfile::TempDir;

/// What must be found in PATH for the overlays.
pub(crate) const FUNCTIONS: [&str; 4] = [
    "inject-endpoints",
    "set-environment",
    "generate-network-policies",
    "validate-practices",
];
const PORT_OF_THE_PAGE: &str = "30080";

/// The way in which an overlay is built.
pub(crate) const BUILD: [&str; 3] = ["build", "--enable-alpha-plugins", "--enable-exec"];

/// One environment of the application.
pub(crate) struct Application {
    tree: TempDir,
    pub(crate) namespace: String,
}

impl Application {
    /// A copy of the tree, whose overlay `local` deploys into this namespace and shows its page on this port of the node.
    pub(crate) fn new(namespace: &str, port_of_the_page: u16) -> Self {
        let tree = tempfile::tempdir().expect("a temporary folder");
        let examples = repository().join("examples/infrastructure/kubernetes");
        run(Command::new("cp").arg("-r").arg(examples).arg(tree.path())).success();
        let application = Self {
            tree,
            namespace: namespace.to_owned(),
        };
        let local = application.overlay("local");
        edit(
            &local.join("kustomization.yaml"),
            "namespace: artefact-store\n",
            &format!("namespace: {namespace}\n"),
        );
        edit(
            &local.join("set-environment.yaml"),
            PORT_OF_THE_PAGE,
            &port_of_the_page.to_string(),
        );
        application
    }

    /// A file beside the tree.
    pub(crate) fn tree_file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.tree.path().join(name);
        fs::write(&file, text).expect("a test writes its own folder");
        file
    }

    /// The folder of an overlay.
    pub(crate) fn overlay(&self, name: &str) -> PathBuf {
        self.tree.path().join("kubernetes/overlays").join(name)
    }

    /// The folder into which Terraform writes the contract of the overlay `local`.
    pub(crate) fn contract(&self) -> PathBuf {
        self.overlay("local").join("contract")
    }

    /// A contract and a Secret as they stand, without services behind them.
    pub(crate) fn with_contract(self) -> Self {
        for file in ["endpoints.yaml", "secret.yaml"] {
            let text = repository().join("tests/kustomize/cases/overlays").join(file);
            fs::copy(text, self.contract().join(file)).expect("the copy can be written");
        }
        self
    }

    /// What kustomize and the functions render.
    #[track_caller]
    pub(crate) fn render(&self, overlay: &str) -> String {
        let answer = build(
            Command::new(kustomize()).args(BUILD).arg(self.overlay(overlay)),
            &path(),
        );
        assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).expect("kustomize prints UTF-8")
    }

    /// The user's command: `kustomize build … | kubectl apply --server-side -f -`.
    pub(crate) fn deploy(&self, cluster: &Cluster) -> Output {
        cluster.run_with(&["apply", "--server-side", "-f", "-"], &self.render("local"))
    }

    /// Runs kubectl in the namespace.
    pub(crate) fn run(&self, cluster: &Cluster, arguments: &[&str]) -> Output {
        cluster.run(&[&["--namespace", &self.namespace], arguments].concat())
    }

    /// Waits until every Deployment has the pods that it asks for, in the version that was applied, all of them ready.
    #[track_caller]
    pub(crate) fn is_ready(&self, cluster: &Cluster) {
        for deployment in ["deployment/backend", "deployment/frontend", "deployment/prometheus"] {
            let status = self.run(cluster, &["rollout", "status", deployment, "--timeout=300s"]);
            if status.code != Some(0) {
                let pods = self.run(cluster, &["describe", "pods"]).text;
                let logs = self.run(cluster, &["logs", deployment, "--tail=20"]).text;
                panic!("{}\n{pods}\n{logs}", status.text);
            }
        }
    }

    /// Runs the report, which reads objects and writes rows, and waits until it is done.
    #[track_caller]
    pub(crate) fn makes_its_report(&self, cluster: &Cluster) {
        let create = ["create", "job", "now", "--from=cronjob/report"];
        self.run(cluster, &create).success();
        let wait = ["wait", "--for=condition=Complete", "job/now", "--timeout=300s"];
        let finished = self.run(cluster, &wait);
        let logs = self.run(cluster, &["logs", "job/now"]).text;
        assert_eq!(finished.code, Some(0), "{}\n{logs}", finished.text);
    }

    /// The address of a Service, which this machine reaches too.
    pub(crate) fn address_of(&self, cluster: &Cluster, service: &str) -> String {
        let query = ["get", "service", service, "-o", "jsonpath={.spec.clusterIP}"];
        self.run(cluster, &query).success().text
    }

    /// Deletes the namespace and waits until it is gone.
    pub(crate) fn delete(&self, cluster: &Cluster) {
        let delete = ["delete", "namespace", &self.namespace, "--timeout=300s"];
        cluster.run(&delete).success();
    }

    /// Deletes the namespace; the node goes on with that by itself.
    pub(crate) fn abandon(&self, cluster: &Cluster) {
        cluster
            .run(&["delete", "namespace", &self.namespace, "--wait=false"])
            .success();
    }
}

/// Runs a client that builds an overlay.
pub(crate) fn build(command: &mut Command, path: &OsString) -> Answer {
    command
        .env("PATH", path)
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// PATH with the functions in front.
pub(crate) fn path() -> OsString {
    for name in FUNCTIONS {
        binary(name);
    }
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(binaries()).chain(env::split_paths(&rest))).expect("folders without colons")
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(text.contains(from), "{} has no {from:?}", file.display());
    fs::write(file, text.replace(from, to)).expect("the copy can be written");
}
