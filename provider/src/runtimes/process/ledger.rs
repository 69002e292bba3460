//! The two files between a stack and its supervisor: `units.json` says what shall run and is written by who applies;
//! `state.json` says what runs and is written by the supervisor alone. Who changed the first sends SIGHUP and watches the
//! second until its generation has caught up. Nothing else passes between them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::identity::Identity;
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
    /// Who supervises, or did last.
    pub(super) supervisor: Option<Identity>,
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
    state: Mutex<State>,
}

impl Ledger {
    /// `lock` is that of [`lock_path`].
    pub(super) fn new(stack: &Path, lock: Lock, state: State) -> Self {
        Self {
            stack: stack.to_owned(),
            lock,
            state: Mutex::new(state),
        }
    }

    /// Whether the folder is still there, rather than deleted; made again, it is another supervisor's.
    pub(super) fn is_ours(&self) -> bool {
        self.lock.is_at(&lock_path(&self.stack))
    }

    /// Changes the state and stores it where it is ours to. A full disk does not stop services: the next change tries again.
    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.clone();
        change(&mut state);
        if *state != before
            && self.is_ours()
            && let Err(error) = store::write(&State::path(&self.stack), &*state)
        {
            tracing::error!(%error, "cannot store the state");
        }
    }

    /// Changes one unit's entry, made from `unit` when it is new.
    pub(super) fn change_unit(&self, name: &str, unit: &Unit, change: impl FnOnce(&mut UnitState)) {
        self.change(|state| {
            let entry = state.units.entry(name.to_owned()).or_insert_with(|| UnitState {
                unit: unit.clone(),
                phase: Phase::Preparing,
                process: None,
                generation: 0,
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
