//! What can go wrong with a stack of processes, with the fix.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use super::advice;
use super::ledger::State;
use crate::atomic;
use crate::engines::EngineError;
use crate::services::{Component, LOCALHOST};
use crate::trust::Untrusted;

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
        "`{component}` cannot be used: {} was not found, and only the passwords in it open its data. Nothing was changed. To fix: \
         restore the file; or delete the data too: remove `{component}` from the configuration, apply, and add it again", .path.display()
    )]
    LoginLost {
        /// The component.
        component: Component,
        /// Where the file was.
        path: PathBuf,
    },
    /// The service runs and does not take the passwords that are stored.
    #[error(
        "`{component}` does not accept the stack's own login: {problem}. To fix: restore {component}/login.json ({}), which holds the \
         passwords that the data was made with; or delete the data too: remove `{component}` from the configuration, apply, and \
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
    #[error("cannot use {}: {source}. To fix: {}", .path.display(), atomic::remedy(.source, "set `data_dir` to another folder"))]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// Another user can change the folder.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The services run where their processes cannot be seen from here.
    #[error(
        "the stack in {} runs {place}, where its processes cannot be seen from here. Nothing was changed. To fix: end it there \
         with `mlplat down NAME`; if that place does not exist any more, delete {}",
        .path.display(),
        State::path(.path).display()
    )]
    Elsewhere {
        /// The stack's folder.
        path: PathBuf,
        /// Where.
        place: String,
    },
    /// A file of the stack does not say what it should.
    #[error(
        "cannot read {}: {problem}. Nothing was changed. To fix: restore this damaged file from a backup; or, to delete the stack with \
         its data, run `mlplat down NAME --delete-data`",
        .path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A create meets a stack that is not the caller's.
    #[error(
        "the stack {name:?} in {} exists already, and {why}. Nothing was changed in it. To fix: choose another `name`, such \
         as \"{name}-${{terraform.workspace}}\"; or, to manage that stack from here on, import it:\n  \
         terraform import ADDRESS {import_id}",
        .path.display()
    )]
    Taken {
        /// The stack's name.
        name: String,
        /// Its folder.
        path: PathBuf,
        /// Who has it.
        why: String,
        /// What to import.
        import_id: String,
    },
    /// Two resources of one configuration have one stack.
    #[error(
        "another `mlplat_local_services` of this configuration has the stack {name:?} in {} already. Nothing was changed in \
         it. To fix: give each its own `name`; if the resource was renamed, add a `moved` block",
        .path.display()
    )]
    Twice {
        /// The stack's name.
        name: String,
        /// Its folder.
        path: PathBuf,
    },
    /// A create adopts what its own configuration left behind, and no data of it may go.
    #[error(
        "the stack {name:?} in {} exists already, though it is not in the state, and this create would {change}. Nothing \
         was changed in it. To fix: import it; the plan then shows what changes:\n  terraform import ADDRESS {import_id}",
        .path.display()
    )]
    Adoption {
        /// The stack's name.
        name: String,
        /// Its folder.
        path: PathBuf,
        /// What would be lost.
        change: String,
        /// What to import.
        import_id: String,
    },
    /// Terraform has the stack in its state, and another configuration has the stack.
    #[error(
        "the stack {name:?} in {} is managed by another configuration by now: {by}. Nothing was changed in it. To fix: to \
         leave it there, remove it from this state with\n  terraform state rm ADDRESS\nand from the configuration, or give \
         it another `name`; to manage it here again, run in addition\n  terraform import ADDRESS {import_id}",
        .path.display()
    )]
    TakenOver {
        /// The stack's name.
        name: String,
        /// Its folder.
        path: PathBuf,
        /// Who has it.
        by: String,
        /// What to import.
        import_id: String,
    },
    /// The folder holds something else.
    #[error("{} is {what}. Nothing was changed in it. To fix: set `data_dir` to a folder that is new or empty", .path.display())]
    NotOurs {
        /// The stack's folder.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// Another process applies to the same stack.
    #[error("another apply has been working on {} for more than {waited_s} s. To fix: wait until it has ended, then apply again", .path.display())]
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
    /// The service cannot write to its disk.
    #[error("`{component}` cannot write to the disk of {}: {kind}. To fix: {}. It said:\n{log}", .path.display(),
        atomic::remedy(&(*.kind).into(), "set `data_dir` to a folder on another disk"))]
    Disk {
        /// The component.
        component: Component,
        /// The stack's folder.
        path: PathBuf,
        /// What the operating system said to it.
        kind: io::ErrorKind,
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
    /// A port that only the superuser may listen on.
    #[error(
        "`{component}` cannot listen on port {}{}: this user may not listen on ports below {first}. \
         To fix: set `{component}.port` to a port from {first} on, or leave it out",
        .place.port(),
        beyond_loopback(.place)
    )]
    PrivilegedPort {
        /// The component.
        component: Component,
        /// The port and its address.
        place: SocketAddr,
        /// The first port that is open to every user.
        first: u16,
    },
    /// The operating system does not let the service listen, for another reason.
    #[error(
        "`{component}` may not listen on port {}{}: {source}. To fix: remove what the operating system names, or set \
         `{component}.port` to another port",
        .place.port(),
        beyond_loopback(.place)
    )]
    PortRefused {
        /// The component.
        component: Component,
        /// The port and its address.
        place: SocketAddr,
        /// What the operating system says.
        source: io::Error,
    },
    /// Another program listens on a port.
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
    #[error("`{component}` does not stay up: {how}. To fix: {}. Its log ({}) ends with:\n{log}",
        advice::on(*.component, &format!("{how}\n{log}")), .log_file.display())]
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
    #[error("`{component}` does not get ready: {problem}. To fix: {}. Its log ({}) ends with:\n{log}",
        advice::on(*.component, &format!("{problem}\n{log}")), .log_file.display())]
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
    #[error("`{component}` runs, but is not as asked for: {}", advice::with_fix(.problem, "correct that, then apply again"))]
    Furnish {
        /// The component.
        component: Component,
        /// What the service said.
        problem: String,
    },
    /// There is no supervisor.
    #[error("the supervisor of {} does not answer: {problem}. To fix: correct what its log complains about, then apply again; \
        the services themselves go on. Its log ends with:\n{log}", .path.display())]
    Supervisor {
        /// The stack's folder.
        path: PathBuf,
        /// What happened.
        problem: String,
        /// The last lines of its log.
        log: String,
    },
    /// Terraform, or the person at the keyboard, asked to stop.
    #[error("stopped on request while waiting for {what}. To fix: run the same command again; it goes on from there")]
    Cancelled {
        /// What was being waited for.
        what: String,
    },
    /// Several components have a problem each.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<StackError>),
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
    /// A file of the stack could not be read, or does not hold what it should.
    pub(super) fn reading(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => Self::Unreadable {
                path,
                problem: format!("its text is not what mlplat wrote ({source})"),
            },
            _ => Self::Folder { path, source },
        }
    }

    /// One error for many: itself when it is the only one. `None` when there is none. A stop on request is told once.
    pub(super) fn of(problems: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut all: Vec<Self> = Vec::new();
        for problem in problems.into_iter().flat_map(Self::into_problems) {
            let is_stop = |error: &Self| matches!(error, Self::Cancelled { .. });
            if !(is_stop(&problem) && all.iter().any(is_stop)) {
                all.push(problem);
            }
        }
        if all.len() > 1 {
            return Some(Self::Several(all));
        }
        all.pop()
    }

    /// What a service said when its contents were made.
    pub(super) fn furnish(component: Component, dir: &Path, problem: String) -> Self {
        match advice::disk_trouble(&problem) {
            Some(kind) => Self::Disk {
                component,
                path: dir.to_owned(),
                kind,
                log: problem,
            },
            None => Self::Furnish { component, problem },
        }
    }

    fn into_problems(self) -> Vec<Self> {
        match self {
            Self::Several(all) => all,
            one => vec![one],
        }
    }

    /// Each problem by itself.
    #[must_use]
    pub fn problems(&self) -> Vec<&Self> {
        match self {
            Self::Several(all) => all.iter().flat_map(Self::problems).collect(),
            one => vec![one],
        }
    }

    /// The attribute of `mlplat_local_services` that the error is about, from the outside in; empty for the whole.
    #[must_use]
    pub fn attribute(&self) -> Vec<&'static str> {
        match self {
            Self::Engine { component, .. }
            | Self::DiskFull { component, .. }
            | Self::Disk { component, .. }
            | Self::Ended { component, .. }
            | Self::LoginLost { component, .. }
            | Self::LoginRefused { component, .. }
            | Self::Hopeless { component, .. }
            | Self::NotReady { component, .. }
            | Self::Furnish { component, .. } => vec![component.as_str()],
            Self::VersionChange { component, .. } => vec![component.as_str(), "version"],
            Self::PortTaken { component, .. }
            | Self::PrivilegedPort { component, .. }
            | Self::PortRefused { component, .. }
            | Self::NoPort { component } => vec![component.as_str(), "port"],
            Self::NoSuchAddress { .. } => vec!["cluster_access"],
            Self::Folder { .. } | Self::NotOurs { .. } | Self::Untrusted(_) => vec!["data_dir"],
            Self::Taken { .. } | Self::Twice { .. } | Self::Adoption { .. } | Self::TakenOver { .. } => vec!["name"],
            Self::Elsewhere { .. }
            | Self::Unreadable { .. }
            | Self::Busy { .. }
            | Self::Supervisor { .. }
            | Self::Cancelled { .. }
            | Self::Absent { .. }
            | Self::Several(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_used_is_told_with_the_fix_for_its_reason() {
        let told = |kind: io::ErrorKind| {
            let (path, source) = ("/data/stack.json".into(), kind.into());
            StackError::Folder { path, source }.to_string()
        };
        let full = told(io::ErrorKind::StorageFull);
        assert!(full.contains("To fix: free some space on that disk"), "{full}");
        assert!(!full.contains("writable"), "{full}");
        let damaged = told(io::ErrorKind::UnexpectedEof);
        assert!(damaged.contains("restore this damaged file"), "{damaged}");
        assert!(told(io::ErrorKind::ReadOnlyFilesystem).contains("mount that file system writable"));
    }

    #[test]
    fn a_full_disk_is_told_as_one_wherever_it_is_met() {
        let said = "could not extend file \"base/5/1259\": No space left on device (53100)".to_owned();
        let error = StackError::furnish(Component::Postgres, Path::new("/s"), said);
        assert!(matches!(error, StackError::Disk { .. }), "{error}");
        assert!(
            error.to_string().contains("To fix: free some space on that disk"),
            "{error}"
        );
        let said = "seed_sql: relation \"nowhere\" does not exist".to_owned();
        let text = StackError::furnish(Component::Postgres, Path::new("/s"), said).to_string();
        assert!(
            text.ends_with("does not exist. To fix: correct that, then apply again"),
            "{text}"
        );
    }

    #[test]
    fn every_problem_is_told_and_a_stop_once() {
        let no_port = |component| StackError::NoPort { component };
        let stop = || StackError::Cancelled { what: "`redis`".into() };
        assert!(StackError::of([]).is_none());
        let one = StackError::of([stop(), stop()]).unwrap();
        assert!(matches!(one, StackError::Cancelled { .. }), "{one}");
        let all = StackError::of([no_port(Component::Redis), stop(), no_port(Component::Postgres)]).unwrap();
        assert_eq!(all.problems().len(), 3);
        assert_eq!(all.problems()[2].attribute(), ["postgres", "port"]);
        assert_eq!(all.to_string().lines().count(), 3);
    }

    #[test]
    fn each_error_says_what_to_do_before_the_log_begins() {
        let (log_file, log) = (PathBuf::from("/s/redis/log"), "x".to_owned());
        let ended = StackError::Ended {
            component: Component::Redis,
            how: "it exited with status 1".into(),
            log_file: log_file.clone(),
            log: log.clone(),
        };
        let silent = StackError::NotReady {
            component: Component::Redis,
            problem: "timed out after 180.0 s waiting for an answer: no answer".into(),
            log_file,
            log,
        };
        for error in [ended, silent] {
            let text = error.to_string();
            assert!(
                text.contains(". To fix: correct what the log below complains about"),
                "{text}"
            );
            assert!(text.ends_with("Its log (/s/redis/log) ends with:\nx"), "{text}");
        }
    }
}
