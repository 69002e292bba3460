//! Two configurations and one stack: whoever did not make it can neither plan, change nor destroy it.

use crate::{CACHE, PAIR, THIS, nothing_is_left, pids};
use harness::project::Output;
use harness::{Project, terraform};
use std::fs;
use std::path::PathBuf;

/// A second folder with this configuration, on the same machine and for the same user.
fn folder(project: &Project, name: &str, configuration: &str) -> PathBuf {
    let folder = project.path(name);
    fs::create_dir_all(&folder).expect("a folder");
    let main = fs::read_to_string(project.path("main.tf")).expect("the first configuration");
    let (head, _) = main.split_once("resource ").expect("a resource");
    fs::write(folder.join("main.tf"), format!("{head}{configuration}")).expect("written");
    folder
}

/// Terraform there.
fn there(project: &Project, folder: &PathBuf, arguments: &[&str]) -> Output {
    let mut command = project.command(&terraform());
    harness::project::run(command.current_dir(folder).args(arguments))
}

const APPLY: [&str; 3] = ["apply", "-auto-approve", "-no-color"];
const DESTROY: [&str; 3] = ["destroy", "-auto-approve", "-no-color"];

#[test]
fn a_second_folder_with_the_same_name_loses_nothing_of_the_first() {
    let project = Project::new(PAIR);
    project.apply();
    let before = pids(&project, "pair");
    let own = project
        .folder()
        .canonicalize()
        .expect("it exists")
        .display()
        .to_string();
    for (name, other) in [
        (
            "fewer",
            "resource \"mlplat_local_services\" \"this\" {\n  name = \"pair\"\n  redis = {}\n}\n",
        ),
        ("same", PAIR),
    ] {
        let second = folder(&project, name, other);
        let words = ["another configuration has it", &own, "terraform import ADDRESS pair"];
        there(&project, &second, &["plan", "-no-color"]).fails_with(&words);
        there(&project, &second, &APPLY).fails_with(&words);
        there(&project, &second, &DESTROY).success();
    }
    assert_eq!(before, pids(&project, "pair"));
    project.plans_nothing();
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn a_second_workspace_is_refused_too() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");
    project.terraform(&["workspace", "new", "two"]).success();
    project
        .plan()
        .fails_with(&["another configuration has it", "workspace \"default\""]);
    project.apply_with(&[]).fails_with(&["another configuration has it"]);
    project.destroy();
    assert_eq!(before, pids(&project, "cache"));
    project.terraform(&["workspace", "select", "default"]).success();
    project.plans_nothing();
}

#[test]
fn two_resources_with_one_name_do_not_share_a_stack() {
    let twin = CACHE.replace("\"this\"", "\"twin\"");
    let project = Project::new(&format!("{CACHE}{twin}"));
    project
        .apply_with(&[])
        .fails_with(&["another `mlplat_local_services` of this configuration"]);
    let before = pids(&project, "cache");
    // One of them is in the state now, and a plan of both says it again.
    project
        .plan()
        .fails_with(&["another `mlplat_local_services` of this configuration"]);
    assert_eq!(before, pids(&project, "cache"));
}

#[test]
fn a_renamed_resource_keeps_its_stack() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");
    let renamed = CACHE.replace("\"this\"", "\"main\"");
    project.configure(&renamed);
    project.plan().fails_with(&["`moved` block"]);
    project.configure(&format!(
        "{renamed}moved {{\n  from = {THIS}\n  to = mlplat_local_services.main\n}}\n"
    ));
    let applied = project.apply();
    assert!(
        applied.text.contains("0 added, 0 changed, 0 destroyed"),
        "{}",
        applied.text
    );
    project.plans_nothing();
    assert_eq!(before, pids(&project, "cache"));
}

#[test]
fn a_moved_project_folder_keeps_its_stack() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");
    let moved = folder(&project, "moved", CACHE);
    fs::rename(project.path("terraform.tfstate"), moved.join("terraform.tfstate")).expect("moved");
    let larger = CACHE.replace("redis = {}", "redis = { maxmemory_mb = 64 }");
    there(&project, &moved, &["plan", "-no-color", "-detailed-exitcode"]).success();
    folder(&project, "moved", &larger);
    there(&project, &moved, &APPLY).success();
    assert_ne!(before, pids(&project, "cache"));
    there(&project, &moved, &DESTROY).success();
    nothing_is_left(&project);
}

#[test]
fn an_import_takes_a_stack_over_and_the_first_configuration_is_told() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");
    let second = folder(&project, "second", CACHE);
    there(&project, &second, &["import", "-no-color", THIS, "cache"]).success();
    let heir = second.canonicalize().expect("it exists").display().to_string();
    project
        .plan()
        .fails_with(&["managed by another configuration by now", &heir, "terraform state rm"]);
    // Without a look before, it leaves the state, and nothing else happens.
    let gone = project
        .terraform(&["destroy", "-auto-approve", "-no-color", "-refresh=false"])
        .success();
    assert!(
        gone.text.contains("The local services were left as they are"),
        "{}",
        gone.text
    );
    there(&project, &second, &["plan", "-no-color", "-detailed-exitcode"]).success();
    assert_eq!(before, pids(&project, "cache"));
    there(&project, &second, &DESTROY).success();
    nothing_is_left(&project);
}

/// The new one is created in the folder of the old one, which is destroyed afterwards: the stack goes on.
#[test]
fn create_before_destroy_in_one_folder_deletes_no_data() {
    let project = Project::new(&CACHE.replace(
        "redis = {}",
        "redis = {}\n  lifecycle {\n    create_before_destroy = true\n  }",
    ));
    project.apply();
    let before = pids(&project, "cache");
    let replaced = project.apply_with(&[&format!("-replace={THIS}")]).success();
    assert!(
        replaced.text.contains("The local services were left as they are"),
        "{}",
        replaced.text
    );
    assert_eq!(before, pids(&project, "cache"));
    project.plans_nothing();
    project.destroy();
    nothing_is_left(&project);
}

#[test]
fn what_is_replaced_is_destroyed_before_and_made_again() {
    let project = Project::new(CACHE);
    project.apply();
    let before = pids(&project, "cache");
    project.apply_with(&[&format!("-replace={THIS}")]).success();
    project.terraform(&["taint", THIS]).success();
    project.apply();
    assert_ne!(before, pids(&project, "cache"));
    project.plans_nothing();
    project.destroy();
    nothing_is_left(&project);
}
