//! Notes on this machine of what is being made on AWS. Where a thing gets its owner's tag only after it is made, a killed
//! create leaves it without; the note then tells that it is ours. A note is locked while its create runs: one that is not
//! locked was left behind.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

/// A create that is under way, noted until it is [`Intent::done`].
#[derive(Debug)]
pub(crate) struct Intent {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
    /// An earlier create of the same thing was cut off.
    pub(crate) left_behind: bool,
}

impl Intent {
    /// Notes that `name` is about to be made. `None` when another process makes it right now.
    pub(crate) fn note(dir: &Path, name: &str) -> io::Result<Option<Self>> {
        fs::create_dir_all(dir)?;
        let path = dir.join(name);
        let left_behind = path.exists();
        let file = File::options().create(true).append(true).open(&path)?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(None);
        }
        File::open(dir)?.sync_all()?;
        Ok(Some(Self {
            path,
            _file: file,
            left_behind,
        }))
    }

    /// A note that was left behind whose name starts so.
    pub(crate) fn left_behind(dir: &Path, prefix: &str) -> Option<(String, Self)> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .ok()?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name.starts_with(prefix))
            .collect();
        names.sort();
        names.into_iter().find_map(|name| {
            let intent = Self::note(dir, &name).ok()??;
            Some((name, intent))
        })
    }

    /// Terraform knows of it from now on, or it was never made.
    pub(crate) fn done(self) {
        // What stays is a note of something that is not there, or is not empty, and changes nothing.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_outlives_its_create_unless_that_is_done() {
        let dir = tempfile::tempdir().unwrap();
        let first = Intent::note(dir.path(), "models").unwrap().unwrap();
        assert!(!first.left_behind);
        assert!(Intent::note(dir.path(), "models").unwrap().is_none(), "it is locked");
        assert!(Intent::left_behind(dir.path(), "mod").is_none(), "it is locked");
        drop(first);
        let (name, second) = Intent::left_behind(dir.path(), "mod").unwrap();
        assert!(second.left_behind && name == "models");
        second.done();
        assert!(Intent::left_behind(dir.path(), "mod").is_none());
    }
}
