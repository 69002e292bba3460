//! How infrastructure tells Kubernetes manifests what it made: the contract and its Secrets, as files and in a [`cluster`].
//!
//! Both files carry a first line that says whose they are. A file without it that is nothing of the kind either is somebody
//! else's, and is never overwritten or removed.

pub mod cluster;
pub mod contract;
pub mod external_secret;
pub mod file;
pub mod secret;

use std::path::Path;

pub use file::FileError;

/// What is wrong with a file that should be ours.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Reading or writing failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Something else is kept there.
    #[error(
        "{path} exists and is not the {what} of the environment {name:?}. To fix: choose another path, or remove the file \
         if nobody needs it"
    )]
    Foreign {
        /// The file.
        path: String,
        /// What it should have been, in words.
        what: &'static str,
        /// Name of the environment.
        name: String,
    },
    /// The file should be a contract and cannot be read as one.
    #[error(
        "{path} is not a valid endpoint contract: {why}. To fix: correct the file, or let `mlplat_environment` write it"
    )]
    Invalid {
        /// The file.
        path: String,
        /// What its first wrong line is, or which fields.
        why: String,
    },
}

/// A kind of file that we keep, for one environment.
pub trait Document {
    /// What it is, in words: `endpoint contract`.
    const WHAT: &'static str;
    /// Its permissions, before the user's umask takes some away.
    const MODE: u32;

    /// Name of the environment it belongs to.
    fn environment(&self) -> &str;

    /// The first line, without its end. Constant for one environment.
    fn header(&self) -> String;

    /// Whether a text without our first line is such a document of this environment all the same.
    fn recognises(&self, text: &str) -> bool;
}

/// Reads the file; `None` = there is none.
///
/// # Errors
/// When it is not ours, or cannot be read.
pub fn read<D: Document>(document: &D, path: &Path) -> Result<Option<String>, PublishError> {
    ours(document, path, file::read(path)?)
}

/// The text, if it is this document.
fn ours<D: Document>(document: &D, path: &Path, text: Option<String>) -> Result<Option<String>, PublishError> {
    let Some(text) = text else { return Ok(None) };
    if text.lines().next() == Some(&document.header()) || document.recognises(&text) {
        return Ok(Some(text));
    }
    Err(PublishError::Foreign {
        path: path.display().to_string(),
        what: D::WHAT,
        name: document.environment().into(),
    })
}

/// Writes the whole file, or nothing.
///
/// # Errors
/// When something else is kept there, or it cannot be written.
pub fn write<D: Document>(document: &D, path: &Path, text: &str) -> Result<(), PublishError> {
    let place = file::Place::of(path)?;
    ours(document, path, place.read()?)?;
    Ok(place.replace(text, D::MODE)?)
}

/// Removes the file; that it is gone already, or belongs to another owner by now, is fine.
///
/// # Errors
/// When it cannot be removed.
pub fn remove<D: Document>(document: &D, path: &Path) -> Result<(), PublishError> {
    let place = match file::Place::of(path) {
        Ok(place) => place,
        Err(FileError::NoFolder { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    match ours(document, path, place.read()?) {
        Ok(Some(_)) => Ok(place.remove()?),
        Ok(None) | Err(PublishError::Foreign { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
