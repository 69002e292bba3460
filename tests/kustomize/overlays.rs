//! The overlays of the examples under every client.

use crate::cases::{case, copy};
use crate::clients::{kubectl_plugin, kubectls, kustomize_exec};
use harness::program::repository;
use std::fs;

#[test]
fn the_overlay_of_this_machine_renders_the_same_under_kustomize_and_kubectl() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&repository().join("examples/infrastructure/kubernetes"), folder.path());
    let local = folder.path().join("overlays/local");
    fs::copy(case("contract.yaml"), local.join("endpoints.yaml")).expect("the copy can be written");
    fs::write(
        local.join("secret.yaml"),
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mlplat-credentials\nstringData:\n  redis.password: canary\n",
    )
    .expect("the copy can be written");
    let rendered = kustomize_exec(&local).rendered();
    assert!(rendered.contains("name: DATABASE_URL") && rendered.contains("mlplat.dev/made-by: inject-endpoints"));
    let of_secret = rendered
        .split("---\n")
        .filter(|document| document.contains("canary"))
        .count();
    assert_eq!(
        of_secret, 1,
        "the password stands in the Secret and nowhere else:\n{rendered}"
    );
    for kubectl in kubectls() {
        let other = kubectl_plugin(&kubectl, &folder.path().join("overlays/local-kubectl")).rendered();
        assert_eq!(other, rendered, "{}", kubectl.display());
    }
}
