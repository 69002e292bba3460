//! Every other Unix (macOS): `ps` and `lsof` instead of /proc, a check before each signal instead of a pidfd. Between check
//! and signal a pid could in theory change hands. Orphans go to init, which reaps them; a process that no state file names
//! is not found.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::super::identity::Identity;
use super::{Holder, Start};
use crate::wait;

/// How often a process is looked at that shall end.
const LOOK: Duration = Duration::from_millis(100);

/// A hold on one process, as good as checking can make it.
#[derive(Debug)]
pub(in super::super) struct Grip {
    identity: Identity,
    pid: Pid,
}

impl Grip {
    /// Takes hold of the process; `None` when it is gone.
    pub(in super::super) fn on(identity: &Identity) -> io::Result<Option<Self>> {
        let pid = i32::try_from(identity.pid).ok().and_then(Pid::from_raw);
        Ok(pid.filter(|_| names(identity)).map(|pid| Self {
            identity: identity.clone(),
            pid,
        }))
    }

    /// Sends a signal; a process that has ended takes none, which is no error.
    pub(in super::super) fn signal(&self, signal: Signal) -> io::Result<()> {
        if !names(&self.identity) {
            return Ok(());
        }
        match kill_process(self.pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns when the process has ended.
    pub(in super::super) async fn ended(&self) {
        while start_of(self.identity.pid).is_some_and(|start| !start.zombie && start.mark == self.identity.start) {
            wait::pause(LOOK).await;
        }
    }
}

fn names(identity: &Identity) -> bool {
    identity.boot == boot_id() && start_of(identity.pid).is_some_and(|start| start.mark == identity.start)
}

/// The start in whole seconds, as `ps` writes it.
pub(in super::super) fn start_of(pid: u32) -> Option<Start> {
    let said = ask("ps", &["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()])?;
    let (state, start) = said.trim().split_once(char::is_whitespace)?;
    Some(Start {
        mark: start.split_whitespace().collect::<Vec<_>>().join(" "),
        zombie: state.starts_with('Z'),
    })
}

/// Differs after every boot.
pub(in super::super) fn boot_id() -> String {
    ask("sysctl", &["-n", "kern.bootsessionuuid"])
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// There is only one.
pub(in super::super) fn pid_namespace() -> String {
    String::new()
}

/// There is nothing to do: init takes orphans.
pub(in super::super) fn adopt_orphans() -> io::Result<()> {
    Ok(())
}

/// There is nothing of the kind.
pub(in super::super) fn give_up_privileges() -> io::Result<()> {
    Ok(())
}

/// A path that starts this process's program; `file` is where it was. Once that is deleted, there is no way.
pub(in super::super) fn own_program(file: &Path) -> PathBuf {
    file.to_owned()
}

/// The first port on which a user without privileges may listen. (macOS asks for none on all addresses alone.)
pub(in super::super) fn first_open_port() -> u16 {
    1024
}

/// The working folder of a process, as far as `lsof` tells this user.
pub(in super::super) fn working_folder(pid: u32) -> Option<PathBuf> {
    let said = ask("lsof", &["-a", "-p", &pid.to_string(), "-d", "cwd", "-Fn"])?;
    said.lines().find_map(|line| line.strip_prefix('n')).map(PathBuf::from)
}

/// Nothing is known beyond the state file.
pub(in super::super) fn running_in(_dir: &Path, _programs: &[PathBuf]) -> Vec<Identity> {
    Vec::new()
}

/// Nothing is known about working folders.
pub(in super::super) fn lingers_in(_dir: &Path) -> bool {
    false
}

/// Whether nobody listens there any more, or a process whose end the kernel has not yet finished.
pub(in super::super) fn is_closing(place: SocketAddr) -> bool {
    listener(place).is_none()
}

/// Who listens there, or on this port of all addresses, as far as `lsof` tells this user.
pub(in super::super) fn listener(place: SocketAddr) -> Option<Holder> {
    let asked = |place: String| ask("lsof", &["-nP", &format!("-iTCP{place}"), "-sTCP:LISTEN", "-Fpc"]);
    let said = asked(format!("@{place}")).or_else(|| asked(format!(":{}", place.port())))?;
    let field = |letter| said.lines().find_map(|line| line.strip_prefix(letter));
    Some(Holder {
        pid: field('p')?.parse().ok()?,
        program: field('c')?.to_owned(),
    })
}

fn ask(program: &str, args: &[&str]) -> Option<String> {
    let answer = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    answer
        .status
        .success()
        .then(|| String::from_utf8_lossy(&answer.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_another_by_its_start() {
        let mine = start_of(std::process::id()).unwrap();
        assert!(!mine.zombie);
        assert!(mine.mark.len() > 15, "{mine:?}");
        let identity = Identity {
            pid: std::process::id(),
            start: mine.mark,
            boot: boot_id(),
        };
        assert!(Grip::on(&identity).unwrap().is_some());
        assert!(
            Grip::on(&Identity {
                start: "Thu Jan 1 00:00:00 1970".into(),
                ..identity
            })
            .unwrap()
            .is_none()
        );
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_seen() {
        let mut child = Command::new("true").spawn().unwrap();
        if let Some(start) = start_of(child.id()) {
            let identity = Identity {
                pid: child.id(),
                start: start.mark,
                boot: boot_id(),
            };
            if let Some(grip) = Grip::on(&identity).unwrap() {
                tokio::time::timeout(Duration::from_secs(60), grip.ended())
                    .await
                    .unwrap();
            }
        }
        child.wait().unwrap();
    }
}
