//! kustomize or kubectl.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::session::Session;
use super::{KustomizeError, Rendered, environment, message};
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
    /// Whether Helm charts are inflated (`--enable-helm`).
    pub helm: bool,
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

/// One run of a client.
pub(super) struct Build<'a> {
    /// The folder that it builds.
    pub(super) folder: &'a Path,
    /// Flags beside those of the [`Client`].
    pub(super) flags: &'a [&'a str],
    /// What functions may need beside what the client needs.
    pub(super) needs: environment::Needs,
    /// Variables beside those of the user.
    pub(super) set: Vec<(&'static str, PathBuf)>,
}

impl<'a> Build<'a> {
    /// A build that runs no function.
    pub(super) fn plain(folder: &'a Path, needs: environment::Needs) -> Self {
        Self {
            folder,
            flags: &[],
            needs,
            set: Vec::new(),
        }
    }
}

/// Why there is no output.
pub(super) enum NotBuilt {
    /// What the client said, without its log's prefix.
    Refused(String),
    /// Something else.
    Other(KustomizeError),
}

impl NotBuilt {
    /// As an error about the user's folder.
    pub(super) fn of(self, client: &Client, folder: &Path) -> KustomizeError {
        match self {
            Self::Refused(message) => KustomizeError::Client {
                client: client.kind.name().to_owned(),
                folder: folder.to_owned(),
                message,
            },
            Self::Other(error) => error,
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
            helm: false,
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
                .ok_or(KustomizeError::NoClients),
        }
    }

    /// What the client prints.
    pub(super) fn build(&self, build: &Build<'_>, session: &Session, config: &Config) -> Result<Rendered, NotBuilt> {
        let mut command = Command::new(&self.program);
        command.arg(match self.kind {
            ClientKind::Kustomize => "build",
            ClientKind::Kubectl => "kustomize",
        });
        if self.unrestricted {
            command.args(["--load-restrictor", "LoadRestrictionsNone"]);
        }
        if self.helm {
            command.arg("--enable-helm");
        }
        command
            .args(build.flags)
            .arg(build.folder)
            .env_clear()
            .envs(environment::of(config, build.needs))
            .envs(build.set.iter().map(|(name, value)| (name, value)));
        let output = session
            .run(command, &self.program, !build.needs.network)
            .map_err(NotBuilt::Other)?;
        let said = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            return Err(NotBuilt::Refused(message::of(&said, output.status)));
        }
        Ok(Rendered {
            documents: String::from_utf8(output.stdout)
                .map_err(|_| NotBuilt::Refused("its output is not UTF-8".to_owned()))?,
            warnings: said.into_owned(),
        })
    }
}

/// The first program of this name in PATH; folders that depend on where mlplat was started are not looked into.
pub(super) fn in_path(name: &Path, config: &Config) -> Option<PathBuf> {
    config
        .path
        .iter()
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| is_program(path))
}

/// Whether a file is there that can be started; clients skip others in PATH.
pub(super) fn is_program(path: &Path) -> bool {
    let metadata = path.metadata();
    metadata.is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}
