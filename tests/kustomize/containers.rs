//! The functions as containers, by a real Docker engine: the same as by exec, from images that nobody pulled.

use crate::cases::{Changed, case};
use crate::clients::{Answer, FUNCTIONS, is_kubectl, kustomize_exec, kustomize_plain, outermost, path, run};
use harness::docker::Docker;
use harness::program::binary;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Every function's image in a new engine.
fn engine() -> (Docker, tempfile::TempDir) {
    let images = tempfile::tempdir().expect("a temporary folder");
    let programs = FUNCTIONS.map(|(name, _)| format!("mlplat/{name}={}", binary(name).display()));
    let output = Command::new(binary("images"))
        .arg("--out")
        .arg(images.path())
        .args(programs)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let docker = Docker::start();
    for (name, _) in FUNCTIONS {
        docker.load(&images.path().join(format!("{name}.tar")));
    }
    (docker, images)
}

/// A case whose function is a container; `exec` in the folder's name is what it is copied from.
fn as_container(name: &str) -> Changed {
    let function = if name == "chain" { "inject-endpoints" } else { name };
    Changed::file(&format!("{name}/exec/{function}.yaml"), |text| {
        let text = text.replace(
            &format!("exec: {{path: {function}}}"),
            &format!("container: {{image: mlplat/{function}:0.1.0}}"),
        );
        // A container sees its objects only, no file of this machine.
        text.lines()
            .filter(|line| !line.trim_start().starts_with("against:"))
            .map(|line| format!("{line}\n"))
            .collect()
    })
}

fn build(docker: &Docker, client: &Path, folder: &Path) -> Answer {
    let kubectl = is_kubectl(client);
    let mut command = Command::new(client);
    command
        .args(if kubectl {
            ["kustomize", "--load-restrictor"]
        } else {
            ["build", "--load-restrictor"]
        })
        .args(["LoadRestrictionsNone", "--enable-alpha-plugins"])
        .arg(folder)
        .env("DOCKER_HOST", docker.host())
        .env("PATH", path());
    run(&mut command, "")
}

/// A client that finds this engine and the functions.
fn with<'a>(command: &'a mut Command, docker: &Docker) -> &'a mut Command {
    command.env("DOCKER_HOST", docker.host()).env("PATH", path())
}

#[test]
fn every_client_runs_every_function_in_its_image() {
    let (docker, images) = engine();
    let clients = outermost();
    for name in [
        "inject-endpoints",
        "set-environment",
        "generate-network-policies",
        "validate-practices",
    ] {
        let changed = as_container(name);
        let expected = kustomize_exec(&case(&format!("{name}/exec"))).rendered();
        for client in &clients {
            let rendered = build(&docker, client, &changed.case(&format!("{name}/exec"))).rendered();
            assert_eq!(rendered, expected, "{name} under {}", client.display());
        }
    }
    // mlplat starts them as kustomize does, and so does kpt.
    let changed = as_container("set-environment");
    let expected = kustomize_exec(&case("set-environment/exec")).rendered();
    let folder = changed.case("set-environment/exec");
    let mut render = Command::new(harness::mlplat());
    render.args(["render", "--client"]).arg(&clients[0]).arg(&folder);
    assert_eq!(run(with(&mut render, &docker), "").rendered(), expected);
    let mut eval = Command::new(harness::tool("kpt", "install kpt: https://kpt.dev/installation/"));
    eval.args([
        "fn",
        "eval",
        "--output",
        "unwrap",
        "--image",
        "mlplat/set-environment:0.1.0",
        "--fn-config",
    ])
    .arg(folder.join("set-environment.yaml"))
    .arg("-");
    let input = kustomize_plain(&case("set-environment/pipe")).rendered();
    let answer = run(with(&mut eval, &docker), &input).rendered();
    assert!(answer.contains("mirror.example.test"), "{answer}");

    let package = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| fs::write(package.path().join(name), text).expect("a package can be written");
    write("all.yaml", &input);
    write(
        "set-environment.yaml",
        &fs::read_to_string(folder.join("set-environment.yaml")).expect("it was copied"),
    );
    write(
        "Kptfile",
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: app\npipeline:\n  mutators:\n    \
         - image: mlplat/set-environment:0.1.0\n      configPath: set-environment.yaml\n",
    );
    let mut render = Command::new(harness::tool("kpt", "install kpt: https://kpt.dev/installation/"));
    let answer = run(with(render.args(["fn", "render"]).arg(package.path()), &docker), "");
    assert!(answer.ok, "{}", answer.stderr);
    let all = fs::read_to_string(package.path().join("all.yaml")).expect("it was written");
    assert!(all.contains("mirror.example.test"), "{all}");

    // What it would compare with is a file of this machine, which a container does not see.
    let parity = as_container("validate-parity");
    build(&docker, &clients[0], &parity.case("validate-parity/exec")).is_refused("there is nothing to compare with");
    // Unless it is mounted, from the kustomization's own folder.
    let parity = Changed::file("validate-parity/exec/validate-parity.yaml", |text| {
        text.replace(
            "exec: {path: validate-parity}",
            "container: {image: mlplat/validate-parity:0.1.0, mounts: [{type: bind, src: ./there.yaml, dst: /there.yaml}]}",
        )
        .replace("against: ../../set-environment/expected.yaml", "against: /there.yaml")
    });
    let there = parity.case("validate-parity/exec/there.yaml");
    fs::copy(case("set-environment/expected.yaml"), there).expect("the copy can be written");
    let expected = kustomize_exec(&case("validate-parity/exec")).rendered();
    for client in &clients {
        let rendered = build(&docker, client, &parity.case("validate-parity/exec")).rendered();
        assert_eq!(rendered, expected, "validate-parity under {}", client.display());
    }

    // The kubelet's containerd takes the same archives.
    let archive = images.path().join("inject-endpoints.tar");
    let mut import = Command::new(harness::tool("ctr", ".ci/tools docker"));
    import
        .arg("--address")
        .arg(docker.containerd())
        .args(["--namespace", "k8s.io", "images", "import"])
        .arg(archive);
    let imported = run(&mut import, "").rendered();
    assert!(
        imported.contains("docker.io/mlplat/inject-endpoints:0.1.0"),
        "{imported}"
    );
}
