//! Which process: a pid alone is given to a stranger as soon as its owner has ended.

use serde::{Deserialize, Serialize};

use super::platform::{boot_id, pid_namespace, start_of};

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

/// Where processes can be seen: one boot of one machine, and one pid namespace in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The machine's name; a container has its own.
    pub(super) host: String,
    /// Which boot of its kernel.
    pub(super) boot: String,
    /// Empty where there are none, or none is known.
    pub(super) pid_namespace: String,
}

impl Place {
    pub(super) fn here() -> Self {
        Self {
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: boot_id(),
            pid_namespace: pid_namespace(),
        }
    }

    /// Why processes of this place may live and not be seen in `here`, in words; `None` when they are seen, or ended with
    /// the boot of that machine.
    pub(super) fn unseen_from(&self, here: &Self) -> Option<String> {
        if self.boot == here.boot {
            let same = self.pid_namespace == here.pid_namespace;
            return (!same).then(|| format!("in another container or pid namespace of this machine, {:?}", self.host));
        }
        (self.host != here.host).then(|| format!("on another machine, {:?}", self.host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reboot_of_the_same_machine_ends_what_cannot_be_seen() {
        let place = |host: &str, boot: &str, pid_namespace: &str| Place {
            host: host.into(),
            boot: boot.into(),
            pid_namespace: pid_namespace.into(),
        };
        let here = place("laptop", "1", "a");
        assert_eq!(here.unseen_from(&here), None);
        assert_eq!(place("laptop", "0", "a").unseen_from(&here), None);
        assert_eq!(place("laptop", "0", "b").unseen_from(&here), None);
        // A laptop takes its name from the network.
        assert_eq!(place("laptop.lan", "1", "a").unseen_from(&here), None);
        assert!(
            place("laptop", "1", "b")
                .unseen_from(&here)
                .unwrap()
                .contains("pid namespace")
        );
        assert!(
            place("other", "2", "a")
                .unseen_from(&here)
                .unwrap()
                .contains("another machine, \"other\"")
        );
    }

    #[test]
    fn this_place_is_seen_from_here() {
        assert_eq!(Place::here().unseen_from(&Place::here()), None);
        assert!(!Place::here().host.is_empty());
    }
}
