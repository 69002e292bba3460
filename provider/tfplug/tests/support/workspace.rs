//! A folder with a Terraform configuration that uses the example provider, and real Terraform to run it.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

const HEAD: &str = r#"terraform {
  required_providers { tfplug = { source = "mlplat/tfplug" } }
  provider_meta "tfplug" { team = "core" }
}
provider "tfplug" { prefix = "pre-" }
"#;

/// One root module.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

/// What a run of Terraform said.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    /// Standard output and error, without colours and boxes, one space for every run of white space.
    pub(crate) text: String,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        std::os::unix::fs::symlink(super::example(), plugins.join("terraform-provider-tfplug")).unwrap();
        let settings = format!(
            "provider_installation {{\n  dev_overrides {{ \"mlplat/tfplug\" = {:?} }}\n  direct {{}}\n}}\n",
            plugins.display().to_string()
        );
        fs::write(folder.path().join("terraform.rc"), settings).unwrap();
        fs::create_dir(folder.path().join("things")).unwrap();
        Self { folder }
    }

    /// Where the things are kept.
    pub(crate) fn things(&self) -> PathBuf {
        self.folder.path().join("things")
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Replaces the configuration; `$THINGS` stands for the things' folder.
    pub(crate) fn write(&self, configuration: &str) {
        let body = configuration.replace("$THINGS", &self.things().display().to_string());
        fs::write(self.folder.path().join("main.tf"), format!("{HEAD}{body}")).unwrap();
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(terraform());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TF_CLI_CONFIG_FILE", self.folder.path().join("terraform.rc"))
            .env("TF_IN_AUTOMATION", "1")
            .env("CHECKPOINT_DISABLE", "1")
            // A provider that is killed leaves the folder of its socket.
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        match self.command(arguments).output() {
            Ok(output) => Run::of(&output),
            Err(error) => panic!("`terraform`: {error}. To fix: {INSTALL}"),
        }
    }

    /// Starts a run in a process group of its own, as a terminal does, so that Ctrl-C can be sent to all of it.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
            .spawn()
            .unwrap_or_else(|error| panic!("`terraform`: {error}. To fix: {INSTALL}"))
    }

    pub(crate) fn apply(&self) -> Run {
        self.run(&["apply", "-auto-approve", "-no-color", "-input=false"])
    }

    pub(crate) fn destroy(&self) -> Run {
        self.run(&["destroy", "-auto-approve", "-no-color", "-input=false"])
    }

    /// Code 0: nothing to do; 2: changes.
    pub(crate) fn plan(&self) -> Run {
        self.run(&["plan", "-detailed-exitcode", "-no-color", "-input=false"])
    }

    pub(crate) fn state(&self) -> String {
        fs::read_to_string(self.folder.path().join("terraform.tfstate")).unwrap_or_default()
    }

    /// The record of a thing; `None` when there is no file.
    pub(crate) fn thing(&self, name: &str) -> Option<serde_json::Value> {
        let text = fs::read_to_string(self.things().join(format!("{name}.json"))).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }
}

const INSTALL: &str = "install Terraform or OpenTofu, 1.11 or newer";

/// `$MLPLAT_TERRAFORM` (a path), else `terraform` from PATH, else `tofu`.
#[expect(clippy::disallowed_methods, reason = "a test driver reads the environment")]
fn terraform() -> PathBuf {
    let in_path = |name: &str| {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders)
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    };
    let named = std::env::var_os("MLPLAT_TERRAFORM").map(PathBuf::from);
    let found = named.or_else(|| in_path("terraform")).or_else(|| in_path("tofu"));
    found.unwrap_or_else(|| panic!("neither terraform nor tofu is in PATH. To fix: {INSTALL}"))
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
        let text = String::from_utf8_lossy(&both).replace(['│', '╷', '╵'], " ");
        Self {
            code: output.status.code(),
            text: text.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }

    /// It said this.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.text.contains(text), "no `{text}` in: {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, text: &str) -> &Self {
        assert!(!self.text.contains(text), "`{text}` in: {}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn ends_with(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }
}
