//! The folder of a stack: its lock, and what lies in it. A folder that holds anything but a stack is never touched.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::ledger::{State, Wanted, lock_path};
use super::owner::real_path;
use super::record::Record;
use super::stack::Stack;
use super::store::{self, Lock};
use super::supervisor::SUPERVISOR_LOG;
use crate::services::Component;
use crate::trust::{self, Use};
use crate::wait::{self, Look, WaitError};

/// Held by who changes the stack.
pub(super) const LOCK: &str = "apply.lock";
/// How long one apply waits for another of the same stack.
const LOCKED: Duration = Duration::from_secs(600);

/// What a stack's folder holds.
#[derive(Debug)]
pub(super) enum Contents {
    /// Nothing, or a lock and a log without a stack; or there is no folder.
    Nothing,
    /// A stack.
    Stack(Box<Record>),
    /// A stack whose `stack.json` is lost or cannot be read.
    Remains(StackError),
}

impl Stack {
    /// Looks into the folder.
    ///
    /// # Errors
    /// [`StackError::NotOurs`] when it holds other things and no stack, or a stack of another name.
    pub(super) fn contents(&self) -> Result<Contents, StackError> {
        let unknown = self.unknown_entries()?;
        let error = match self.record() {
            Ok(Some(record)) => {
                self.check_name(&record)?;
                return Ok(Contents::Stack(Box::new(record)));
            }
            Ok(None) => {
                let holds_data = Component::ALL.map(|component| self.dir.join(component.as_str()).exists());
                if unknown.is_empty() && !holds_data.contains(&true) {
                    return Ok(Contents::Nothing);
                }
                StackError::Unreadable {
                    path: Record::path(&self.dir),
                    problem: "it does not exist, and the folder holds data".to_owned(),
                }
            }
            Err(error) => error,
        };
        // Only what a supervisor or an apply wrote tells that the rest is a stack's.
        let says = State::read(&self.dir).is_ok_and(|state| state.version > 0);
        let wants = store::read::<Wanted>(&Wanted::path(&self.dir)).is_ok_and(|wanted| wanted.is_some());
        match error {
            error if says || wants => Ok(Contents::Remains(error)),
            StackError::Unreadable { .. } if !Record::path(&self.dir).exists() => {
                Err(self.not_ours("a folder with other things in it"))
            }
            error => Err(error),
        }
    }

    /// What the folder holds that no stack has in its folder.
    pub(super) fn unknown_entries(&self) -> Result<Vec<OsString>, StackError> {
        match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => Err(self.not_ours("not a folder")),
            Err(error) => Err(self.folder_error(error)),
            Ok(entries) => {
                let names = entries.flatten().map(|entry| entry.file_name());
                let mut unknown: Vec<_> = names.filter(|name| !is_known(name)).collect();
                unknown.sort();
                Ok(unknown)
            }
        }
    }

    /// What is recorded; `None` when there is no stack.
    pub(super) fn record(&self) -> Result<Option<Record>, StackError> {
        let path = Record::path(&self.dir);
        Record::read(&self.dir).map_err(|source| StackError::reading(path, source))
    }

    /// Whether the stack is the one that the caller names.
    pub(super) fn check_name(&self, record: &Record) -> Result<(), StackError> {
        match &self.name {
            Some(name) if *name != record.spec.name => Err(self.of_another_name(record)),
            _ => Ok(()),
        }
    }

    pub(super) fn of_another_name(&self, record: &Record) -> StackError {
        self.not_ours(&format!("the folder of the stack \"{}\"", record.spec.name))
    }

    fn not_ours(&self, what: &str) -> StackError {
        StackError::NotOurs {
            path: self.dir.clone(),
            what: what.to_owned(),
        }
    }

    /// A stack within another's folder would be deleted with it.
    pub(super) fn check_place(&self) -> Result<(), StackError> {
        let place = real_path(&self.dir);
        let within = place.ancestors().skip(1).find(|above| Record::path(above).exists());
        within.map_or(Ok(()), |above| {
            Err(self.not_ours(&format!("inside the folder of another stack, {}", above.display())))
        })
    }

    /// Takes the stack's lock, making the folder first. Returns the folders above it that were made for it too.
    pub(super) async fn lock(&self, cancelled: &CancellationToken) -> Result<(Lock, Vec<PathBuf>), StackError> {
        if self.dir.to_str().is_none() {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "its name is not Unicode");
            return Err(self.folder_error(source));
        }
        trust::check(&self.dir, Use::Own)?;
        self.contents()?;
        self.check_here()?;
        let missing: Vec<_> = self.dir.ancestors().skip(1).filter(|above| !above.exists()).collect();
        let made: Vec<PathBuf> = missing.into_iter().rev().map(Path::to_path_buf).collect();
        let path = self.dir.join(LOCK);
        let locked = wait::until("another apply", LOCKED, cancelled, || async {
            store::private_folder(&self.dir)?;
            match Lock::take(&path) {
                Ok(Some(lock)) => Ok(Look::Done(lock)),
                Ok(None) => Ok(Look::NotYet(String::new())),
                // The folder was deleted by the one who had the lock.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Look::NotYet(String::new())),
                Err(error) => Err(error),
            }
        });
        let lock = locked.await.map_err(|error| match error {
            WaitError::TimedOut { .. } => StackError::Busy {
                path: self.dir.clone(),
                waited_s: LOCKED.as_secs(),
            },
            WaitError::Cancelled { .. } => StackError::Cancelled {
                what: "another apply of the same stack".to_owned(),
            },
            WaitError::Failed(source) => self.folder_error(source),
        })?;
        Ok((lock, made))
    }

    /// Whether the processes of the stack are where they can be seen.
    pub(super) fn check_here(&self) -> Result<(), StackError> {
        self.state().elsewhere().map_or(Ok(()), |place| {
            Err(StackError::Elsewhere {
                path: self.dir.clone(),
                place,
            })
        })
    }

    /// The stack's lock, if nobody has it. Makes no folder.
    pub(super) fn lock_now(&self) -> Option<Lock> {
        let path = self.dir.join(LOCK);
        if !path.exists() {
            return None;
        }
        Lock::take(&path).ok().flatten()
    }
}

/// What a stack keeps in its folder.
pub(super) fn is_known(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let files = known_files();
    let components = Component::ALL.map(Component::as_str);
    components.contains(&name) || files.iter().any(|file| file == name) || name.starts_with(store::UNFINISHED)
}

/// The files of a stack, `stack.json` and the lock last: while they are there, what is left can be deleted by another call.
pub(super) fn known_files() -> Vec<OsString> {
    let below = Path::new("");
    let log = Path::new(SUPERVISOR_LOG);
    [
        Wanted::path(below),
        State::path(below),
        lock_path(below),
        log.to_owned(),
        log.with_extension("1"),
        Record::path(below),
        LOCK.into(),
    ]
    .map(PathBuf::into_os_string)
    .into()
}
