//! `mlplat verify`: what it says is what the client then does.

use crate::cases::{Changed, case};
use crate::clients::{Answer, is_kubectl, kubectls, kustomizes, mlplat, outermost, run};
use harness::program::binaries;
use std::path::Path;
use std::process::Command;

/// A function, whose way of being run the test writes into its configuration.
fn listed_as(way: &str) -> Changed {
    Changed::file("set-environment/exec/set-environment.yaml", |text| match way {
        "exec" => text + "# by exec\n",
        "plugin" => {
            let (start, end) = (
                text.find("  annotations:").expect("it has one"),
                text.find("spec:").expect("it has one"),
            );
            format!("{}{}", &text[..start], &text[end..])
        }
        other => text.replace("exec: {path: set-environment}", other),
    })
}

/// Where the functions are and nothing else: no Docker.
fn without_docker(command: &mut Command) -> &mut Command {
    command
        .env("PATH", binaries())
        .env("HOME", "/nonexistent")
        .env_remove("KUSTOMIZE_PLUGIN_HOME")
        .env_remove("XDG_CONFIG_HOME")
}

fn build(client: &Path, flags: &[&str], folder: &Path) -> Answer {
    let kubectl = is_kubectl(client);
    let mut command = Command::new(client);
    command
        .arg(if kubectl { "kustomize" } else { "build" })
        .args(flags)
        .arg(folder);
    run(without_docker(&mut command), "")
}

fn verify(client: &Path, flags: &[&str], folder: &Path) -> Answer {
    let mut command = Command::new(harness::mlplat());
    command
        .args(["verify", "--client"])
        .arg(client)
        .arg(format!("--flags={}", flags.join(" ")))
        .arg(folder);
    run(without_docker(&mut command), "")
}

#[test]
fn it_says_before_what_every_client_does_with_a_function() {
    for client in &outermost() {
        let kubectl = is_kubectl(client);
        let mut with: Vec<&[&str]> = vec![&[], &["--enable-alpha-plugins"]];
        if !kubectl {
            with.push(&["--enable-alpha-plugins", "--enable-exec"]);
        }
        for way in [
            "exec",
            "plugin",
            "exec: {path: ./nowhere}",
            "exec: {path: is-nowhere-in-path}",
            "exec: {path: ./kustomization.yaml}",
            "container: {image: mlplat/set-environment:0.1.0}",
        ] {
            let changed = listed_as(way);
            let folder = changed.case("set-environment/exec");
            for flags in &with {
                let (built, said) = (build(client, flags, &folder), verify(client, flags, &folder));
                let ran = built.ok && built.stdout.contains("mirror.example.test");
                let expected = if ran {
                    "runs it"
                } else if built.ok {
                    "is skipped without a word"
                } else {
                    "fails the build"
                };
                let what = format!(
                    "{way} by {} {flags:?}:\n{}{}",
                    client.display(),
                    said.stdout,
                    said.stderr
                );
                assert!(
                    said.stdout.contains(expected),
                    "{expected:?} is not said of {what}\nand the client said:\n{}",
                    built.stderr
                );
                assert_eq!(said.ok, ran, "{what}");
                assert!(ran || said.stdout.contains("To fix: "), "{what}");
            }
        }
    }
}

#[test]
fn a_container_without_docker_is_named_with_its_image() {
    let changed = listed_as("container: {image: mlplat/set-environment:0.1.0}");
    for client in &outermost() {
        let said = verify(
            client,
            &["--enable-alpha-plugins"],
            &changed.case("set-environment/exec"),
        );
        let words = "fails the build under";
        let why = "`docker`, which runs mlplat/set-environment:0.1.0, is not in PATH. To fix: install Docker, or run the function \
                   by `exec`";
        assert!(
            !said.ok && said.stdout.contains(words) && said.stdout.contains(why),
            "{}",
            said.stdout
        );
        assert_eq!(said.stdout.lines().count(), 1, "{}", said.stdout);
    }
}

#[test]
fn a_function_that_would_be_skipped_is_named_with_its_kustomization() {
    let kubectl = kubectls().pop().expect("there is one at least");
    let folder = case("chain/exec");
    let said = verify(&kubectl, &["--enable-alpha-plugins"], &folder);
    let place = folder.join("kustomization.yaml").display().to_string();
    let line = format!(
        "{place}: transformers: inject-endpoints.yaml (InjectEndpoints inject-endpoints): is skipped without a word under \
         kubectl: kubectl runs no function by `exec`. To fix: build with `mlplat render`, which runs it under kubectl too, or with \
         kustomize\n"
    );
    assert!(said.stdout.contains(&line), "{}", said.stdout);
    assert_eq!(said.stdout.lines().count(), 4, "{}", said.stdout);
    assert!(!said.ok);
}

#[test]
fn functions_in_bases_components_and_folders_are_found() {
    let kubectl = kubectls().pop().expect("there is one at least");
    let changed = Changed::file("chain/exec/kustomization.yaml", |_| {
        "resources: [../../set-environment/exec, to-come.yaml]\n".to_owned()
    });
    let said = verify(&kubectl, &["--enable-alpha-plugins"], &changed.case("chain/exec"));
    assert!(
        said.stdout
            .contains("set-environment/exec/kustomization.yaml: transformers: set-environment.yaml"),
        "{}",
        said.stdout
    );
    // What Terraform has not written yet, or a URL.
    assert!(
        said.stdout.contains(
            "chain/exec/kustomization.yaml: to-come.yaml is no file or folder here. To fix: correct the path, or run \
                       `terraform apply`"
        ),
        "{}",
        said.stdout
    );
    // A folder may take the annotation away, as for plugins.
    let client = kubectl.to_str().expect("a path in UTF-8");
    let said = mlplat(
        &["verify", "--unrestricted", "--client", client],
        &[&case("set-environment/plugin")],
    );
    assert!(
        said.stdout.contains("there is no plugin "),
        "{}{}",
        said.stdout,
        said.stderr
    );
}

#[test]
fn environments_may_differ_where_the_contract_says_and_nowhere_else() {
    let (one, other) = (case("validate-practices/exec"), case("set-environment/exec"));
    let differ = Changed::file("set-environment/exec/kustomization.yaml", |text| {
        text + "patches:\n  - target: {kind: Deployment}\n    patch: '[{\"op\": \"add\", \"path\": \"/spec/template/spec/hostNetwork\", \"value\": true}]'\n"
    });
    let other_changed = differ.case("set-environment/exec");
    let parity = case("validate-parity/exec/validate-parity.yaml");
    let flags = tempfile::NamedTempFile::new().expect("a temporary file");
    let text = std::fs::read_to_string(parity).expect("the case is there");
    // What set-environment makes needs no exception.
    let (text, _) = text.split_once("  allow:").expect("the case has an exception");
    let text: String = text
        .lines()
        .filter(|line| !line.contains("against:") && !line.contains("output:"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(flags.path(), text).expect("a temporary file");
    let compare = |folders: [&Path; 2]| {
        mlplat(
            &[
                "verify",
                "--parity",
                flags.path().to_str().expect("UTF-8"),
                "--client",
                kustomizes()[0].to_str().expect("UTF-8"),
            ],
            &folders,
        )
    };

    let same = compare([&one, &other]);
    assert!(
        same.ok && same.stdout.ends_with("differ only where environments may\n"),
        "{}{}",
        same.stdout,
        same.stderr
    );
    let found = compare([&one, &other_changed]);
    assert!(!found.ok);
    assert!(
        found
            .stdout
            .contains("spec.template.spec.hostNetwork: is missing here and is true in "),
        "{}{}",
        found.stdout,
        found.stderr
    );
    assert_eq!(found.stdout.matches("error: ").count(), 1, "{}", found.stdout);
}

#[test]
fn by_default_it_looks_at_mlplat_render() {
    let kubectl = kubectls().pop().expect("there is one at least");
    let programs = tempfile::tempdir().expect("a temporary folder");
    std::os::unix::fs::symlink(kubectl, programs.path().join("kubectl")).expect("a link of the test");
    let verify = |path: &Path, folder: &str| {
        let mut command = Command::new(harness::mlplat());
        command
            .arg("verify")
            .arg(case(folder))
            .env("PATH", path)
            .env("HOME", "/nonexistent");
        run(&mut command, "")
    };
    // Only kubectl is there, which runs no function by `exec` itself. The functions are beside mlplat.
    let said = verify(programs.path(), "set-environment/exec");
    assert!(
        said.ok && said.stdout.ends_with(": 1 function, and mlplat render runs it\n"),
        "{said:?}"
    );
    let said = verify(programs.path(), "chain/exec");
    assert!(
        said.ok && said.stdout.ends_with(" functions, and mlplat render runs them all\n"),
        "{said:?}"
    );
    let said = verify(programs.path(), "set-environment/pipe");
    assert!(
        said.ok && said.stdout.ends_with(": no functions are listed\n"),
        "{said:?}"
    );
    let nothing = tempfile::tempdir().expect("a temporary folder");
    verify(nothing.path(), "set-environment/exec")
        .is_refused("mlplat: neither kustomize nor kubectl is in PATH. To fix: install kustomize");
}
