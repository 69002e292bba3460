//! The examples' environments, unchanged but for the addresses of AWS: remote state, and the promise between local and prod.

mod promise;
mod remote_state;

use crate::provider;
use harness::emulators::{Emulator, Kind};
use harness::{FaultProxy, Output, Project, mlplat, repository, terraform};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Command};

/// A copy of `examples/infrastructure` whose provider and backend reach an emulator.
struct Tree {
    project: Project,
    proxy: FaultProxy,
    emulator: &'static Emulator,
}

impl Tree {
    fn new(kind: Kind) -> Self {
        let emulator = Emulator::shared(kind);
        let tree = Self {
            project: Project::new(""),
            proxy: FaultProxy::before(emulator.address()),
            emulator,
        };
        let copied = Command::new("cp")
            .arg("-R")
            .arg(repository().join("examples/infrastructure/."))
            .arg(tree.project.folder())
            .status();
        assert!(copied.expect("cp runs").success());
        tree.mirror();
        tree
    }

    /// `terraform init` wants a provider that is installed: from a folder, as a user without a registry has it.
    fn mirror(&self) {
        let version = env!("CARGO_PKG_VERSION");
        let machine = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let system = std::env::consts::OS.replace("macos", "darwin");
        for host in ["registry.terraform.io", "registry.opentofu.org"] {
            let folder = format!("mirror/{host}/mlplat/mlplat/{version}/{system}_{machine}");
            let folder = self.project.path(&folder);
            fs::create_dir_all(&folder).expect("the folder is new");
            symlink(mlplat(), folder.join(format!("terraform-provider-mlplat_v{version}"))).expect("the link is new");
        }
        let mirror = self.project.path("mirror").display().to_string();
        let installation =
            format!("provider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n");
        self.project.write("terraform.rc", &installation);
    }

    fn kubernetes(&self, path: &str) -> PathBuf {
        self.project.path("kubernetes").join(path)
    }

    /// Lets a configuration of the tree reach the emulator, with further overrides.
    fn overrides(&self, environment: &str, more: &str) {
        let block = provider(&self.proxy.url(), "");
        self.project.write(
            &format!("terraform/{environment}/test_override.tf"),
            &format!("{block}\n{more}"),
        );
    }

    fn in_environment(&self, environment: &str, arguments: &[&str]) -> Output {
        let folder = format!("-chdir=terraform/{environment}");
        self.project.terraform(&[&[folder.as_str()], arguments].concat())
    }

    /// The same in the background.
    fn start(&self, environment: &str, arguments: &[&str]) -> Child {
        let folder = format!("-chdir=terraform/{environment}");
        self.project.start(&[&[folder.as_str()], arguments].concat())
    }

    #[track_caller]
    fn apply(&self, environment: &str) -> Output {
        self.in_environment(environment, &["apply", "-auto-approve", "-no-color", "-input=false"])
            .success()
    }

    #[track_caller]
    fn destroy(&self, environment: &str) {
        self.in_environment(environment, &["destroy", "-auto-approve", "-no-color", "-input=false"])
            .success();
    }

    /// The file's text in the repository, and in this copy.
    fn committed_and_written(&self, path: &str) -> (String, String) {
        let committed = repository().join("examples/infrastructure/kubernetes").join(path);
        let read =
            |path: PathBuf| fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (read(committed), read(self.kubernetes(path)))
    }
}

/// A program of this project, with the real Terraform named for those that start it.
fn command(tree: &Tree, program: &std::path::Path) -> Command {
    let mut command = tree.project.command(program);
    command.env("MLPLAT_TERRAFORM", terraform());
    // The functions lie beside the program.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = program
        .parent()
        .map(PathBuf::from)
        .into_iter()
        .chain(std::env::split_paths(&path));
    command.env(
        "PATH",
        std::env::join_paths(folders).expect("the folders of PATH have no colon"),
    );
    command
}
