//! Where the programs under test and the real tools are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The root of this repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests have a parent folder")
        .to_path_buf()
}

/// The folder of the binaries that were built together with this test (`target/debug` or `target/release`).
pub fn binaries() -> PathBuf {
    let running = env::current_exe().expect("a running program has a path");
    let folder = running.parent().expect("a program lies in a folder");
    // A test lies in target/PROFILE/deps, the bench in target/PROFILE.
    let above = folder.parent().filter(|_| folder.ends_with("deps"));
    above.unwrap_or(folder).to_path_buf()
}

/// A binary of this workspace.
///
/// # Panics
/// When it was not built; the message names the command that builds it.
pub fn binary(name: &str) -> PathBuf {
    let path = binaries().join(name);
    assert!(
        path.is_file(),
        "{} is missing. To fix: cargo build --workspace --bins",
        path.display()
    );
    path
}

/// The provider, which is the command line `mlplat` too.
pub fn mlplat() -> PathBuf {
    binary("terraform-provider-mlplat")
}

/// Terraform: `$MLPLAT_TERRAFORM` (a path), else `terraform`, else `tofu` from PATH.
///
/// # Panics
/// When neither is installed.
pub fn terraform() -> PathBuf {
    if let Some(path) = env::var_os("MLPLAT_TERRAFORM") {
        return path.into();
    }
    in_path("terraform").or_else(|| in_path("tofu")).expect(
        "neither terraform nor tofu is in PATH. To fix: install Terraform 1.11 or newer, or OpenTofu 1.11 or newer",
    )
}

/// A program from PATH.
///
/// # Panics
/// When it is not there; `install` is the command that the message names.
pub fn tool(name: &str, install: &str) -> PathBuf {
    in_path(name).unwrap_or_else(|| panic!("{name} is not in PATH. To fix: {install}"))
}

/// The pinned kustomize, built once into the user's cache.
pub fn kustomize() -> PathBuf {
    pinned("kustomize-pinned")
}

/// A tool that this repository pins, installed once into the user's cache.
///
/// # Panics
/// When it cannot be installed; the message says what to do.
pub fn pinned(name: &str) -> PathBuf {
    // One after the other: what is missing is built once, not by every test that needs it.
    static INSTALLING: Mutex<()> = Mutex::new(());
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new(repository().join(".ci/tools"))
        .arg(name)
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// Writes a shell script that can be run at once. Another process writes it: what is open for writing in this one, a
/// program that another test is just starting has open for a moment too, and nobody may run such a file.
pub fn script(path: &Path, text: &str) {
    let status = Command::new("sh")
        .args([
            "-c",
            "printf '#!/bin/sh\\n%s\\n' \"$2\" >\"$1\" && chmod 700 \"$1\"",
            "sh",
        ])
        .arg(path)
        .arg(text)
        .status()
        .expect("sh runs");
    assert!(status.success(), "{} is not written", path.display());
}

fn in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
