//! What `make demo` refuses before it begins. That it works is `make demo-test`.

use harness::program::{binaries, binary, repository, script, terraform, tool};
use harness::project::run;
use std::process::Command;

#[test]
fn a_taken_port_is_named_with_its_holder_before_anything_is_made() {
    binary("artefact-store");
    // The page's server, in a network of its own.
    let script = r#"
ip link set lo up
PORT=8080 CONTENT_DIR=examples/infrastructure/kubernetes/base/frontend BACKEND_URL=http://127.0.0.1:1 artefact-store frontend >/dev/null 2>&1 &
holder=$!
trap 'kill $holder' EXIT
until (exec 3<>/dev/tcp/127.0.0.1/8080) 2>/dev/null; do kill -0 $holder || exit 9; sleep 0.05; done
examples/infrastructure/demo up"#;
    let path = format!("{}:{}", binaries().display(), std::env::var("PATH").unwrap_or_default());
    let mut demo = Command::new("unshare");
    demo.args(["--user", "--map-root-user", "--net", "bash", "-c", script]);
    demo.current_dir(repository())
        .env("PATH", path)
        .env("TERRAFORM", terraform());
    let refused = run(&mut demo).fails_with(&[
        "error: port 8080",
        "is taken",
        "artefact-store",
        "To fix: end what listens there",
    ]);
    assert!(!refused.text.contains("Layer 1"), "{}", refused.text);
}

#[test]
fn a_missing_terraform_is_named() {
    let mut demo = Command::new(repository().join("examples/infrastructure/demo"));
    demo.arg("up").env("TERRAFORM", "/nowhere/terraform");
    run(&mut demo).fails_with(&["neither terraform nor tofu is in PATH", "To fix: install"]);
}

/// A folder of programs: real ones from PATH, and scripts.
fn programs(real: &[&str], scripts: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in real {
        let path = tool(name, "it is a part of every system");
        std::os::unix::fs::symlink(path, folder.path().join(name)).expect("the folder is new");
    }
    for (name, text) in scripts {
        script(&folder.path().join(name), text);
    }
    folder
}

/// What a shell script of ours calls before it decides.
const BASICS: [&str; 10] = [
    "bash", "dirname", "sed", "sort", "head", "ss", "tail", "tr", "cut", "df",
];

#[test]
fn what_is_missing_is_named_before_anything_is_built() {
    for (scripts, said) in [
        (
            &[("terraform", "echo Terraform v1.9.8")][..],
            "terraform is version 1.9.8, which is too old",
        ),
        (
            &[("terraform", "echo Terraform v1.11.0")],
            "neither kustomize, nor kubectl, nor Go",
        ),
    ] {
        let folder = programs(&BASICS, scripts);
        let mut demo = Command::new(repository().join("examples/infrastructure/demo"));
        demo.arg("needs")
            .env("PATH", folder.path())
            .env("TERRAFORM", "terraform");
        run(&mut demo).fails_with(&[said, "To fix: install"]);
    }
}
