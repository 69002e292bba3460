//! The overlays of the examples under every client: one set of bases in every environment.

use crate::cases::{case, copy};
use crate::clients::{
    exec_by, is_kubectl, kubectl_plugin, kubectls, kustomize_exec, kustomizes, mlplat, objects, outermost, pipe, run,
};
use harness::program::repository;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// The way of an application: the same command for each of them, and no change in a base.
const PATH: [&str; 4] = ["local", "dev", "staging", "prod"];

/// A copy of the examples' Kubernetes tree, with what terraform apply writes into the overlay `local`.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().expect("a temporary folder"));
        copy(&repository().join("examples/infrastructure/kubernetes"), tree.0.path());
        for file in ["endpoints.yaml", "secret.yaml"] {
            let to = tree.overlay("local").join("contract").join(file);
            fs::copy(case("overlays").join(file), to).expect("the copy can be written");
        }
        tree
    }

    fn overlay(&self, name: &str) -> PathBuf {
        self.0.path().join("overlays").join(name)
    }

    /// The same with the functions as kubectl's plugins: their configurations lose the annotation.
    fn for_plugins() -> Self {
        let tree = Self::new();
        for overlay in PATH.into_iter().chain(["local-host"]) {
            for file in files(&tree.overlay(overlay)) {
                let text = fs::read_to_string(&file).expect("a configuration");
                let Some((head, annotated)) = text.split_once("  annotations:\n") else {
                    continue;
                };
                let (_, rest) = annotated.split_once("\nspec:\n").expect("a configuration has a spec");
                fs::write(&file, format!("{head}spec:\n{rest}")).expect("the copy can be written");
            }
        }
        tree
    }

    /// What kustomize renders.
    fn rendered(&self, overlay: &str) -> String {
        kustomize_exec(&self.overlay(overlay)).rendered()
    }
}

#[test]
fn every_overlay_renders_the_same_under_kustomize_and_kubectl() {
    let (exec, plugins) = (Tree::new(), Tree::for_plugins());
    for overlay in PATH.into_iter().chain(["local-host"]) {
        let rendered = exec.rendered(overlay);
        assert!(rendered.contains("name: DATABASE_URL") && rendered.contains("mlplat.dev/made-by: inject-endpoints"));
        for client in kubectls().into_iter().chain(kustomizes()) {
            let other = kubectl_plugin(&client, &plugins.overlay(overlay)).rendered();
            assert_eq!(other, rendered, "{overlay} under {}", client.display());
        }
        let oldest = &kustomizes()[1];
        let other = exec_by(oldest, &exec.overlay(overlay)).rendered();
        assert_eq!(other, rendered, "{overlay} under {}", oldest.display());
    }
}

#[test]
fn the_way_to_prod_is_one_pipe_under_every_client() {
    let (tree, exec) = (Tree::new(), Tree::new());
    for overlay in PATH {
        let folder = tree.overlay(overlay);
        let file = folder.join("kustomization.yaml");
        let text = fs::read_to_string(&file).expect("a kustomization");
        let (without, _) = text.split_once("transformers:\n").expect("it lists functions");
        fs::write(&file, without).expect("the copy can be written");
        let expected = objects(&exec.rendered(overlay));
        let contract = folder.join("contract/endpoints.yaml");
        for client in outermost() {
            let mut build = Command::new(&client);
            build
                .arg(if is_kubectl(&client) { "kustomize" } else { "build" })
                .arg(&folder);
            let mut stream = run(&mut build, "").rendered();
            for (function, with) in [
                ("inject-endpoints", Some(&contract)),
                ("set-environment", None),
                ("generate-network-policies", Some(&contract)),
            ] {
                let config = folder.join(format!("{function}.yaml"));
                stream = pipe(function, &config, with.map(PathBuf::as_path), &stream).rendered();
            }
            let config = folder.join("validate-practices.yaml");
            pipe("validate-practices", &config, None, &stream).rendered();
            assert_eq!(objects(&stream), expected, "{overlay} under {}", client.display());
        }
    }
}

#[test]
fn the_way_to_prod_is_one_command_under_every_client() {
    let tree = Tree::new();
    for overlay in PATH {
        let rendered = tree.rendered(overlay);
        for client in outermost() {
            let client = client.to_str().expect("a path in UTF-8");
            let other = mlplat(&["render", "--client", client], &[&tree.overlay(overlay)]).rendered();
            assert_eq!(other, rendered, "{overlay} under {client}");
        }
    }
}

#[test]
fn verify_takes_the_whole_way_and_names_what_kubectl_would_skip() {
    let tree = Tree::new();
    let overlays = PATH.map(|overlay| tree.overlay(overlay));
    let overlays: Vec<&Path> = overlays.iter().map(PathBuf::as_path).collect();
    let parity = tree.0.path().join("parity.yaml").display().to_string();
    let clients = outermost();
    let kustomize = clients[0].to_str().expect("a path in UTF-8");
    let answer = mlplat(&["verify", "--client", kustomize, "--parity", &parity], &overlays);
    assert!(answer.ok, "{}{}", answer.stdout, answer.stderr);
    let kubectl = clients[3].to_str().expect("a path in UTF-8");
    let answer = mlplat(&["verify", "--client", kubectl], &overlays[3..]);
    assert!(!answer.ok);
    assert_eq!(
        answer.stdout.matches("is skipped without a word under kubectl").count(),
        4,
        "{}",
        answer.stdout
    );
}

#[test]
fn passwords_stand_in_the_secret_and_nowhere_else() {
    let tree = Tree::new();
    for overlay in ["local", "local-host"] {
        let rendered = tree.rendered(overlay);
        let with_canary = rendered
            .split("---\n")
            .filter(|document| document.contains("canary"))
            .count();
        assert_eq!(with_canary, 1, "{overlay}:\n{rendered}");
    }
    for overlay in ["dev", "staging", "prod"] {
        let rendered = tree.rendered(overlay);
        assert!(
            !rendered.contains("kind: Secret\n"),
            "{overlay} renders a Secret:\n{rendered}"
        );
        assert!(
            rendered.contains("kind: ExternalSecret\n"),
            "{overlay} has no credentials:\n{rendered}"
        );
        // The pods' own role gives access to S3.
        assert!(
            !rendered.contains("AWS_ACCESS_KEY_ID"),
            "{overlay} asks for an access key:\n{rendered}"
        );
    }
}

#[test]
fn environments_differ_only_where_the_contract_and_the_list_of_differences_say() {
    let tree = Tree::new();
    let clients = outermost();
    let kustomize = clients[0].to_str().expect("a path in UTF-8");
    let rendered = PATH.map(|overlay| {
        let file = tree.0.path().join(format!("{overlay}.yaml"));
        let text = mlplat(
            &["render", "--for-parity", "--client", kustomize],
            &[&tree.overlay(overlay)],
        )
        .rendered();
        assert!(
            text.starts_with(&tree.rendered(overlay)),
            "{overlay}: the rendered objects come first"
        );
        fs::write(&file, text).expect("a file of the test");
        file
    });
    for pair in rendered
        .windows(2)
        .chain([&[rendered[0].clone(), rendered[3].clone()][..]])
    {
        let here = fs::read_to_string(&pair[0]).expect("just written");
        let parity = tree.0.path().join("parity.yaml");
        let answer = pipe("validate-parity", &parity, Some(&pair[1]), &here);
        assert!(
            answer.ok,
            "{} and {}:\n{}",
            pair[0].display(),
            pair[1].display(),
            answer.stderr
        );
    }
}

/// Without any configuration; and what a patch does is found, though the function of the other overlay sets the same field.
#[test]
fn verify_tells_what_mlplat_makes_from_what_an_overlay_patches() {
    let tree = Tree::new();
    let folders = [tree.overlay("local"), tree.overlay("prod")];
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    let clients = outermost();
    let kustomize = clients[0].to_str().expect("a path in UTF-8");
    let well = mlplat(&["verify", "--client", kustomize], &folders);
    assert!(well.ok, "{}{}", well.stdout, well.stderr);
    let file = tree.overlay("prod").join("kustomization.yaml");
    let text = fs::read_to_string(&file).expect("a kustomization");
    let patch = "patches:\n- target: {kind: Deployment, name: backend}\n  patch: |\n    - {op: replace, path: \
                 /spec/template/spec/containers/0/image, value: 'artefact-store:9'}\n    - {op: add, path: \
                 /spec/template/spec/priorityClassName, value: high}\n- target: {kind: Deployment, name: frontend}\n  patch: \
                 |\n    - {op: replace, path: /spec/replicas, value: 7}\n";
    fs::write(&file, format!("{text}{patch}")).expect("the copy can be written");
    let found = mlplat(&["verify", "--client", kustomize], &folders);
    let says = |words: &str| {
        let lines = found.stdout.lines().filter(|line| line.contains(words)).count();
        assert_eq!(lines, 1, "{words}:\n{}{}", found.stdout, found.stderr);
    };
    assert!(!found.ok);
    says("spec.template.spec.containers[backend].image: is artefact-store:");
    says("priorityClassName: is missing here and is high");
    says("error: Deployment artefact-store/frontend");
    // A policy that the function has made, and that something opens afterwards.
    fs::write(&file, &text).expect("the copy can be written");
    let opened = tree.overlay("opened");
    fs::create_dir(&opened).expect("a folder of the test");
    let above = "resources: [../prod]\npatches:\n- target: {kind: NetworkPolicy, name: backend-deployment-endpoints}\n  patch: \
                 |\n    - {op: add, path: /spec/egress/-, value: {}}\n";
    fs::write(opened.join("kustomization.yaml"), above).expect("a kustomization of the test");
    let folders = [folders[0], opened.as_path()];
    let found = mlplat(&["verify", "--client", kustomize], &folders);
    let line = found
        .stdout
        .lines()
        .find(|line| line.contains("backend-deployment-endpoints"));
    assert!(!found.ok && line.is_some(), "{}{}", found.stdout, found.stderr);
}

#[test]
fn no_overlay_holds_a_patch_and_the_way_to_prod_changes_no_base() {
    let bases = repository().join("examples/infrastructure/kubernetes/base");
    for overlay in PATH.into_iter().chain(["local-host"]) {
        let folder = repository()
            .join("examples/infrastructure/kubernetes/overlays")
            .join(overlay);
        let kustomization = fs::read_to_string(folder.join("kustomization.yaml")).expect("a kustomization");
        for word in [
            "patches",
            "patchesStrategicMerge",
            "patchesJson6902",
            "replacements",
            "images:",
            "replicas:",
        ] {
            assert!(!kustomization.contains(word), "{overlay} has {word}");
        }
        assert!(
            kustomization.contains("  - ../../base\n"),
            "{overlay} deploys the bases"
        );
        for file in files(&folder) {
            let text = fs::read_to_string(&file).expect("a file");
            let ours = text.contains("apiVersion: mlplat.dev/v1alpha1") || text.contains("kind: Kustomization");
            assert!(
                ours,
                "{} is neither a kustomization nor a function's configuration",
                file.display()
            );
        }
    }
    let tree = Tree::new();
    for overlay in PATH {
        tree.rendered(overlay);
    }
    let copied = tree.0.path().join("base");
    for file in files(&bases) {
        let same = copied.join(file.strip_prefix(&bases).expect("a file of the bases"));
        assert_eq!(
            fs::read(&file).expect("a file"),
            fs::read(&same).expect("its copy"),
            "{}",
            file.display()
        );
    }
}

/// The YAML files directly in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("a folder's entries can be read").path())
        .filter(|path| path.extension().is_some_and(|is| is == "yaml"))
        .collect();
    files.sort();
    files
}
