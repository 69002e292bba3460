//! Parts of a node are killed in the middle of an apply; the next one ends where it should. The node is this test's own.

use crate::application::Application;
use crate::stage::PODS;
use harness::cluster::{Cluster, NODE};
use harness::{Project, process, wait};
use std::process::Stdio;
use std::time::Duration;

/// An environment that is published into the cluster; the port is what an apply changes.
fn published(cluster: &Cluster, port: u16) -> String {
    format!(
        r#"
resource "mlplat_environment" "this" {{
  name      = "faulty"
  endpoints = {{
    redis = {{ host = {{ address = "cache.example.test", port = {port} }}, tls = false }}
  }}
  kubernetes = {{
    kubeconfig = "{kubeconfig}"
    context    = "{NODE}"
    namespace  = "default"
  }}
}}
"#,
        kubeconfig = cluster.site().kubeconfig().display()
    )
}

#[test]
fn the_next_apply_converges_after_any_part_was_killed() {
    let cluster = Cluster::start();
    let application = Application::new("faulty", 30084).with_contract();
    let rendered = format!("{PODS}---\n{}", application.render("local"));
    let project = Project::new(&published(&cluster, 6379));
    // Every apply has something to do: on a Deployment and its pods, and on what is published.
    for (part, replicas, port) in [("kubelet", 1, 6380), ("kube-apiserver", 3, 6381), ("etcd", 2, 6382)] {
        let wanted = rendered.replace("replicas: 2", &format!("replicas: {replicas}"));
        let file = application.tree_file("rendered.yaml", &wanted).display().to_string();
        let apply = ["apply", "--server-side", "-f", &file];
        let mut first = cluster
            .kubectl()
            .args(apply)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("kubectl starts");
        project.configure(&published(&cluster, port));
        let mut terraform = project.start(&["apply", "-auto-approve", "-no-color", "-input=false"]);
        std::thread::sleep(Duration::from_millis(150));
        let killed = wait::until("the part to run", Duration::from_secs(300), || cluster.process_of(part));
        process::kill(killed);
        // They may have come through, or not.
        first.wait().expect("it was started");
        terraform.wait().expect("it was started");
        wait::until(
            &format!("the apply after {part} was killed"),
            Duration::from_secs(300),
            || (cluster.run(&apply).code == Some(0)).then_some(()),
        );
        // A pod that ends changes the status between the two looks that a diff takes.
        let diff = ["diff", "--server-side", "-f", &file];
        wait::until("no difference", Duration::from_secs(300), || {
            (cluster.run(&diff).code == Some(0)).then_some(())
        });
        wait::until("the part to be back", Duration::from_secs(300), || {
            cluster.process_of(part).filter(|back| *back != killed)
        });
        cluster
            .run(&[
                "rollout",
                "status",
                "deployment/two",
                "--namespace=stage",
                "--timeout=300s",
            ])
            .success();
    }
    project.destroy();
    let gone = cluster.run(&["get", "configmap", "mlplat-environment"]);
    assert!(gone.text.contains("not found"), "{}", gone.text);
    cluster.stop();
}
