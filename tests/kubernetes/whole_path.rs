//! terraform apply, kustomize build with the functions, kubectl apply: services of this machine, used by pods.

use crate::application::Application;
use crate::node;
use harness::cluster::{Cluster, NODE};
use harness::program::binary;
use harness::project::run;
use harness::{Project, process, wait};
use std::fs;
use std::process::Command;
use std::time::Duration;

/// The services and the environment; both files go into the overlay.
pub(crate) fn with_files(application: &Application, cluster: &Cluster, postgres_port: u16) -> String {
    let published = format!(
        "  contract_file = \"{contract}/endpoints.yaml\"\n  secret_file   = \"{contract}/secret.yaml\"\n",
        contract = application.contract().display()
    );
    configuration(application, cluster, postgres_port, &published)
}

/// The same, with the Secret published into the cluster.
fn in_cluster(application: &Application, cluster: &Cluster, postgres_port: u16) -> String {
    let published = format!(
        "  contract_file = \"{contract}/endpoints.yaml\"\n  kubernetes = {{\n    kubeconfig = \"{kubeconfig}\"\n    \
         context    = \"{NODE}\"\n    namespace  = \"{namespace}\"\n  }}\n",
        contract = application.contract().display(),
        kubeconfig = cluster.site().kubeconfig().display(),
        namespace = application.namespace,
    );
    configuration(application, cluster, postgres_port, &published)
}

fn configuration(application: &Application, cluster: &Cluster, postgres_port: u16, published: &str) -> String {
    format!(
        r#"
resource "mlplat_local_services" "this" {{
  name           = "{name}"
  cluster_access = "{host}"

  postgres     = {{ database = "artefacts", port = {postgres_port} }}
  redis        = {{}}
  object_store = {{ buckets = ["models", "reports"] }}
}}

ephemeral "mlplat_credentials" "this" {{
  name = mlplat_local_services.this.name
}}

resource "mlplat_environment" "this" {{
  name      = "local"
  endpoints = mlplat_local_services.this.endpoints
{published}
  credentials_wo         = ephemeral.mlplat_credentials.this.credentials
  credentials_wo_version = 1
}}
"#,
        name = application.namespace,
        host = cluster.site().host(),
    )
}

/// The application's processes are an ordinary user's, and cannot write a file of their image.
#[track_caller]
fn runs_without_rights(cluster: &Cluster) {
    let seen = cluster.processes().into_iter().filter_map(|process| {
        let file = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", process.pid)).ok();
        let of_application = process::command_line(process.pid).starts_with("/usr/local/bin/artefact-store ");
        let (status, mounts) = (file("status")?, file("mounts")?);
        // One that has ended meanwhile, such as a report, was not seen whole.
        (of_application && process.alive()).then_some((status, mounts))
    });
    let seen: Vec<_> = seen.collect();
    assert!(seen.len() >= 2, "backend and frontend: {seen:?}");
    for (status, mounts) in seen {
        assert!(status.contains("\nUid:\t65532\t65532\t65532\t65532\n"), "{status}");
        let root = mounts.lines().find(|line| line.split(' ').nth(1) == Some("/"));
        let options = root.and_then(|line| line.split(' ').nth(3)).unwrap_or_default();
        assert!(options.split(',').any(|option| option == "ro"), "{mounts}");
    }
}

/// Uses the application through this address: rows, cached lists and blobs, every answer checked.
#[track_caller]
fn use_application(address: &str) -> String {
    run(Command::new(binary("artefact-store")).args(["try", &format!("http://{address}")]))
        .success()
        .text
}

#[test]
fn pods_use_the_services_of_this_machine_and_follow_a_changed_port() {
    let cluster = node();
    let application = Application::new("whole-path", 30090);
    let (before, after) = (process::spare_port(), process::spare_port());
    let project = Project::new(&with_files(&application, cluster, before));
    project.apply();
    application.deploy(cluster).success();
    application.is_ready(cluster);
    runs_without_rights(cluster);

    let backend = application.address_of(cluster, "backend");
    let used = use_application(&backend);
    for reached in [
        format!("{}:{before}", cluster.site().host()),
        "PostgreSQL".to_owned(),
        "SeaweedFS".to_owned(),
    ] {
        assert!(used.contains(&reached), "{reached} is not in:\n{used}");
    }
    assert!(used.contains("from the cache: hit"), "{used}");
    // The page's server passes on what the page asks for; from outside it is a port of the node.
    let page = run(Command::new("curl").args(["-sSf", &format!("http://{}:30090/", cluster.site().node())])).success();
    assert!(page.text.contains("<html"), "{}", page.text);

    application.makes_its_report(cluster);

    let monitoring = application.address_of(cluster, "prometheus");
    let query = format!("http://{monitoring}/api/v1/query?query=sum(up%7Bjob%3D%22backend%22%7D)");
    wait::until("Prometheus to have seen the backend", Duration::from_secs(300), || {
        let answer = run(Command::new("curl").args(["-sS", &query])).text;
        answer.contains(",\"1\"]").then_some(())
    });

    // Another port, the same commands.
    project.configure(&with_files(&application, cluster, after));
    project.apply();
    application.deploy(cluster).success();
    application.is_ready(cluster);
    let used = use_application(&backend);
    assert!(used.contains(&format!("{}:{after}", cluster.site().host())), "{used}");
    let rows = run(Command::new("curl").args(["-sSf", &format!("http://{backend}/artefacts")])).success();
    assert_eq!(
        rows.text.matches("churn-model").count(),
        2,
        "the first row is still there: {}",
        rows.text
    );
    project.plans_nothing();

    application.delete(cluster);
    project.destroy();
    assert!(
        !application.contract().join("endpoints.yaml").exists() && !application.contract().join("secret.yaml").exists()
    );
    wait::until("every process of the stack to end", Duration::from_secs(60), || {
        process::mentioning(&project.path("data")).is_empty().then_some(())
    });
}

#[test]
fn two_environments_in_two_namespaces_do_not_meet() {
    let cluster = node();
    let pair = [("blue", 30091), ("green", 30092)].map(|(namespace, port)| {
        let application = Application::new(namespace, port);
        // Its Secret comes from Terraform, and is in no file.
        let list = application.contract().join("kustomization.yaml");
        let text = fs::read_to_string(&list).expect("a kustomization");
        fs::write(&list, text.replace("  - secret.yaml\n", "")).expect("the copy can be written");
        cluster.run(&["create", "namespace", namespace]).success();
        let project = Project::new(&in_cluster(&application, cluster, process::spare_port()));
        project.apply();
        application.deploy(cluster).success();
        (application, project)
    });
    let rows = |application: &Application| {
        let address = application.address_of(cluster, "backend");
        run(Command::new("curl").args(["-sSf", &format!("http://{address}/artefacts")]))
            .success()
            .text
    };
    for (application, _) in &pair {
        application.is_ready(cluster);
    }
    let [(blue, blue_project), (green, green_project)] = &pair;
    use_application(&blue.address_of(cluster, "backend"));
    assert!(rows(blue).contains("churn-model"));
    assert!(!rows(green).contains("churn-model"), "{}", rows(green));

    blue_project.destroy();
    let left = blue.run(cluster, &["get", "secret,configmap", "-l", "mlplat.dev/environment"]);
    assert!(left.text.contains("No resources found"), "{}", left.text);
    green_project.plans_nothing();
    use_application(&green.address_of(cluster, "backend"));
    green_project.destroy();
    for (application, _) in &pair {
        application.abandon(cluster);
    }
}
