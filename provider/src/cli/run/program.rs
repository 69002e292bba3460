//! The program of `mlplat run`: found, and put into the place of mlplat.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::{Access, access};

use crate::config::Config;

/// Kept from the caller's environment unless the workload sets them. Without PATH the program finds no others, without
/// HOME many look for their files in `/`, and without the rest a pager or an editor cannot use the terminal.
const KEPT: [&str; 24] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TZ",
    "TERM",
    "TERMINFO",
    "COLORTERM",
    "NO_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
];

/// Where programs are when the caller has no PATH.
const NO_PATH: [&str; 2] = ["/bin", "/usr/bin"];

/// Why the program could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start {program}: {error}. To fix: {}", self.fix())]
pub(super) struct StartError {
    program: String,
    error: io::Error,
    path: String,
}

impl StartError {
    fn fix(&self) -> String {
        match self.error.kind() {
            io::ErrorKind::NotFound if self.program.contains('/') => {
                "correct the path; of a script, see that the program in its first line exists".to_owned()
            }
            io::ErrorKind::NotFound => {
                format!("install it, or name it by its path; it was looked for in {}", self.path)
            }
            io::ErrorKind::PermissionDenied => "make it executable (chmod +x), or name another".to_owned(),
            io::ErrorKind::ArgumentListTooLong => {
                "give it fewer variables: ConfigMaps of that size are mounted as files".to_owned()
            }
            _ => "name a program that this machine can run".to_owned(),
        }
    }
}

/// Comes back only when the program could not be started.
pub(super) fn replace(
    program: &OsStr,
    rest: &[OsString],
    keep: &[String],
    values: &BTreeMap<&str, &str>,
    config: &Config,
) -> StartError {
    let kept = KEPT.iter().copied().chain(keep.iter().map(String::as_str));
    let kept = kept.filter_map(|name| config.variable(name).map(|value| (name, value)));
    let error = match find(program, config) {
        Ok(file) => Command::new(file)
            .arg0(program)
            .args(rest)
            .env_clear()
            .envs(kept)
            .envs(values)
            .exec(),
        Err(error) => error,
    };
    StartError {
        program: program.to_string_lossy().into_owned(),
        error,
        path: joined(&folders(config)),
    }
}

/// The file that the caller's PATH names. The workload's own PATH, which is a container's, does not decide what is run.
fn find(program: &OsStr, config: &Config) -> io::Result<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Ok(program.into());
    }
    let mut failed = io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
    for folder in folders(config) {
        // An empty entry of PATH is the current folder.
        let file = Path::new(".").join(folder).join(program);
        if !file.is_file() {
            continue;
        }
        match access(&file, Access::EXEC_OK) {
            Ok(()) => return Ok(file),
            Err(error) => failed = error.into(),
        }
    }
    Err(failed)
}

fn folders(config: &Config) -> Vec<PathBuf> {
    match config.variable("PATH") {
        Some(_) => config.path.clone(),
        None => NO_PATH.map(PathBuf::from).into(),
    }
}

fn joined(folders: &[PathBuf]) -> String {
    let folders: Vec<_> = folders.iter().map(|folder| folder.to_string_lossy()).collect();
    folders.join(":")
}
