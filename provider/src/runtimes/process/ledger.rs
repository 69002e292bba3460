//! The two files between a stack and its supervisor: `units.json` says what shall run and is written by who applies;
//! `state.json` says what runs and is written by the supervisor alone. Who changed the first sends SIGHUP and watches the
//! second until its generation has caught up. Nothing else passes between them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::build::Build;
use super::identity::{Identity, Place};
use super::store::{self, Lock};
use crate::services::{ACCESS, Component, Unit};

/// Raised when the files or the signals change their meaning. A supervisor of another version hands over.
pub(super) const VERSION: u32 = 1;

/// What shall run: `units.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) version: u32,
    /// Raised by every writer.
    pub(super) generation: u64,
    /// By name ([`unit_name`], [`access_name`]). A unit that runs and is not here is ended for good.
    pub(super) units: BTreeMap<String, Unit>,
    /// How often a unit was to be restarted although nothing of it changed: another number than that of the running process
    /// ends the process, as another fingerprint does. Units that are absent go on as they are.
    #[serde(default)]
    pub(super) restarts: BTreeMap<String, u64>,
}

impl Wanted {
    pub(super) fn path(stack: &Path) -> PathBuf {
        stack.join("units.json")
    }
}

/// The name of a component's service, and its folder below the stack's.
pub(super) fn unit_name(component: Component) -> String {
    component.as_str().to_owned()
}

/// The name of what gives pods access to a component, and its folder below the stack's.
pub(super) fn access_name(component: Component) -> String {
    format!("{component}/{ACCESS}")
}

/// What runs: `state.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) version: u32,
    /// Where the supervisor runs; `None`: a version wrote it that did not note it.
    #[serde(default)]
    pub(super) place: Option<Place>,
    /// Who supervises, or did last.
    pub(super) supervisor: Option<Identity>,
    /// The program that supervises; `None` for one from before this was noted.
    #[serde(default)]
    pub(super) build: Option<Build>,
    /// The last [`Wanted::generation`] that was read.
    pub(super) generation: u64,
    /// By name; those that ended for good are absent.
    pub(super) units: BTreeMap<String, UnitState>,
}

impl State {
    pub(super) fn path(stack: &Path) -> PathBuf {
        stack.join("state.json")
    }

    pub(super) fn read(stack: &Path) -> io::Result<Self> {
        Ok(store::read(&Self::path(stack))?.unwrap_or_default())
    }

    /// Where the processes may go on unseen, in words; `None` when they are here, or have ended for sure.
    pub(super) fn elsewhere(&self) -> Option<String> {
        let runs = self.units.values().any(|unit| unit.process.is_some());
        self.place.as_ref().filter(|_| runs)?.unseen_from(&Place::here())
    }

    /// The supervisor, if it lives.
    pub(super) fn living_supervisor(&self) -> Option<&Identity> {
        self.supervisor.as_ref().filter(|supervisor| supervisor.is_alive())
    }
}

/// One unit, as its keeper sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct UnitState {
    /// What was started, to end it by its own rules.
    pub(super) unit: Unit,
    pub(super) phase: Phase,
    /// The running process.
    pub(super) process: Option<Identity>,
    /// The last generation that its keeper took notice of.
    pub(super) generation: u64,
    /// The number of [`Wanted::restarts`] with which the process was started.
    #[serde(default)]
    pub(super) restart: u64,
    /// Ends in a row since then, each soon after its start.
    pub(super) failures: u32,
    /// How it ended last, in words.
    pub(super) last_end: Option<String>,
}

/// Where a unit is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Phase {
    /// Its one-time preparation runs, or it is about to start.
    Preparing,
    /// Its process runs. Whether it answers is not the supervisor's business.
    Running,
    /// It ended and is started again after a rest.
    Resting,
    /// It is being ended.
    Stopping,
    /// It ended too often; it is started again when somebody applies.
    Failed,
}

/// Held by the supervisor.
pub(super) fn lock_path(stack: &Path) -> PathBuf {
    stack.join("supervisor.lock")
}

/// The supervisor's copy of the state, written through on every change.
#[derive(Debug)]
pub(super) struct Ledger {
    stack: PathBuf,
    lock: Lock,
    copy: Mutex<Copy>,
}

#[derive(Debug)]
struct Copy {
    state: State,
    /// The file does not hold all of it: the last write failed.
    dirty: bool,
}

impl Ledger {
    /// `lock` is that of [`lock_path`].
    pub(super) fn new(stack: &Path, lock: Lock, state: State) -> Self {
        Self {
            stack: stack.to_owned(),
            lock,
            copy: Mutex::new(Copy { state, dirty: false }),
        }
    }

    /// Whether the folder is still there, rather than deleted; made again, it is another supervisor's.
    pub(super) fn is_ours(&self) -> bool {
        self.lock.is_at(&lock_path(&self.stack))
    }

    /// Changes the state and stores it where it is ours to. A full disk does not stop services: [`Ledger::store_again`].
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        let before = copy.state.clone();
        change(&mut copy.state);
        if copy.state != before {
            self.store(&mut copy);
        }
    }

    /// Stores what could not be stored when it changed.
    pub(super) fn store_again(&self) {
        let mut copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if copy.dirty {
            self.store(&mut copy);
        }
    }

    fn store(&self, copy: &mut Copy) {
        if !self.is_ours() {
            return;
        }
        let stored = store::write(&State::path(&self.stack), &copy.state);
        match &stored {
            // Told once, not at each attempt: the log is on the same disk.
            Err(error) if !copy.dirty => tracing::error!(%error, "cannot store the state; trying again each second"),
            Ok(()) if copy.dirty => tracing::info!("the state is stored again"),
            _ => {}
        }
        copy.dirty = stored.is_err();
    }

    /// One unit's entry.
    pub(super) fn unit(&self, name: &str) -> Option<UnitState> {
        let copy = self.copy.lock().unwrap_or_else(PoisonError::into_inner);
        copy.state.units.get(name).cloned()
    }

    /// Changes one unit's entry, made from `unit` when it is new.
    pub(super) fn change_unit(&self, name: &str, unit: &Unit, change: impl FnOnce(&mut UnitState)) {
        self.change(|state| {
            let entry = state.units.entry(name.to_owned()).or_insert_with(|| UnitState {
                unit: unit.clone(),
                phase: Phase::Preparing,
                process: None,
                generation: 0,
                restart: 0,
                failures: 0,
                last_end: None,
            });
            change(entry);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder in the place of the file stands for a full disk: it cannot be replaced either.
    #[test]
    fn what_could_not_be_stored_is_stored_as_soon_as_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let lock = Lock::take(&lock_path(dir.path())).unwrap().unwrap();
        let ledger = Ledger::new(dir.path(), lock, State::default());
        let path = State::path(dir.path());
        std::fs::create_dir(&path).unwrap();
        ledger.change(|state| state.generation = 7);
        ledger.store_again();
        std::fs::remove_dir(&path).unwrap();
        ledger.store_again();
        assert_eq!(State::read(dir.path()).unwrap().generation, 7);
        // Nothing is written while there is nothing to write.
        std::fs::remove_file(&path).unwrap();
        ledger.store_again();
        assert!(!path.exists());
    }

    #[test]
    fn files_of_earlier_versions_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let unit = r#"{"dir": "/s/redis", "program": "/bin/valkey-server", "args": [], "refuses_root": false, "prepare": null,
            "pid_file": null, "stop": {"signal": "terminate", "patience_ms": 1}, "discard": {"signal": "kill", "patience_ms": 0},
            "fingerprint": "f"}"#;
        let units = format!(r#"{{"version": 1, "generation": 3, "units": {{"redis": {unit}}}}}"#);
        std::fs::write(Wanted::path(dir.path()), units).unwrap();
        let state = format!(
            r#"{{"version": 1, "supervisor": {{"pid": 1, "start": "1", "boot": "b"}}, "generation": 3, "units": {{"redis":
            {{"unit": {unit}, "phase": "running", "process": null, "generation": 3, "failures": 0, "last_end": null}}}}}}"#
        );
        std::fs::write(State::path(dir.path()), state).unwrap();
        let wanted: Wanted = store::read(&Wanted::path(dir.path())).unwrap().unwrap();
        assert!(wanted.restarts.is_empty() && wanted.units.contains_key("redis"));
        let state = State::read(dir.path()).unwrap();
        assert_eq!((state.units["redis"].restart, state.build), (0, None));
    }

    #[test]
    fn a_folder_that_was_deleted_and_made_again_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let stack = dir.path().join("stack");
        let supervise = || {
            std::fs::create_dir(&stack).unwrap();
            let lock = Lock::take(&lock_path(&stack)).unwrap().unwrap();
            Ledger::new(&stack, lock, State::default())
        };
        let former = supervise();
        former.change(|state| state.generation = 1);
        std::fs::remove_dir_all(&stack).unwrap();
        former.change(|state| state.generation = 2);
        assert!(!stack.exists());
        let next = supervise();
        next.change(|state| state.generation = 3);
        former.change(|state| state.generation = 4);
        assert_eq!(State::read(&stack).unwrap().generation, 3);
        assert!(next.is_ours() && !former.is_ours());
    }
}
