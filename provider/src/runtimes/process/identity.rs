//! Which process: a pid alone is given to a stranger as soon as its owner has ended.

use serde::{Deserialize, Serialize};

use super::platform::{boot_id, start_of};

/// One process for all time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Its number, for as long as it lives.
    pub(super) pid: u32,
    /// When it started, counted from the boot.
    pub(super) start: String,
    /// In which boot.
    pub(super) boot: String,
}

impl Identity {
    /// The process that has `pid` now, even if it has just ended; `None` when there is none.
    pub(super) fn of(pid: u32) -> Option<Self> {
        start_of(pid).map(|start| Self {
            pid,
            start: start.mark,
            boot: boot_id(),
        })
    }

    /// Whether it runs.
    pub(super) fn is_alive(&self) -> bool {
        self.boot == boot_id() && start_of(self.pid).is_some_and(|start| start.mark == self.start && !start.zombie)
    }
}
