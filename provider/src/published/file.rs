//! Small text files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::atomic;

/// Far above any contract; a file beyond it is none.
const LARGEST: u64 = 4 << 20;

/// Why a file could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder that should hold it is not there. None is made: a misspelt path would leave a stray tree behind.
    #[error("cannot write {path}: the folder {folder} does not exist. To fix: create it, or correct the path")]
    NoFolder {
        /// The file.
        path: String,
        /// Its folder.
        folder: String,
    },
    /// There is something of that name which is no file.
    #[error("{0} is not a regular file. To fix: choose the path of a file")]
    NotAFile(String),
    /// The file is not text, or larger than any contract.
    #[error("{0} is not a text file of at most 4 MiB, so it is none of ours. To fix: choose another path")]
    NotText(String),
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}. To fix: {}", remedy(.source))]
    Io {
        /// What was tried: `read`, `write`, `remove`.
        action: &'static str,
        /// The file.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "give the user that runs Terraform access to the file and its folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk, then apply again",
        io::ErrorKind::ReadOnlyFilesystem => "choose a path on a file system that can be written to",
        _ => "see what the operating system says, then apply again",
    }
}

/// The text of a file; `None` when there is none.
///
/// # Errors
/// When there is something that cannot be read as text.
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    let io = |source| FileError::Io {
        action: "read",
        path: shown(path),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let metadata = file.metadata().map_err(io)?;
    if !metadata.is_file() {
        return Err(FileError::NotAFile(shown(path)));
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > LARGEST {
        return Err(FileError::NotText(shown(path)));
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| FileError::NotText(shown(path)))
}

/// Puts the text into the file: written beside it, forced to the disk, and renamed over it. A symbolic link is followed.
///
/// # Errors
/// When that fails; what was there before is untouched then.
pub fn replace(path: &Path, text: &str, mode: u32) -> Result<(), FileError> {
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = atomic::folder(&target);
    if !folder.is_dir() {
        return Err(FileError::NoFolder {
            path: shown(path),
            folder: shown(&folder),
        });
    }
    atomic::replace(&target, text.as_bytes(), mode, ".mlplat-").map_err(|source| FileError::Io {
        action: "write",
        path: shown(path),
        source,
    })
}

/// Removes the file; that there is none is fine.
///
/// # Errors
/// When the operating system refuses.
pub fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::Io {
            action: "remove",
            path: shown(path),
            source: error,
        }),
        _ => Ok(()),
    }
}

/// The permission bits; `None` when there is no such file.
#[must_use]
pub fn mode(path: &Path) -> Option<u32> {
    Some(fs::metadata(path).ok()?.permissions().mode() & 0o777)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.yaml");
        fs::write(&path, "old").unwrap();
        replace(&path, "new", 0o600).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("new"));
        assert_eq!(mode(&path), Some(0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert_eq!((read(&path).unwrap(), mode(&path)), (None, None));
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        replace(&link, "new", 0o644).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(real).unwrap(), "new");
    }

    #[test]
    fn a_missing_folder_is_named_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("typo/endpoints.yaml");
        let text = replace(&path, "x", 0o644).unwrap_err().to_string();
        let (path, below) = (path.display(), folder.path().join("typo"));
        assert_eq!(
            text,
            format!(
                "cannot write {path}: the folder {} does not exist. To fix: create it, or correct the path",
                below.display()
            )
        );
        assert!(!below.exists());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(FileError::NotAFile(_))));
        let path = folder.path().join("image");
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(matches!(read(&path), Err(FileError::NotText(_))));
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::NotText(_))));
    }
}
