//! Kustomizations and their functions, without the alpha flags of a client: which functions there are, whether a client
//! would run them, and building with them.
//!
//! kustomize and kubectl only ever build kustomizations that list no function (without flags), of a copy of the tree; the
//! functions run between two such builds. What passes from build to build keeps, under names of our own, the two things
//! that a client's output has lost: which objects are for tools only, and which names are still to get a hash.
//!
//! | module | what lives there |
//! |---|---|
//! | `tree` | a kustomization and all that it names, copied |
//! | `uses` | the functions that a kustomization lists, and how each is run |
//! | `client` | kustomize or kubectl: found, and run without flags |
//! | `skips` | what a client, started with these flags, would make of each function |
//! | `runner` | one function run as kustomize runs it |
//! | `renames` | the names that objects had before a prefix or suffix |
//! | `render` | builds and functions in kustomize's order |

mod client;
mod renames;
mod render;
mod runner;
mod skips;
mod tree;
mod uses;

use std::io;
use std::path::PathBuf;

pub use client::{Client, ClientKind};
pub use render::render;
pub use skips::{Flags, Skip, skips};
pub use tree::Tree;
pub use uses::{Field, Use, Way, uses};

/// Why a kustomization could not be read or built.
#[derive(Debug, thiserror::Error)]
pub enum KustomizeError {
    /// A folder without a kustomization.
    #[error(
        "{} has no kustomization.yaml. To fix: name the folder of one", .0.display()
    )]
    NoKustomization(PathBuf),
    /// A file that cannot be read or written.
    #[error("{} cannot be used: {error}. To fix: see to its permissions", .path.display())]
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
    /// Neither kustomize nor kubectl.
    #[error(
        "{0} is not in PATH. To fix: install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize/) or kubectl, \
         or name one by --client PATH"
    )]
    NoClient(String),
    /// A client that fails without any function.
    #[error("{client} cannot build {}:\n{message}", .folder.display())]
    Client {
        /// The program.
        client: String,
        /// What it should have built.
        folder: PathBuf,
        /// What it said.
        message: String,
    },
    /// A function that is not there.
    #[error("{place}: {what}. To fix: {fix}")]
    Function {
        /// Where the function is listed.
        place: String,
        /// What is wrong.
        what: String,
        /// What to do.
        fix: String,
    },
    /// A function that failed; the message is its own.
    #[error("{place} failed:\n{message}")]
    Failed {
        /// Where the function is listed.
        place: String,
        /// What it said.
        message: String,
    },
    /// Something that only the client itself can do, with its flags.
    #[error("{}: {what} cannot be kept by a build in steps. To fix: {fix}", .folder.display())]
    OnlyWithFlags {
        /// The kustomization.
        folder: PathBuf,
        /// What it uses.
        what: &'static str,
        /// What to do.
        fix: &'static str,
    },
}

impl KustomizeError {
    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::File { path, error }
    }
}
