//! What a note says of a create: what it makes, for which configuration, and which run of Terraform asked for it.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::Config;

/// A create, as its note describes it. A note of an older version is empty: it has no `place`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Note {
    /// Stands in the tag of what is made until it is as planned: random, so no other create has it.
    pub(crate) id: String,
    /// What the name was generated from; `None` when the configuration gave the name.
    pub(crate) prefix: Option<String>,
    /// The configuration that makes it.
    pub(crate) place: Option<Place>,
    /// Where it is made.
    pub(crate) target: Target,
    /// What cannot be changed after the create.
    pub(crate) fixed: String,
    /// The process of Terraform that asked for it.
    pub(super) terraform: Process,
    /// The process that makes it.
    pub(super) provider: u32,
    /// The answer says that it is there.
    pub(super) told: bool,
    /// That run of Terraform has this answer, and went on to its end.
    pub(super) ended: bool,
    /// It was made without tags: the caller may not set them in the call that creates.
    pub(crate) untagged: bool,
}

/// Where something is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    /// The account; `None` when the settings say not to ask for it.
    pub(crate) account: Option<String>,
    /// URL of the service.
    pub(crate) endpoint: String,
    /// The region.
    pub(crate) region: String,
}

/// A configuration, as far as a provider can tell: Terraform tells no addresses of resources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// The root module's folder.
    pub(crate) folder: PathBuf,
    /// Terraform's workspace.
    pub(crate) workspace: String,
    /// A digest of the backend's configuration, which may hold secrets; empty when the state is a local file.
    pub(super) backend: String,
}

impl Place {
    /// The configuration for which this process works.
    pub(crate) fn here(config: &Config) -> Self {
        let folder = std::env::current_dir().unwrap_or_default();
        let variable = |name: &str| {
            let value = config.variable(name).filter(|value| !value.is_empty());
            value.map(|value| value.to_string_lossy().into_owned())
        };
        let data = folder.join(variable("TF_DATA_DIR").unwrap_or_else(|| ".terraform".to_owned()));
        let chosen = || {
            let text = fs::read_to_string(data.join("environment")).ok()?;
            Some(text.trim().to_owned()).filter(|name| !name.is_empty())
        };
        Self {
            workspace: variable("TF_WORKSPACE")
                .or_else(chosen)
                .unwrap_or_else(|| "default".to_owned()),
            backend: backend(&data).unwrap_or_default(),
            folder,
        }
    }
}

fn backend(data: &Path) -> Option<String> {
    let text = fs::read(data.join("terraform.tfstate")).ok()?;
    let known: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let backend = known.get("backend").filter(|backend| backend.is_object())?;
    let mut digest = Sha256::new();
    digest.update(backend["type"].to_string());
    digest.update(backend["config"].to_string());
    Some(hex(&digest.finalize()[..8]))
}

/// A process for all time: its number is given to another one after its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Process {
    pid: u32,
    /// When it started, where the system tells (Linux).
    started: Option<String>,
}

impl Process {
    /// The process that started this one; to be asked while it is sure to run.
    pub(super) fn parent() -> Self {
        Self::of(std::os::unix::process::parent_id())
    }

    pub(super) fn of(pid: u32) -> Self {
        Self {
            pid,
            started: stat(pid).map(|(_, started)| started),
        }
    }

    /// Whether it runs. One whose exit status was not asked for does not.
    pub(super) fn runs(&self) -> bool {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let there = pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH));
        match stat(self.pid) {
            Some((state, started)) => there && state != "Z" && self.started.as_ref().is_none_or(|old| *old == started),
            None => there,
        }
    }
}

/// State and start of a process.
fn stat(pid: u32) -> Option<(String, String)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything.
    let fields: Vec<&str> = text.rsplit(')').next()?.split_whitespace().collect();
    Some((fields.first()?.to_string(), fields.get(19)?.to_string()))
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_one_that_has_its_number_later() {
        let mut parent = Process::parent();
        assert!(parent.runs());
        if parent.started.is_some() {
            parent.started = Some("0".into());
            assert!(!parent.runs());
        }
        assert!(!Process::default().runs());
    }

    #[test]
    fn a_place_is_folder_workspace_and_backend() {
        let folder = tempfile::tempdir().unwrap();
        let here = |workspace: &str| {
            let variables = [
                ("HOME".into(), "/h".into()),
                ("TF_WORKSPACE".into(), workspace.into()),
                ("TF_DATA_DIR".into(), folder.path().into()),
            ];
            let config = Config::from_variables(variables.into(), "/bin/mlplat".into(), "/tmp".into());
            Place::here(&config.unwrap())
        };
        let known = |key: &str| format!("{{\"backend\": {{\"type\": \"s3\", \"config\": {{\"key\": \"{key}\"}}}}}}");
        let local = here("");
        assert_eq!((local.workspace.as_str(), local.backend.as_str()), ("default", ""));
        fs::write(folder.path().join("environment"), "two\n").unwrap();
        assert_eq!(here("").workspace, "two");
        assert_eq!(here("three").workspace, "three");
        fs::write(folder.path().join("terraform.tfstate"), known("dev")).unwrap();
        let dev = here("");
        fs::write(folder.path().join("terraform.tfstate"), known("prod")).unwrap();
        assert!(dev.backend.len() == 16 && dev != here(""));
    }
}
