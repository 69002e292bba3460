//! Why a kustomization could not be read or built.

use std::io;
use std::path::PathBuf;

/// Why a kustomization could not be read or built.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
    /// A folder without a kustomization.
    #[error("{} has no kustomization.yaml. To fix: name the folder of one", .0.display())]
    NoKustomization(PathBuf),
    /// A file that cannot be read or written.
    #[error("cannot read or write {}: {error}. To fix: make it a file that you may read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        error: io::Error,
    },
    /// A kustomization or a function's configuration that is not well-formed.
    #[error("{}: {message}. To fix: correct the file", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// Kustomizations that name each other.
    #[error("cycle detected: {0}. To fix: remove one of these entries")]
    Cycle(String),
    /// A client that was asked for and is not installed.
    #[error("{0} is not in PATH. To fix: install it, or name its program by `--client PATH`")]
    NoClient(String),
    /// Neither kustomize nor kubectl.
    #[error(
        "neither kustomize nor kubectl is in PATH. To fix: install kustomize \
         (https://kubectl.docs.kubernetes.io/installation/kustomize/) or kubectl, or name the program of one by `--client PATH`"
    )]
    NoClients,
    /// A client that fails.
    #[error("{client} cannot build {}:\n{message}", .folder.display())]
    Client {
        /// The program.
        client: String,
        /// What it should have built.
        folder: PathBuf,
        /// What it said.
        message: String,
    },
    /// A function that cannot run, or may not, or is listed in the wrong place.
    #[error("{place}: {what}. To fix: {fix}")]
    Function {
        /// Where the function is listed.
        place: String,
        /// What is wrong.
        what: String,
        /// What to do.
        fix: String,
    },
    /// A signal ended the build.
    #[error("stopped by {0}")]
    Stopped(&'static str),
}

impl KustomizeError {
    pub(super) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }
}
