//! What can go wrong with a stack of processes, with the fix.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use crate::engines::EngineError;
use crate::services::{Component, LOCALHOST};

/// Why a stack is not as asked for. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    /// The engine is not here.
    #[error("`{component}` cannot run: {source}")]
    Engine {
        /// The component without engine.
        component: Component,
        /// Why there is none, with the command that fetches it.
        source: EngineError,
    },
    /// The data was written by another major version.
    #[error(
        "`{component}.version` cannot become {wanted}: its data was written by version {made_by}, and is not converted. \
         To fix: keep `{component}.version = \"{made_by}\"`, or remove `{component}`, apply, and add it again without its data"
    )]
    VersionChange {
        /// The component.
        component: Component,
        /// The version that the data needs.
        made_by: String,
        /// The version asked for.
        wanted: String,
    },
    /// The password of data that only its login opens is lost.
    #[error(
        "`{component}` cannot be used: {} is missing, and only the passwords in it open its data. Nothing was changed. To fix: put \
         the file back; or delete the data too: remove `{component}` from the configuration, apply, and add it again", .path.display()
    )]
    LoginLost {
        /// The component.
        component: Component,
        /// Where the file was.
        path: PathBuf,
    },
    /// The service runs and does not take the passwords that are stored.
    #[error(
        "`{component}` does not accept the stack's own login: {problem}. Its data was made with other passwords than those in {}. \
         To fix: put that file back as it was; or delete the data too: remove `{component}` from the configuration, apply, and \
         add it again", .path.display()
    )]
    LoginRefused {
        /// The component.
        component: Component,
        /// What the service said.
        problem: String,
        /// Where the passwords are.
        path: PathBuf,
    },
    /// The service ends whenever it starts, and what to do is known.
    #[error("`{component}` does not stay up: {fix}.\nIts log ({}) ends with:\n{log}", .log_file.display())]
    Hopeless {
        /// The component.
        component: Component,
        /// Why, and what to do.
        fix: String,
        /// The file with the rest.
        log_file: PathBuf,
        /// The last lines, without passwords.
        log: String,
    },
    /// A folder or file cannot be used.
    #[error("cannot use {}: {source}. To fix: make it writable for this user, or set `data_dir` to another folder", .path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// The folder holds something else.
    #[error("{} is {what}. Nothing was changed in it. To fix: set `data_dir` to a folder that is new or empty", .path.display())]
    NotOurs {
        /// The stack's folder.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// Somebody else applies to the same stack.
    #[error("another apply works on {} for more than {waited_s} s. To fix: wait for its end, then apply again", .path.display())]
    Busy {
        /// The stack's folder.
        path: PathBuf,
        /// How long was waited, in seconds.
        waited_s: u64,
    },
    /// Too little room for the data.
    #[error("`{component}` needs {needed_mb} MB for its data, and {} has {free_mb} MB free. To fix: free some, or set `data_dir` to a folder on another disk", .path.display())]
    DiskFull {
        /// The component.
        component: Component,
        /// The stack's folder.
        path: PathBuf,
        /// What is free for this user.
        free_mb: u64,
        /// What is needed.
        needed_mb: u64,
    },
    /// The disk was filled up.
    #[error("`{component}` ends because the disk of {} is full. To fix: free some space, then apply again. Its log ends with:\n{log}", .path.display())]
    NoSpace {
        /// The component.
        component: Component,
        /// The stack's folder.
        path: PathBuf,
        /// The last lines, without passwords.
        log: String,
    },
    /// Pods shall reach the services on an address that is not this machine's.
    #[error("this machine has no address {address}; it has {}. To fix: set `cluster_access` to the one on which pods reach it, \
        usually the bridge's", or_none(.here))]
    NoSuchAddress {
        /// The address asked for.
        address: IpAddr,
        /// Those that there are, with their interfaces.
        here: Vec<String>,
    },
    /// A port belongs to somebody else.
    #[error(
        "port {} of `{component}` is taken{} by {holder}. To fix: end that program, or set `{component}.port` to a free port",
        .place.port(),
        beyond_loopback(.place)
    )]
    PortTaken {
        /// The component.
        component: Component,
        /// The port and its address.
        place: SocketAddr,
        /// Who has it: program and pid, as far as this user may know.
        holder: String,
    },
    /// Every port from which one could be chosen is taken.
    #[error("no port is left to choose for `{component}`. To fix: set `{component}.port` to a free port")]
    NoPort {
        /// The component.
        component: Component,
    },
    /// The service ends as soon as it starts.
    #[error("`{component}` does not stay up: {how}. Its log ({}) ends with:\n{log}", .log_file.display())]
    Ended {
        /// The component.
        component: Component,
        /// How it ended.
        how: String,
        /// The file with the rest.
        log_file: PathBuf,
        /// The last lines, without passwords.
        log: String,
    },
    /// The service runs and gives no answer.
    #[error("`{component}` does not get ready: {problem}. Its log ({}) ends with:\n{log}", .log_file.display())]
    NotReady {
        /// The component.
        component: Component,
        /// What was waited for, how long, and what came instead.
        problem: String,
        /// The file with the rest.
        log_file: PathBuf,
        /// The last lines, without passwords.
        log: String,
    },
    /// The service runs, but what shall be inside could not be made.
    #[error("`{component}` runs, but is not as asked for: {problem}")]
    Furnish {
        /// The component.
        component: Component,
        /// What the service said.
        problem: String,
    },
    /// There is no supervisor.
    #[error("the supervisor of {} does not answer: {problem}. Its log ends with:\n{log}", .path.display())]
    Supervisor {
        /// The stack's folder.
        path: PathBuf,
        /// What happened.
        problem: String,
        /// The last lines of its log.
        log: String,
    },
    /// Terraform, or the person at the keyboard, asked to stop.
    #[error(
        "stopped on request while waiting for {what}. What was made so far is in the state; apply again to have all of it"
    )]
    Cancelled {
        /// What was being waited for.
        what: String,
    },
    /// There is no stack.
    #[error("there is no local stack in {}. To fix: apply the `mlplat_local_services` of that name first, or set `data_dir` as there", .path.display())]
    Absent {
        /// The folder.
        path: PathBuf,
    },
}

fn or_none(list: &[String]) -> String {
    if list.is_empty() {
        "none but loopback".to_owned()
    } else {
        list.join(", ")
    }
}

/// Loopback goes without saying.
fn beyond_loopback(place: &SocketAddr) -> String {
    if place.ip() == LOCALHOST {
        String::new()
    } else {
        format!(" on {}", place.ip())
    }
}

impl StackError {
    /// The attribute of `mlplat_local_services` that the error is about, from the outside in; empty for the whole.
    #[must_use]
    pub fn attribute(&self) -> Vec<&'static str> {
        match self {
            Self::Engine { component, .. }
            | Self::DiskFull { component, .. }
            | Self::NoSpace { component, .. }
            | Self::Ended { component, .. }
            | Self::LoginLost { component, .. }
            | Self::LoginRefused { component, .. }
            | Self::Hopeless { component, .. }
            | Self::NotReady { component, .. }
            | Self::Furnish { component, .. } => vec![component.as_str()],
            Self::VersionChange { component, .. } => vec![component.as_str(), "version"],
            Self::PortTaken { component, .. } | Self::NoPort { component } => vec![component.as_str(), "port"],
            Self::NoSuchAddress { .. } => vec!["cluster_access"],
            Self::Folder { .. } | Self::NotOurs { .. } => vec!["data_dir"],
            Self::Busy { .. } | Self::Supervisor { .. } | Self::Cancelled { .. } | Self::Absent { .. } => Vec::new(),
        }
    }
}
