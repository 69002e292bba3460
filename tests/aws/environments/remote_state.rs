//! The state of an environment lies in a bucket of its account, and two applies at once do not meet.

use super::Tree;
use harness::emulators::Kind;
use harness::{Fault, wait};
use std::fs;
use std::time::Duration;

const BUCKET: &str = "example-artefacts-staging-terraform-state";
const STATE: &str = "/example-artefacts-staging-terraform-state/artefact-store/staging.tfstate";
const ENVIRONMENT: &str = "environments/staging";

/// What Terraform's own backend needs for an emulator.
fn backend(url: &str) -> String {
    format!(
        "endpoints                   = {{ s3 = \"{url}\" }}\n\
         access_key                  = \"AKIAIOSFODNN7EXAMPLE\"\n\
         secret_key                  = \"an-emulator-takes-any\"\n\
         use_path_style              = true\n\
         skip_credentials_validation = true\n\
         skip_requesting_account_id  = true\n\
         skip_metadata_api_check     = true\n"
    )
}

#[test]
fn an_environment_keeps_its_state_in_its_bucket_and_refuses_a_second_apply_at_once() {
    // moto follows the bucket's policy, which wants TLS, and so takes no state from here.
    let tree = Tree::new(Kind::MiniStack);
    tree.overrides("bootstrap", "");
    tree.in_environment("bootstrap", &["init", "-no-color", "-input=false"])
        .success();
    let bucket = format!("-var=bucket={BUCKET}");
    tree.in_environment("bootstrap", &["apply", "-auto-approve", "-no-color", &bucket])
        .success();

    tree.overrides(ENVIRONMENT, "");
    tree.project.write("backend.hcl", &backend(&tree.emulator.url()));
    let file = format!("-backend-config={}", tree.project.path("backend.hcl").display());
    tree.in_environment(ENVIRONMENT, &["init", "-no-color", "-input=false", &file])
        .success();
    tree.apply(ENVIRONMENT);
    assert_eq!(
        tree.emulator.s3("HEAD", STATE, "").status(),
        200,
        "the state is in the bucket"
    );
    let plan = tree.in_environment(ENVIRONMENT, &["plan", "-no-color", "-detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}", plan.text);
    what_is_committed_is_what_is_written(&tree);

    // The first apply is in the middle of its refresh, and holds the lock, when the second one begins.
    tree.proxy.fault(Fault::Hang, 1000, |call| {
        call.path.contains("example-artefacts-staging-models")
    });
    let mut first = tree.start(ENVIRONMENT, &["apply", "-auto-approve", "-no-color", "-input=false"]);
    wait::until("the first apply to hold the lock", Duration::from_secs(180), || {
        (tree.emulator.s3("HEAD", &format!("{STATE}.tflock"), "").status() == 200).then_some(())
    });
    let second = tree.in_environment(ENVIRONMENT, &["apply", "-auto-approve", "-no-color", "-input=false"]);
    second.fails_with(&["Error acquiring the state lock", "PreconditionFailed"]);
    tree.proxy.heal();
    let first = first.wait().expect("terraform ends");
    let log = fs::read_to_string(tree.project.path("terraform.log")).unwrap_or_default();
    assert!(first.success(), "{log}");
    assert_eq!(
        tree.emulator.s3("HEAD", &format!("{STATE}.tflock"), "").status(),
        404,
        "the lock is let go"
    );
    tree.destroy(ENVIRONMENT);
}

/// The contract in the overlay's folder is an example's; it is what Terraform writes, but for where S3 is.
fn what_is_committed_is_what_is_written(tree: &Tree) {
    let (committed, written) = tree.committed_and_written("overlays/staging/contract/external-secret.yaml");
    assert_eq!(written, committed);
    let (committed, written) = tree.committed_and_written("overlays/staging/contract/endpoints.yaml");
    let before_s3 = |text: &str| text.split("    s3:\n").next().map(ToOwned::to_owned);
    assert_eq!(before_s3(&written), before_s3(&committed));
    for line in [
        "      - example-artefacts-staging-models\n",
        "      - example-artefacts-staging-reports\n",
    ] {
        assert!(written.contains(line) && committed.contains(line), "{written}");
    }
}
