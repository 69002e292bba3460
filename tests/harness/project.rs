//! A Terraform project of one test: its folder, its data folder, the provider that was built with the test.

use crate::{mlplat, program, terraform};
use serde_json::Value;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A folder with a configuration. Its stacks are taken down when it is dropped, also by a failing test.
pub struct Project {
    folder: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub struct Output {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, then standard error.
    pub text: String,
}

impl Output {
    /// # Panics
    /// When the command failed; the message is what it printed.
    #[track_caller]
    pub fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "{}", self.text);
        self
    }

    /// # Panics
    /// When the command did not fail with every one of these words. White space and Terraform's frame are ignored.
    #[track_caller]
    pub fn fails_with(self, words: &[&str]) -> Self {
        assert_eq!(self.code, Some(1), "it should have failed:\n{}", self.text);
        let flat = flat(&self.text);
        for word in words {
            assert!(flat.contains(&self::flat(word)), "{word:?} is not in:\n{}", self.text);
        }
        self
    }
}

/// Text without Terraform's frame and line breaks.
fn flat(text: &str) -> String {
    text.replace(['│', '╷', '╵'], " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

impl Project {
    /// A project whose `main.tf` is this text.
    pub fn new(configuration: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("mlplat-test-")
            .tempdir()
            .expect("a temporary folder");
        let project = Self { folder };
        fs::create_dir(project.path("tmp")).expect("a test writes its own folder");
        let overrides = mlplat()
            .parent()
            .expect("the binary lies in a folder")
            .display()
            .to_string();
        project.write(
            "terraform.rc",
            &format!("provider_installation {{\n  dev_overrides {{\n    \"mlplat/mlplat\" = {overrides:?}\n  }}\n}}\n"),
        );
        project.configure(configuration);
        project
    }

    /// Replaces `main.tf`.
    pub fn configure(&self, configuration: &str) {
        let head = "terraform {\n  required_providers {\n    mlplat = { source = \"mlplat/mlplat\" }\n  }\n}\n\n";
        self.write("main.tf", &format!("{head}{configuration}"));
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).expect("a test writes its own folder");
    }

    /// A path in the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The project's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a stack's data, where the provider puts it by default.
    pub fn stack(&self, name: &str) -> PathBuf {
        self.path("data/stacks").join(name)
    }

    /// A command of this project: its folder, its data folder, the provider under test.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.path("terraform.rc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            .env("MLPLAT_DATA_DIR", self.path("data"))
            // A provider that is killed leaves the folder of its socket.
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null());
        command
    }

    /// Runs Terraform.
    pub fn terraform(&self, arguments: &[&str]) -> Output {
        run(self.command(&terraform()).args(arguments))
    }

    /// Starts Terraform in the background and in a process group of its own, its output in `terraform.log`.
    pub fn start(&self, arguments: &[&str]) -> Child {
        let log = fs::File::create(self.path("terraform.log")).expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        self.command(&terraform())
            .args(arguments)
            .process_group(0)
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("terraform starts")
    }

    /// Runs the command line `mlplat`.
    pub fn mlplat(&self, arguments: &[&str]) -> Output {
        run(self.command(&mlplat()).args(arguments))
    }

    /// Applies the configuration.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn apply(&self) -> Output {
        self.apply_with(&[]).success()
    }

    /// Applies with further arguments.
    pub fn apply_with(&self, arguments: &[&str]) -> Output {
        self.terraform(&[&["apply", "-auto-approve", "-no-color", "-input=false"], arguments].concat())
    }

    /// Plans.
    pub fn plan(&self) -> Output {
        self.terraform(&["plan", "-no-color", "-input=false", "-detailed-exitcode"])
    }

    /// # Panics
    /// When the plan holds a change.
    #[track_caller]
    pub fn plans_nothing(&self) {
        let plan = self.plan();
        assert_eq!(plan.code, Some(0), "the plan should be empty:\n{}", plan.text);
    }

    /// # Panics
    /// When the plan fails or holds no change.
    #[track_caller]
    pub fn plans_a_change(&self) -> Output {
        let plan = self.plan();
        assert_eq!(plan.code, Some(2), "the plan should hold a change:\n{}", plan.text);
        plan
    }

    /// Destroys everything.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn destroy(&self) -> Output {
        self.terraform(&["destroy", "-auto-approve", "-no-color", "-input=false"])
            .success()
    }

    /// The values of a resource in the state, as `terraform show -json` prints them; `None` when it is not there.
    pub fn resource(&self, address: &str) -> Option<Value> {
        let shown = self.terraform(&["show", "-json"]).success();
        let start = shown.text.find('{').expect("a JSON state");
        let mut parsed = serde_json::Deserializer::from_str(&shown.text[start..]).into_iter::<Value>();
        let state = parsed.next().expect("a JSON state").expect("valid JSON");
        let resources = state["values"]["root_module"]["resources"].as_array()?.clone();
        let found = resources.into_iter().find(|resource| resource["address"] == address)?;
        Some(found["values"].clone())
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        for stack in fs::read_dir(self.path("data/stacks")).into_iter().flatten().flatten() {
            let name = stack.file_name();
            run(self
                .command(&program::mlplat())
                .args(["down", "--delete-data"])
                .arg(name));
        }
    }
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Output {
        code: output.status.code(),
        text,
    }
}
