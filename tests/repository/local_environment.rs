//! The guide "From the laptop to AWS" with `ENVIRONMENT=local`, in a copy of the example tree: without the address on which
//! pods reach this machine the overlay says what is missing, and with it the overlay builds.

use crate::with_functions;
use harness::project::run;
use harness::{Project, mlplat, repository, terraform};
use std::process::Command;

#[test]
fn the_local_overlay_builds_once_pods_have_an_address() {
    let project = Project::new("");
    let mut copy = Command::new("cp");
    copy.arg("-R")
        .arg(repository().join("examples/infrastructure"))
        .arg(project.path("tree"));
    run(&mut copy).success();
    // What a demo that is up has left there is none of the test's business.
    let mut clean = Command::new("sh");
    clean.args(["-c", "rm -rf .terraform* *.tfstate*"]);
    clean.current_dir(project.path("tree/terraform/environments/local"));
    run(&mut clean).success();
    let environment = "-chdir=tree/terraform/environments/local";
    let render = || {
        run(with_functions(
            project
                .command(&mlplat())
                .args(["render", "tree/kubernetes/overlays/local"]),
        ))
    };

    // Modules are installed; the provider under test is not, as `dev_overrides` names it.
    run(project.command(&terraform()).args([environment, "get"])).success();
    let apply = [environment, "apply", "-auto-approve", "-no-color", "-input=false"];
    run(project.command(&terraform()).args(apply)).success();
    render().fails_with(&[
        "has no `cluster` view",
        "To fix: set `cluster_access` of `mlplat_local_services`",
    ]);

    // A second loopback address stands for the cluster's bridge.
    run(project
        .command(&terraform())
        .args(apply)
        .env("TF_VAR_cluster_access", "127.0.0.2"))
    .success();
    let rendered = render().success().text;
    assert!(
        rendered.contains("value: 127.0.0.2") && rendered.contains("type: NodePort"),
        "{rendered}"
    );
    let destroy = [environment, "destroy", "-auto-approve", "-no-color", "-input=false"];
    run(project.command(&terraform()).args(destroy)).success();
}
