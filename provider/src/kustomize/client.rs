//! kustomize or kubectl, which build a kustomization without functions; no flag of theirs is needed for that.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::KustomizeError;
use crate::config::Config;

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// `kustomize build`.
    Kustomize,
    /// `kubectl kustomize`.
    Kubectl,
}

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    /// Which it is.
    pub kind: ClientKind,
    /// The program.
    pub program: PathBuf,
    /// Whether files above a kustomization may be named (`--load-restrictor LoadRestrictionsNone`).
    pub unrestricted: bool,
}

impl ClientKind {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize",
            Self::Kubectl => "kubectl",
        }
    }

    /// By the name of the program: `kubectl.1.27` is kubectl.
    fn of(program: &Path) -> Self {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("kubectl") {
            Self::Kubectl
        } else {
            Self::Kustomize
        }
    }
}

impl Client {
    /// The one that is named, by name or path; else kustomize or, where there is none, kubectl.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn find(named: Option<&Path>, config: &Config) -> Result<Self, KustomizeError> {
        let client = |program: PathBuf| Self {
            kind: ClientKind::of(&program),
            program,
            unrestricted: false,
        };
        match named {
            Some(path) if path.components().count() > 1 => Ok(client(path.to_owned())),
            Some(name) => in_path(name, config)
                .map(client)
                .ok_or_else(|| KustomizeError::NoClient(name.display().to_string())),
            None => ["kustomize", "kubectl"]
                .iter()
                .find_map(|name| in_path(Path::new(name), config))
                .map(client)
                .ok_or_else(|| KustomizeError::NoClient("neither kustomize nor kubectl".to_owned())),
        }
    }

    /// Builds without flags; an error's message is the client's own.
    pub(super) fn build(&self, folder: &Path) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.arg(match self.kind {
            ClientKind::Kustomize => "build",
            ClientKind::Kubectl => "kustomize",
        });
        if self.unrestricted {
            command.args(["--load-restrictor", "LoadRestrictionsNone"]);
        }
        let output = command
            .arg(folder)
            .output()
            .map_err(|error| format!("{} does not start: {error}", self.program.display()))?;
        if output.status.success() {
            String::from_utf8(output.stdout).map_err(|error| error.to_string())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
        }
    }
}

/// The first program of this name in PATH.
pub(super) fn in_path(name: &Path, config: &Config) -> Option<PathBuf> {
    config
        .path
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// Whether a file is there that can be started; clients skip others in PATH.
pub(super) fn is_program(path: &Path) -> bool {
    let metadata = path.metadata();
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
