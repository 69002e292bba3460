//! Parts of a node are killed in the middle of an apply; the next one ends where it should. The node is this test's own.

use crate::application::Application;
use crate::stage::PODS;
use harness::cluster::Cluster;
use harness::{process, wait};
use std::process::Stdio;
use std::time::Duration;

#[test]
fn the_next_apply_converges_after_any_part_was_killed() {
    let cluster = Cluster::start();
    let application = Application::new("faulty", 30084).with_contract();
    let rendered = format!("{PODS}---\n{}", application.render("local"));
    // Every apply has something to do: on all Deployments and their pods.
    for (part, replicas) in [("kubelet", 1), ("kube-apiserver", 3), ("etcd", 2)] {
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
        std::thread::sleep(Duration::from_millis(150));
        let killed = cluster.process_of(part).expect("it runs");
        process::kill(killed);
        // It may have come through, or not.
        first.wait().expect("it was started");
        wait::until(
            &format!("the apply after {part} was killed"),
            Duration::from_secs(60),
            || (cluster.run(&apply).code == Some(0)).then_some(()),
        );
        let differences = cluster.run(&["diff", "--server-side", "-f", &file]);
        assert_eq!(differences.code, Some(0), "after {part}: {}", differences.text);
        let back = wait::until("the part to be back", Duration::from_secs(30), || {
            cluster.process_of(part)
        });
        assert_ne!(back, killed);
        cluster
            .run(&[
                "rollout",
                "status",
                "deployment/two",
                "--namespace=stage",
                "--timeout=120s",
            ])
            .success();
    }
    cluster.stop();
}
