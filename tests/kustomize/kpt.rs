//! The functions under kpt, which sends files as they are and writes them back.

use crate::cases::{case, copy, is_stored};
use crate::clients::{kpt, kustomize_exec, kustomize_plain, objects};
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A package with the application of the cases. A kustomization would be one more object to kpt.
fn package() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(&case("application"), folder.path());
    fs::remove_file(folder.path().join("kustomization.yaml")).expect("it was copied");
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("a package can be written");
}

/// A configuration of the cases, without the annotation that tells kustomize how to run it.
fn config(name: &str) -> String {
    let text = fs::read_to_string(case(&format!("{name}/exec/{name}.yaml"))).expect("the case is there");
    let start = text.find("  annotations:").expect("it has the annotation");
    let end = text.find("spec:").expect("it has a spec");
    format!("{}{}", &text[..start], &text[end..])
}

/// The files are what kustomize prints of the application after set-environment.
#[track_caller]
fn is_set(folder: &Path) {
    let kustomization = fs::read_to_string(case("application/kustomization.yaml")).expect("the case is there");
    write(
        folder,
        "kustomization.yaml",
        &format!("namespace: demo\n{kustomization}"),
    );
    is_stored(
        &case("set-environment/expected.yaml"),
        &kustomize_plain(folder).rendered(),
    );
}

#[test]
fn eval_changes_the_files_as_kustomize_changes_the_objects() {
    let package = package();
    let outside = tempfile::tempdir().expect("a temporary folder");
    write(outside.path(), "config.yaml", &config("set-environment"));
    let config = outside.path().join("config.yaml").display().to_string();
    let answer = kpt(
        &["eval", "--exec", "set-environment", "--fn-config", &config],
        package.path(),
    );
    assert!(answer.ok, "{}", answer.stderr);
    is_set(package.path());
}

#[test]
fn render_runs_a_pipeline_and_a_validator_that_refuses_stops_it() {
    let package = package();
    write(package.path(), "set-environment.yaml", &config("set-environment"));
    write(
        package.path(),
        "validate-practices.yaml",
        &config("validate-practices").replace("  output: None\n", ""),
    );
    write(
        package.path(),
        "Kptfile",
        "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: app\n  annotations:\n    \
         config.kubernetes.io/local-config: \"true\"\npipeline:\n  mutators:\n    - exec: set-environment\n      \
         configPath: set-environment.yaml\n  validators:\n    - exec: validate-practices\n      \
         configPath: validate-practices.yaml\n",
    );
    let before = fs::read_to_string(package.path().join("deployment.yaml")).expect("it was copied");
    let answer = kpt(&["render", "--allow-exec"], package.path());
    assert!(!answer.ok, "set-environment leaves no limit for cpu");
    assert!(
        answer.stderr.contains("container backend has no limit for cpu"),
        "{}",
        answer.stderr
    );
    let after = fs::read_to_string(package.path().join("deployment.yaml")).expect("it was copied");
    assert_eq!(after, before, "a pipeline that fails changes nothing");

    let waived = config("validate-practices").replace("  output: None\n", "").replace(
        "  waivers:\n",
        "  waivers:\n    - {rule: resource-limits, selectors: [{kinds: [Deployment]}], reason: Measured by the cluster., expires: \"2026-06-30\"}\n",
    );
    write(package.path(), "validate-practices.yaml", &waived);
    let answer = kpt(&["render", "--allow-exec"], package.path());
    assert!(answer.ok, "{}", answer.stderr);
    is_set(package.path());
}

/// A kustomization of all files of the folder and a function's configuration; kustomize runs the function.
fn kustomization(folder: &Path, function: Option<&str>) {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder of the test")
        .map(|entry| {
            entry
                .expect("its entries can be read")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| Some(name.as_str()) != function)
        .collect();
    names.sort();
    let function = function.map_or(String::new(), |name| format!("transformers: [{name}]\n"));
    write(
        folder,
        "kustomization.yaml",
        &format!("resources: [{}]\n{function}", names.join(", ")),
    );
}

#[test]
fn what_functions_add_becomes_files() {
    for (name, made) in [
        ("inject-endpoints", "kind: ConfigMap"),
        ("generate-network-policies", "name: backend-deployment-endpoints"),
    ] {
        let (package, exec) = (package(), package());
        let contract = fs::read_to_string(case(&format!("{name}/exec/endpoints.yaml"))).expect("the case is there");
        for folder in [&package, &exec] {
            write(folder.path(), "endpoints.yaml", &contract);
        }
        let file = format!("{name}.yaml");
        fs::copy(case(&format!("{name}/exec/{file}")), exec.path().join(&file)).expect("the case is there");
        kustomization(exec.path(), Some(&file));
        let expected = kustomize_exec(exec.path()).rendered();

        let outside = tempfile::tempdir().expect("a temporary folder");
        write(outside.path(), "config.yaml", &config(name));
        let config = outside.path().join("config.yaml").display().to_string();
        let answer = kpt(&["eval", "--exec", name, "--fn-config", &config], package.path());
        assert!(answer.ok, "{}", answer.stderr);
        kustomization(package.path(), None);
        let rendered = kustomize_plain(package.path()).rendered();
        assert!(rendered.contains(made), "{rendered}");
        assert_eq!(objects(&rendered), objects(&expected), "{name}");
    }
}

#[test]
fn a_package_is_compared_with_another_environment() {
    let (package, original, outside) = (package(), package(), tempfile::tempdir().expect("a temporary folder"));
    kustomization(original.path(), None);
    let there = kustomize_plain(original.path()).rendered();
    let config = outside.path().join("parity.yaml").display().to_string();
    let eval = |against: &str| {
        // No YAML by its name, so that it is no object of the package.
        write(package.path(), "there.txt", against);
        write(
            outside.path(),
            "parity.yaml",
            "apiVersion: mlplat.dev/v1alpha1\nkind: ValidateParity\nmetadata:\n  name: parity\nspec:\n  against: there.txt\n",
        );
        kpt(
            &["eval", "--exec", "validate-parity", "--fn-config", &config],
            package.path(),
        )
    };
    let answer = eval(&there);
    assert!(answer.ok, "{}", answer.stderr);
    let answer = eval(&there.replace("backend:1.2.3", "backend:1.2.4"));
    assert!(!answer.ok);
    let words = "spec.template.spec.containers[backend].image: is registry.example.test/backend:1.2.3 here and";
    assert!(answer.stderr.contains(words), "{}", answer.stderr);
}

#[test]
fn a_validator_leaves_every_byte_of_the_files() {
    let (package, original) = (package(), package());
    let config = case("validate-practices/pipe/validate-practices.yaml")
        .display()
        .to_string();
    let answer = kpt(
        &["eval", "--exec", "validate-practices", "--fn-config", &config],
        package.path(),
    );
    assert!(answer.ok, "{}", answer.stderr);
    for entry in fs::read_dir(original.path()).expect("it was copied") {
        let name = entry.expect("it was copied").file_name();
        let read = |folder: &TempDir| fs::read(folder.path().join(&name)).expect("it was copied");
        assert!(read(&package) == read(&original), "{} was changed", name.display());
    }
}
