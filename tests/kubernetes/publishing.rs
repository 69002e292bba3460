//! mlplat_environment in a real cluster: published by server-side apply, kept as it should be, never at another's cost.

use crate::node;
use harness::Project;
use harness::cluster::{Cluster, NODE};
use harness::project::Output;
use std::fs;

const THIS: &str = "mlplat_environment.this";
/// The password, as it is and as a Secret holds it.
const CANARY: [&str; 2] = ["canary-1", "Y2FuYXJ5LTE="];

/// An environment of a cache that exists somewhere, in a namespace of its own.
struct Place<'c> {
    cluster: &'c Cluster,
    namespace: &'static str,
    project: Project,
    kubeconfig: String,
}

impl<'c> Place<'c> {
    fn new(cluster: &'c Cluster, namespace: &'static str) -> Self {
        cluster.run(&["create", "namespace", namespace]).success();
        let project = Project::new("");
        let kubeconfig = fs::read_to_string(cluster.site().kubeconfig()).expect("a kubeconfig");
        project.write("kubeconfig", &kubeconfig);
        let place = Self {
            cluster,
            namespace,
            project,
            kubeconfig,
        };
        place.project.configure(&place.configuration("local"));
        place
    }

    fn configuration(&self, name: &str) -> String {
        format!(
            r#"
resource "mlplat_environment" "this" {{
  name = "{name}"
  endpoints = {{
    redis = {{
      host        = {{ address = "cache.example.test", port = 6379 }}
      tls         = false
      credentials = {{ secret_name = "mlplat-credentials" }}
    }}
  }}
  kubernetes = {{
    kubeconfig = "${{path.module}}/kubeconfig"
    context    = "{NODE}"
    namespace  = "{}"
  }}
  credentials_wo = {{ redis = {{ password = "{}" }} }}
}}
"#,
            self.namespace, CANARY[0]
        )
    }

    fn kubectl(&self, arguments: &[&str]) -> Output {
        self.cluster
            .run(&[&["--namespace", self.namespace], arguments].concat())
    }

    fn text_of(&self, object: &str, path: &str) -> String {
        let found = self.kubectl(&["get", object, "-o", &format!("jsonpath={path}")]);
        found.success().text
    }

    fn password(&self) -> String {
        self.text_of("secret/mlplat-credentials", r"{.data.redis\.password}")
    }

    fn is_there(&self, object: &str) -> bool {
        self.kubectl(&["get", object]).code == Some(0)
    }
}

#[test]
fn the_contract_and_its_secret_are_published_read_back_and_removed_and_no_log_holds_a_password() {
    let node = node();
    let place = Place::new(node, "published");
    place
        .kubectl(&["create", "configmap", "of-others", "--from-literal=a=b"])
        .success();
    let terraform = harness::terraform();
    let mut command = place.project.command(&terraform);
    command
        .args(["apply", "-auto-approve", "-no-color"])
        .env("TF_LOG_PROVIDER", "TRACE")
        .env("TF_LOG_PATH", place.project.path("trace.log"));
    harness::project::run(&mut command).success();
    place.project.plans_nothing();

    let contract = place.text_of("configmap/mlplat-environment", r"{.data.endpoints\.yaml}");
    assert!(contract.starts_with("apiVersion: mlplat.dev/v1alpha1"), "{contract}");
    assert!(contract.contains("cache.example.test"), "{contract}");
    assert_eq!(place.password(), CANARY[1]);
    for object in ["configmap/mlplat-environment", "secret/mlplat-credentials"] {
        assert_eq!(
            place.text_of(
                object,
                r"{.metadata.labels.app\.kubernetes\.io/managed-by} {.metadata.labels.mlplat\.dev/environment}"
            ),
            "mlplat local"
        );
        let manager = "{.metadata.managedFields[*].manager} {.metadata.managedFields[*].operation}";
        let found = place.kubectl(&[
            "get",
            object,
            "--show-managed-fields",
            "-o",
            &format!("jsonpath={manager}"),
        ]);
        assert_eq!(found.success().text, "mlplat Apply");
    }
    for file in ["terraform.tfstate", "trace.log"] {
        let text = fs::read_to_string(place.project.path(file)).expect("Terraform wrote it");
        assert!(
            !text.is_empty() && CANARY.iter().all(|canary| !text.contains(canary)),
            "{file}"
        );
    }

    let reader = Project::new(&format!(
        r#"
data "mlplat_environment" "this" {{
  kubernetes = {{
    kubeconfig = "{}"
    context    = "{NODE}"
    namespace  = "published"
  }}
}}

output "found" {{
  value = "${{data.mlplat_environment.this.name}} at ${{data.mlplat_environment.this.endpoints.redis.host.address}}"
}}
"#,
        place.project.path("kubeconfig").display()
    ));
    assert!(reader.apply().text.contains("local at cache.example.test"));

    place.project.destroy();
    assert!(!place.is_there("configmap/mlplat-environment") && !place.is_there("secret/mlplat-credentials"));
    assert!(place.is_there("configmap/of-others"));
}

#[test]
fn what_is_edited_or_deleted_shows_in_the_plan_and_is_mended() {
    let node = node();
    let place = Place::new(node, "drifting");
    place.project.apply();
    let contract = place.text_of("configmap/mlplat-environment", r"{.data.endpoints\.yaml}");
    let edits: [&[&str]; 6] = [
        &[
            "patch",
            "secret",
            "mlplat-credentials",
            "-p",
            r#"{"stringData":{"redis.password":"guessed"}}"#,
        ],
        &[
            "patch",
            "secret",
            "mlplat-credentials",
            "-p",
            r#"{"data":{"redis.password":null}}"#,
        ],
        &[
            "patch",
            "configmap",
            "mlplat-environment",
            "-p",
            r#"{"data":{"endpoints.yaml":"none"}}"#,
        ],
        &["delete", "secret", "mlplat-credentials"],
        &["delete", "configmap", "mlplat-environment"],
        &["delete", "configmap,secret", "--all"],
    ];
    for edit in edits {
        place.kubectl(edit).success();
        place.project.plans_a_change();
        place.project.apply();
        assert_eq!(place.password(), CANARY[1], "after {edit:?}");
        let mended = place.text_of("configmap/mlplat-environment", r"{.data.endpoints\.yaml}");
        assert_eq!(mended, contract, "after {edit:?}");
        place.project.plans_nothing();
    }

    let other = place.configuration("local").replace(CANARY[0], "canary-2");
    place.project.configure(&other);
    place.project.plans_a_change();
    place.project.apply();
    assert_eq!(place.password(), "Y2FuYXJ5LTI=");
    place
        .project
        .configure(&other.replace("  credentials_wo = { redis = { password = \"canary-2\" } }\n", ""));
    place.project.apply();
    assert!(
        !place.is_there("secret/mlplat-credentials"),
        "it comes from elsewhere now"
    );
    place.project.plans_nothing();
    place.project.destroy();
}

#[test]
fn what_is_somebody_elses_is_named_and_neither_changed_nor_deleted() {
    let node = node();
    let place = Place::new(node, "shared");
    place
        .kubectl(&["create", "configmap", "mlplat-environment", "--from-literal=a=b"])
        .success();
    place.project.apply_with(&[]).fails_with(&[
        "ConfigMap shared/mlplat-environment exists, belongs to kubectl-create and not to the environment \"local\"",
        "To fix: choose another name",
    ]);
    assert!(
        !place.is_there("secret/mlplat-credentials"),
        "nothing is half published"
    );
    assert_eq!(place.text_of("configmap/mlplat-environment", "{.data.a}"), "b");
    place.kubectl(&["delete", "configmap", "mlplat-environment"]).success();
    place.project.apply();

    let other = Project::new("");
    other.write("kubeconfig", &place.kubeconfig);
    other.configure(&place.configuration("staging"));
    other
        .apply_with(&[])
        .fails_with(&["belongs to the environment \"local\" and not to the environment \"staging\""]);

    // Another tool that applies the same field would fight for it for ever.
    let manifest = place.project.path("argo.yaml");
    fs::write(
        &manifest,
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mlplat-environment}\ndata: {endpoints.yaml: theirs}\n",
    )
    .expect("a test writes its own folder");
    let (manifest, manager) = (manifest.display().to_string(), "--field-manager=argocd-controller");
    let apply = ["apply", "--server-side", manager, "--force-conflicts", "-f", &manifest];
    place.kubectl(&apply).success();
    place
        .project
        .apply_with(&[])
        .fails_with(&["is also applied by argocd-controller", ".data.endpoints.yaml"]);
    assert_eq!(
        place.text_of("configmap/mlplat-environment", r"{.data.endpoints\.yaml}"),
        "theirs"
    );

    let label = "app.kubernetes.io/managed-by=Helm";
    place
        .kubectl(&["label", "--overwrite", "configmap", "mlplat-environment", label])
        .success();
    place
        .project
        .apply_with(&[])
        .fails_with(&["belongs to Helm and not to the environment \"local\""]);
    place.project.destroy();
    assert!(place.is_there("configmap/mlplat-environment") && !place.is_there("secret/mlplat-credentials"));
}

#[test]
fn a_cluster_that_is_away_or_refuses_is_an_error_that_says_what_to_do_and_nothing_is_lost() {
    let node = node();
    let place = Place::new(node, "refusing");
    place.project.apply();
    let token = place
        .kubeconfig
        .split_once("token: ")
        .and_then(|(_, rest)| rest.lines().next())
        .expect("a token");
    place.kubectl(&["create", "serviceaccount", "nobody"]).success();
    let nobody = place.kubectl(&["create", "token", "nobody"]).success().text;
    let server = format!("{}:6443", node.site().node());
    let plugin = |script: &str| {
        let path = place.project.path("login");
        harness::program::script(&path, script);
        let exec = format!(
            "exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: IfAvailable, command: {:?}}}",
            path.display()
        );
        place.kubeconfig.replace(&format!("token: {token}"), &exec)
    };
    let cases: [(String, &[&str]); 5] = [
        (
            place.kubeconfig.replace(&server, "127.0.0.1:1"),
            &[
                "https://127.0.0.1:1/",
                "does not answer",
                "Connection refused",
                "To fix: start the cluster",
            ],
        ),
        (
            place.kubeconfig.replace(token, "expired"),
            &[
                "does not accept the login of the context",
                "has expired",
                "To fix: log in anew",
            ],
        ),
        (
            place.kubeconfig.replace(token, nobody.trim()),
            &[
                "is forbidden",
                "system:serviceaccount:refusing:nobody",
                "To fix: bind the user",
            ],
        ),
        (
            place.kubeconfig.replace(&format!("name: {NODE}"), "name: other"),
            &["has no context \"mlplat\"; it has other", "To fix: set `context`"],
        ),
        (
            plugin("echo the session is over >&2; exit 3"),
            &[
                "the login of the context",
                "the session is over",
                "To fix: run `kubectl",
            ],
        ),
    ];
    for (kubeconfig, words) in cases {
        place.project.write("kubeconfig", &kubeconfig);
        place.project.plan().fails_with(words);
        assert!(
            place.project.resource(THIS).is_some(),
            "it was not taken for gone: {words:?}"
        );
    }
    let credential = format!(
        r#"echo '{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{token}"}}}}'"#
    );
    place.project.write("kubeconfig", &plugin(&credential));
    place.project.plans_nothing();

    place.project.write("kubeconfig", &place.kubeconfig);
    place.project.plans_nothing();
    place.project.destroy();
    let nowhere = place.configuration("local").replace("\"refusing\"", "\"nowhere\"");
    place.project.configure(&nowhere);
    place
        .project
        .apply_with(&[])
        .fails_with(&["there is no namespace \"nowhere\"", "kubectl create namespace nowhere"]);
    assert!(place.project.resource(THIS).is_none());
}
