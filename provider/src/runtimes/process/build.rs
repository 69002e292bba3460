//! Which program supervises: another version of it, or one whose file was deleted or replaced, lets a new one take over.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::platform;

/// Our version.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A program as it was when its process started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Build {
    /// The version of mlplat.
    version: String,
    /// Its file.
    program: PathBuf,
    /// Of that file: compared, never read.
    mark: String,
}

impl Build {
    /// That of this process, whose file is `program` or was.
    pub(super) fn of_this_process(program: &Path) -> Self {
        Self {
            version: VERSION.to_owned(),
            program: program.to_owned(),
            mark: mark(&platform::own_program(program)).unwrap_or_default(),
        }
    }

    /// Whether it is our version, and its file is still the one that runs.
    pub(super) fn is_current(&self) -> bool {
        self.version == VERSION && mark(&self.program).as_ref() == Some(&self.mark)
    }
}

/// Differs between files, and between versions of one file.
fn mark(file: &Path) -> Option<String> {
    let data = fs::metadata(file).ok()?;
    Some(format!(
        "{}:{}:{}:{}.{}",
        data.dev(),
        data.ino(),
        data.len(),
        data.mtime(),
        data.mtime_nsec()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_current_until_its_file_is_replaced_or_deleted() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("mlplat");
        fs::write(&program, "one").unwrap();
        let build = Build {
            version: VERSION.to_owned(),
            program: program.clone(),
            mark: mark(&program).unwrap(),
        };
        assert!(build.is_current());
        let older = Build {
            version: "0.0.9".to_owned(),
            ..build.clone()
        };
        assert!(!older.is_current());
        let next = dir.path().join("next");
        fs::write(&next, "two").unwrap();
        fs::rename(&next, &program).unwrap();
        assert!(!build.is_current());
        fs::remove_file(&program).unwrap();
        assert!(!build.is_current());
    }

    #[test]
    fn this_process_runs_a_current_program() {
        let program = std::env::current_exe().unwrap();
        assert!(Build::of_this_process(&program).is_current());
    }
}
