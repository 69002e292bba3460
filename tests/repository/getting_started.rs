//! The guide "Getting started", done as it is written: its files, its commands, under the real programs.

use crate::with_functions;
use harness::program::{kustomize, tool};
use harness::project::{Output, run};
use harness::{Project, mlplat, repository, terraform};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// The files that the guide shows: a line that begins with the path in backticks, then a block that is no command.
fn files(page: &str) -> Vec<(String, String)> {
    let mut lines = page.lines();
    let mut named = None;
    let mut files = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let is_file = !line.ends_with("sh") && !line.ends_with("text");
            if let Some(path) = named.take().filter(|_| is_file) {
                files.push((path, block.join("\n") + "\n"));
            }
        } else if let Some(path) = line.split('`').nth(1).filter(|path| path.contains('/')) {
            named = line.starts_with('`').then(|| path.to_owned()).or(named);
        }
    }
    files
}

/// A project with the guide's files.
fn followed() -> Project {
    let page = fs::read_to_string(repository().join("docs/guides/getting-started.md")).expect("the guide");
    let project = Project::new("");
    fs::remove_file(project.path("main.tf")).expect("the guide has its own");
    let files = files(&page);
    let names: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        names,
        [
            "terraform/main.tf",
            "overlay/deployment.yaml",
            "overlay/inject-endpoints.yaml",
            "overlay/kustomization.yaml"
        ]
    );
    for (path, text) in files {
        let file = project.path(&path);
        fs::create_dir_all(file.parent().expect("it lies in a folder")).expect("a folder of the test");
        fs::write(file, text).expect("a file of the test");
    }
    project
}

fn succeed(command: &mut Command) -> Output {
    run(command).success()
}

/// Whoever applies before the next files are written has the folder already.
#[test]
fn the_guide_makes_its_folders_before_it_applies() {
    let page = fs::read_to_string(repository().join("docs/guides/getting-started.md")).expect("the guide");
    let made = page.find("mkdir -p terraform overlay").expect("the folders");
    assert!(made < page.find("terraform -chdir=terraform apply").expect("the apply"));
}

#[test]
fn the_guide_leads_to_a_program_with_its_variables() {
    let project = followed();
    let apply = ["-chdir=terraform", "apply", "-auto-approve", "-no-color"];
    succeed(project.command(&terraform()).args(apply));
    project.mlplat(&["status", "demo"]).success();

    let mut build = project.command(&kustomize());
    build.args(["build", "--enable-alpha-plugins", "--enable-exec", "overlay"]);
    let rendered = succeed(with_functions(&mut build)).text;
    // As the guide does it, with no other client than kubectl in PATH.
    let kubectl = tool(
        "kubectl",
        "install kubectl 1.27 or newer: https://kubernetes.io/docs/tasks/tools/",
    );
    let alone = project.path("alone");
    fs::create_dir(&alone).expect("the folder is new");
    symlink(&kubectl, alone.join("kubectl")).expect("the folder is new");
    let mut render = project.command(&mlplat());
    render
        .args(["render", "overlay"])
        .env("PATH", format!("{}:/usr/bin:/bin", alone.display()));
    assert_eq!(succeed(&mut render).text, rendered);
    project.write("rendered.yaml", &rendered);

    let shown = project.mlplat(&["run", "--print", "-f", "rendered.yaml", "deployment/app"]);
    let shown = shown.success().text;
    for variable in [
        "DATABASE_URL",
        "PGHOST",
        "PGPORT",
        "PGDATABASE",
        "PGUSER",
        "PGPASSWORD",
        "PGSSLMODE",
        "REDIS_URL",
        "REDIS_HOST",
        "REDIS_PORT",
        "REDIS_PASSWORD",
        "S3_ENDPOINT",
        "S3_REGION",
        "S3_FORCE_PATH_STYLE",
        "S3_BUCKET",
        "S3_BUCKETS",
    ] {
        assert!(
            shown.contains(variable),
            "{variable} is in the guide but not in:\n{shown}"
        );
    }
    let program = [
        "run",
        "-f",
        "rendered.yaml",
        "deployment/app",
        "--",
        "sh",
        "-c",
        "echo $PGDATABASE $S3_BUCKET",
    ];
    assert_eq!(project.mlplat(&program).success().text, "app models\n");

    with_kubectl_alone(&project, &kubectl, &rendered);

    project.mlplat(&["down", "demo"]).success();
    succeed(project.command(&terraform()).args(apply));
    succeed(
        project
            .command(&terraform())
            .args(["-chdir=terraform", "destroy", "-auto-approve", "-no-color"]),
    );
    assert!(!project.stack("demo").exists() && !project.path("overlay/endpoints.yaml").exists());
}

/// kubectl in the guide's section "Without `mlplat render`", over the same overlay.
fn with_kubectl_alone(project: &Project, kubectl: &Path, rendered: &str) {
    let mut skipping = project.command(kubectl);
    skipping.args(["kustomize", "--enable-alpha-plugins", "overlay"]);
    let skipped = succeed(&mut skipping).text;
    project.write("skipped.yaml", &skipped);
    let refused = project.mlplat(&["run", "-f", "skipped.yaml", "deployment/app", "--", "true"]);
    refused.fails_with(&[
        "CreateContainerConfigError: configmap \"mlplat-endpoints\" not found",
        "To fix",
    ]);

    let function = mlplat().with_file_name("inject-endpoints");
    let mut behind = project.command(&function);
    behind.args([
        "--config",
        "overlay/inject-endpoints.yaml",
        "--with",
        "overlay/endpoints.yaml",
    ]);
    behind.stdin(fs::File::open(project.path("skipped.yaml")).expect("it was written"));
    project.write("piped.yaml", &succeed(&mut behind).text);
    let program = [
        "run",
        "-f",
        "piped.yaml",
        "deployment/app",
        "--",
        "sh",
        "-c",
        "echo $PGDATABASE",
    ];
    assert_eq!(project.mlplat(&program).success().text, "app\n");

    let config = project.path("overlay/inject-endpoints.yaml");
    let text = fs::read_to_string(&config).expect("it was written");
    let (head, rest) = text.split_once("  annotations:\n").expect("an annotation");
    let spec = rest.find("spec:").expect("a spec");
    fs::write(&config, format!("{head}{}", &rest[spec..])).expect("a file of the test");
    let plugin = project.path("plugins/mlplat.dev/v1alpha1/injectendpoints");
    fs::create_dir_all(&plugin).expect("a folder of the test");
    symlink(function, plugin.join("InjectEndpoints")).expect("a new link");
    let mut plugged = project.command(kubectl);
    plugged
        .args(["kustomize", "--enable-alpha-plugins", "overlay"])
        .env("KUSTOMIZE_PLUGIN_HOME", project.path("plugins"));
    assert_eq!(succeed(&mut plugged).text, rendered);
    fs::write(Path::new(&config), text).expect("a file of the test");
}
