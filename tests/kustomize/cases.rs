//! The case folders: `exec`, `plugin` and `pipe` of a function are one kustomization as each kind of client needs it;
//! `pipe` lacks the function.

use harness::program::repository;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A folder or file of `tests/kustomize/cases`.
pub(crate) fn case(path: &str) -> PathBuf {
    repository().join("tests/kustomize/cases").join(path)
}

/// A copy of the cases, and of the examples' base that they name, with a change.
pub(crate) struct Changed {
    root: TempDir,
}

impl Changed {
    /// Changes one file of the cases.
    pub(crate) fn file(path: &str, change: impl Fn(String) -> String) -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        for folder in ["tests/kustomize/cases", "examples/infrastructure/kubernetes/base"] {
            let to = root.path().join(folder);
            fs::create_dir_all(&to).expect("the folder is new");
            copy(&repository().join(folder), &to);
        }
        // A copy of the repository is a repository.
        fs::create_dir(root.path().join(".git")).expect("the folder is new");
        let copied = Self { root };
        let file = copied.case(path);
        let before = fs::read_to_string(&file).expect("it was copied");
        let after = change(before.clone());
        assert_ne!(after, before, "nothing of {path} was changed");
        fs::write(&file, after).expect("it is a copy");
        copied
    }

    /// As [`case`], of the copy.
    pub(crate) fn case(&self, path: &str) -> PathBuf {
        self.root.path().join("tests/kustomize/cases").join(path)
    }
}

/// Compares with a stored text; `UPDATE=1` stores it anew.
#[track_caller]
pub(crate) fn is_stored(path: &Path, text: &str) {
    let mut stored = fs::read_to_string(path).unwrap_or_default();
    if stored != text && env::var_os("UPDATE").is_some_and(|value| value == "1") {
        fs::write(path, text).expect("a stored text can be written");
        text.clone_into(&mut stored);
    }
    assert_eq!(
        stored,
        text,
        "{} is not what was rendered; UPDATE=1 accepts it",
        path.display()
    );
}

/// Copies a folder with all that is in it.
pub(crate) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp")
        .arg("-R")
        .arg(from.join("."))
        .arg(to)
        .status()
        .expect("cp runs");
    assert!(status.success(), "{} cannot be copied", from.display());
}
