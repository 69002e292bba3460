//! `make install` as a user lives with it: no variable is set, and a project goes on working when mlplat is built again.

use harness::program::{binaries, repository};
use harness::project::run;
use harness::{Project, terraform};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A cache that exists already, so that only the provider is at work.
const CONFIGURATION: &str = r#"
resource "mlplat_environment" "this" {
  name          = "given"
  contract_file = "${path.module}/endpoints.yaml"
  endpoints = {
    redis = { host = { address = "127.0.0.1", port = 6379 }, tls = false }
  }
}
"#;

/// A user with a home folder of its own, and nothing set.
struct User {
    project: Project,
    home: PathBuf,
}

impl User {
    fn new() -> Self {
        let project = Project::new(CONFIGURATION);
        let home = project.path("home");
        fs::create_dir(&home).expect("the folder is new");
        Self { project, home }
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = self.project.command(program);
        command.env_remove("TF_CLI_CONFIG_FILE").env("HOME", &self.home);
        command
    }

    fn install(&self, binaries: &Path) -> String {
        let mut command = self.command(&repository().join(".ci/install"));
        command.arg("install").arg(binaries).arg(self.home.join(".local"));
        run(&mut command).success().text
    }

    fn terraform(&self, arguments: &[&str]) -> String {
        run(self.command(&terraform()).args(arguments)).success().text
    }

    /// The version in the lock file.
    fn locked(&self) -> String {
        let lock = fs::read_to_string(self.project.path(".terraform.lock.hcl")).expect("a lock file");
        let line = lock.lines().find(|line| line.contains("version ")).expect("a version");
        line.split('"').nth(1).expect("in quotes").to_owned()
    }
}

/// The same programs, as another build: the provider has other bytes and another time.
fn built_again(user: &User) -> PathBuf {
    let folder = user.project.path("built-again");
    fs::create_dir(&folder).expect("the folder is new");
    for entry in fs::read_dir(binaries()).expect("the programs").flatten() {
        let (from, to) = (entry.path(), folder.join(entry.file_name()));
        if entry.file_name() == "terraform-provider-mlplat" {
            fs::copy(&from, &to).expect("the test's own folder");
            let mut file = fs::OpenOptions::new().append(true).open(&to).expect("the copy");
            file.write_all(b"\n").expect("the copy can be written");
            let later =
                from.metadata().and_then(|it| it.modified()).expect("a time") + std::time::Duration::from_secs(5);
            file.set_modified(later).expect("the copy has a time");
        } else if from.is_file() {
            symlink(&from, &to).expect("the folder is new");
        }
    }
    folder
}

#[test]
fn nothing_needs_to_be_set_and_a_second_build_breaks_no_project() {
    let user = User::new();
    let said = user.install(&binaries());
    assert!(said.contains("export PATH="), "the folder is not in PATH: {said}");
    let mlplat = user.home.join(".local/bin/mlplat");
    run(user.command(&mlplat).arg("--version")).success();
    assert!(mlplat.with_file_name("inject-endpoints").is_file());

    user.terraform(&["init", "-no-color", "-input=false"]);
    user.terraform(&["apply", "-auto-approve", "-no-color", "-input=false"]);
    let first = user.locked();

    user.install(&built_again(&user));
    user.terraform(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
    user.terraform(&["init", "-no-color", "-input=false"]);
    assert_eq!(user.locked(), first, "a project stays with its build");
    user.terraform(&["init", "-upgrade", "-no-color", "-input=false"]);
    assert_ne!(user.locked(), first, "and moves when it is asked to");
    user.terraform(&["plan", "-no-color", "-input=false", "-detailed-exitcode"]);
    user.terraform(&["destroy", "-auto-approve", "-no-color", "-input=false"]);

    let mut uninstall = user.command(&repository().join(".ci/install"));
    run(uninstall.arg("uninstall").arg(user.home.join(".local"))).success();
    assert!(!mlplat.exists());
}
