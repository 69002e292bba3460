//! mlplat_local_services beside a cluster that exists.

use crate::node;
use harness::Project;
use harness::cluster::NODE;
use std::fs;

const THIS: &str = "mlplat_local_services.this";

#[test]
fn a_cluster_is_asked_before_anything_is_made_and_its_status_is_shown() {
    let node = node();
    let kubeconfig = fs::read_to_string(node.site().kubeconfig()).expect("a kubeconfig");
    let server = format!("https://{}:6443", node.site().node());
    let project = Project::new(&format!(
        r#"
resource "mlplat_local_services" "this" {{
  name           = "beside"
  cluster        = {{ existing = {{ kubeconfig = "${{path.module}}/kubeconfig", context = "{NODE}" }} }}
  cluster_access = "{}"
  redis          = {{}}
}}
"#,
        node.site().host()
    ));
    let away = kubeconfig.replace(&server, "https://127.0.0.1:1");
    project.write("kubeconfig", &away);
    project
        .apply_with(&[])
        .fails_with(&["https://127.0.0.1:1/", "does not answer", "To fix: start the cluster"]);
    assert!(
        !project.stack("beside").exists(),
        "nothing is made for a cluster that is away"
    );

    project.write("kubeconfig", &kubeconfig);
    project.apply();
    project.plans_nothing();
    let state = project.resource(THIS).expect("the stack is in the state");
    assert_eq!(state["cluster"]["status"], "running");
    assert_eq!(state["cluster"]["server"], format!("{server}/"));
    let version = state["cluster"]["server_version"].as_str().unwrap_or_default();
    assert!(version.starts_with("v1."), "{version}");
    assert_eq!(
        state["endpoints"]["redis"]["cluster"]["address"],
        node.site().host().to_string()
    );

    project.write("kubeconfig", &away);
    let plan = project.plans_a_change();
    assert!(
        plan.text.contains(r#"status         = "unreachable" -> "running""#),
        "{}",
        plan.text
    );
    project.destroy();
}
