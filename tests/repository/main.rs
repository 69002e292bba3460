//! The repository agrees with itself: what is documented exists, what exists is documented, examples are valid.
#![allow(clippy::disallowed_methods, reason = "a test driver reads the environment")]

mod demo;
mod getting_started;
mod install;
mod local_environment;

use harness::project::run;
use harness::{Project, mlplat, repository, terraform};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn terraform_files_are_formatted() {
    let mut command = Command::new(terraform());
    run(command
        .args(["fmt", "-check", "-recursive", "-diff"])
        .arg(repository().join("examples")))
    .success();
}

#[test]
fn every_example_of_a_page_is_valid() {
    let mut examples = Vec::new();
    for folder in [
        "provider",
        "resources",
        "data-sources",
        "ephemeral-resources",
        "functions",
    ] {
        files(&repository().join("examples").join(folder), "tf", &mut examples);
    }
    assert!(!examples.is_empty());
    for example in examples {
        let text = fs::read_to_string(&example).expect("an example");
        let project = Project::new("");
        project.write("main.tf", &with_provider(&text));
        let output = project.terraform(&["validate", "-no-color"]);
        assert_eq!(output.code, Some(0), "{}:\n{}", example.display(), output.text);
    }
}

/// What a reader copies from a guide as a whole file has to work as it stands.
#[test]
fn every_whole_configuration_of_a_guide_is_valid() {
    let mut guides = Vec::new();
    files(&repository().join("docs/guides"), "md", &mut guides);
    let mut whole = Vec::new();
    for guide in guides {
        let page = fs::read_to_string(&guide).expect("a guide");
        let blocks = page
            .split("```terraform\n")
            .skip(1)
            .filter_map(|rest| rest.split("\n```").next());
        for block in blocks.filter(|block| block.contains("required_providers")) {
            let project = Project::new("");
            project.write("main.tf", block);
            let output = project.terraform(&["validate", "-no-color"]);
            assert_eq!(output.code, Some(0), "{}:\n{}", guide.display(), output.text);
            whole.push(guide.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    assert!(whole.contains(&"getting-started".to_owned()) && whole.contains(&"into-a-cluster".to_owned()));
}

#[test]
fn every_command_of_mlplat_is_on_its_page() {
    let page = fs::read_to_string(repository().join("docs/guides/command-line.md")).expect("the page");
    let help = run(Command::new(mlplat()).arg("--help")).success().text;
    let (_, commands) = help.split_once("Commands:\n").expect("commands");
    let commands: Vec<&str> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    assert!(commands.len() > 5, "{help}");
    for name in commands {
        assert!(
            page.contains(&format!("`mlplat {name}")),
            "mlplat {name} is not on the page"
        );
    }
}

/// An example shows a resource alone; the provider requirement is added unless it is there.
fn with_provider(example: &str) -> String {
    if example.contains("required_providers") {
        return example.to_owned();
    }
    format!(
        "terraform {{\n  required_providers {{\n    mlplat = {{ source = \"mlplat/mlplat\" }}\n  }}\n}}\n\n{example}"
    )
}

#[test]
fn every_command_of_the_readme_is_a_target() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("a README");
    let makefile = fs::read_to_string(repository().join("Makefile")).expect("a Makefile");
    let named: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("make "))
        .filter_map(|rest| rest.split_whitespace().next())
        .collect();
    assert!(
        named.contains(&"demo") && named.contains(&"test"),
        "the README names the two commands: {named:?}"
    );
    for target in named {
        assert!(
            makefile.contains(&format!("\n{target}:")),
            "make {target} is in the README but not in the Makefile"
        );
    }
}

#[test]
fn every_link_between_pages_leads_somewhere() {
    let mut pages = vec![repository().join("README.md")];
    files(&repository().join("docs"), "md", &mut pages);
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
        {
            if link.is_empty() || link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let target = page.parent().expect("a page lies in a folder").join(link);
            assert!(
                target.exists(),
                "{} links to {link}, which is not there",
                page.display()
            );
        }
    }
}

/// What the process environment decides is on one page.
#[test]
fn every_variable_that_is_read_is_documented() {
    let page = fs::read_to_string(repository().join("docs/guides/command-line.md")).expect("the page");
    let mut sources = Vec::new();
    files(&repository().join("provider/src"), "rs", &mut sources);
    files(&repository().join("provider/tfplug/src"), "rs", &mut sources);
    let mut read = 0;
    for source in sources {
        let text = fs::read_to_string(&source).expect("a source file");
        for name in text.split('"').filter(|name| {
            ["MLPLAT_", "XDG_", "TF_LOG", "KUSTOMIZE_PLUGIN_HOME"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
                && name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_')
        }) {
            // Written for pods; made up by a test; told by mlplat to itself.
            let others = [
                "MLPLAT_ENVIRONMENT",
                "TF_LOG_PROVIDER_MY_CLOUD",
                "MLPLAT_RENDER",
                "MLPLAT_RENDER_EXEC",
            ];
            if others.contains(&name) {
                continue;
            }
            read += 1;
            assert!(
                page.contains(&format!("`{name}")),
                "{name} of {} is not on the page",
                source.display()
            );
        }
    }
    assert!(read > 5);
}

#[test]
fn only_clients_and_aws_resources_name_the_sdk_of_aws() {
    let source = repository().join("provider/src");
    let mut files_of_source = Vec::new();
    files(&source, "rs", &mut files_of_source);
    let mut named = 0;
    for file in files_of_source {
        let text = fs::read_to_string(&file).expect("a source file");
        if !["aws_sdk_", "aws_config::", "aws_smithy_"]
            .iter()
            .any(|sdk| text.contains(sdk))
        {
            continue;
        }
        named += 1;
        let place = file.strip_prefix(&source).expect("it lies there");
        assert!(
            place.starts_with("clients") || place.starts_with("resources/aws"),
            "{} names an SDK of AWS. To fix: move what needs it into clients/ or resources/aws/",
            file.display()
        );
    }
    assert!(named > 0, "the wall looks at the files that name it");
}

#[test]
fn ci_runs_the_test_command_of_the_readme() {
    let ci = fs::read_to_string(repository().join(".ci/run")).expect(".ci/run");
    assert!(ci.lines().any(|line| line == "exec make test"), "{ci}");
}

/// A Secret manifest with real passwords must not be committed by accident.
#[test]
fn git_ignores_what_the_examples_write() {
    let mut configurations = Vec::new();
    files(
        &repository().join("examples/infrastructure/terraform/environments"),
        "tf",
        &mut configurations,
    );
    let mut written = Vec::new();
    for configuration in configurations {
        let text = fs::read_to_string(&configuration).expect("a configuration");
        let folder = configuration.parent().expect("it lies in a folder");
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("secret_file"))
        {
            let path = line.split('"').nth(1).expect("a path in quotes");
            written.push(folder.join(path.replace("${path.module}/", "")));
        }
    }
    assert!(!written.is_empty());
    for path in written {
        let mut git = Command::new("git");
        run(git
            .args(["check-ignore", "--verbose"])
            .arg(&path)
            .current_dir(repository()))
        .success();
    }
}

/// Lets a client find the functions.
fn with_functions(command: &mut Command) -> &mut Command {
    let rest = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(harness::program::binaries()).chain(std::env::split_paths(&rest));
    command.env("PATH", std::env::join_paths(folders).expect("folders without colons"))
}

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|is| is == extension) {
            found.push(path);
        }
    }
    found.sort();
}
