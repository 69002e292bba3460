//! Linux: pidfd, /proc and the subreaper.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_child_subreaper};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::super::identity::Identity;
use super::{Holder, Start};

/// A hold on one process: what is sent through it reaches that process or nobody.
#[derive(Debug)]
pub(in super::super) struct Grip {
    pidfd: AsyncFd<OwnedFd>,
}

impl Grip {
    /// Takes hold of the process; `None` when it is gone. Must be called inside an async runtime.
    pub(in super::super) fn on(identity: &Identity) -> io::Result<Option<Self>> {
        let Some(pid) = pid(identity.pid) else { return Ok(None) };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Only now: a pid that is looked at first and opened then may be another process by then.
        if !names(identity) {
            return Ok(None);
        }
        #[expect(
            deprecated,
            reason = "sound for an OwnedFd, which nobody else can close; its successor is an unsafe fn"
        )]
        let pidfd = AsyncFd::with_interest(pidfd, Interest::READABLE)?;
        Ok(Some(Self { pidfd }))
    }

    /// Sends a signal; a process that has ended takes none, which is no error.
    pub(in super::super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(self.pidfd.get_ref(), signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns when the process has ended.
    pub(in super::super) async fn ended(&self) {
        // An error can only come from a runtime that shuts down.
        let _ = self.pidfd.readable().await;
    }
}

/// Whether the pid is still its own, though it may have ended without its parent having asked for its status.
fn names(identity: &Identity) -> bool {
    identity.boot == boot_id() && start_of(identity.pid).is_some_and(|start| start.mark == identity.start)
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

/// Field 22 of `/proc/PID/stat`: clock ticks since boot.
pub(in super::super) fn start_of(pid: u32) -> Option<Start> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    parse_stat(&text)
}

fn parse_stat(text: &str) -> Option<Start> {
    // The program's name may hold blanks and parentheses: the fields start after the last one.
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let mark = fields.nth(18)?.to_owned();
    Some(Start {
        mark,
        zombie: state == "Z" || state == "X",
    })
}

/// Differs after every boot: start times count from there.
pub(in super::super) fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

/// The processes of another one are not seen, and its pids are others' here.
pub(in super::super) fn pid_namespace() -> String {
    fs::read_link("/proc/self/ns/pid")
        .map(|link| link.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Descendants whose parent dies come to this process instead of to init, so that none is left as a zombie.
pub(in super::super) fn adopt_orphans() -> io::Result<()> {
    Ok(set_child_subreaper(Some(rustix::process::getpid()))?)
}

/// What this process and its children never gain again: see [`super::super::confinement`].
pub(in super::super) fn give_up_privileges() -> io::Result<()> {
    set_no_new_privs(true)?;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    // To listen below port 1024, and to be mapped into a user namespace (see `children`).
    let needed = CapabilitySet::NET_BIND_SERVICE | CapabilitySet::SETFCAP;
    let own = capabilities(None)?;
    if own.effective.contains(CapabilitySet::SETPCAP) {
        for number in 0..u64::BITS {
            let one = CapabilitySet::from_bits_retain(1 << number);
            if needed.contains(one) {
                continue;
            }
            match remove_capability_from_bounding_set(one) {
                Ok(()) => {}
                // The kernel has no more of them.
                Err(rustix::io::Errno::INVAL) => break,
                Err(error) => return Err(error.into()),
            }
        }
    }
    let inheritable = CapabilitySet::empty();
    Ok(set_capabilities(None, CapabilitySets { inheritable, ..own })?)
}

/// A path that starts this process's program, also after its file was deleted or replaced. `_file` is where it was.
pub(in super::super) fn own_program(_file: &Path) -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

/// The first port on which a user without privileges may listen.
pub(in super::super) fn first_open_port() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(1024)
}

/// The working folder of a process, as far as this user may know.
pub(in super::super) fn working_folder(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/cwd")).ok()
}

/// The processes that run one of `programs` with a working folder at or below `dir`. A program that was replaced on disk
/// since counts as itself.
pub(in super::super) fn running_in(dir: &Path, programs: &[PathBuf]) -> Vec<Identity> {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let programs: Vec<PathBuf> = programs
        .iter()
        .map(|program| program.canonicalize().unwrap_or_else(|_| program.clone()))
        .collect();
    let is_ours = |pid: u32| {
        let link = |name: &str| fs::read_link(format!("/proc/{pid}/{name}")).ok().map(undeleted);
        link("cwd").is_some_and(|cwd| cwd.starts_with(&dir)) && link("exe").is_some_and(|exe| programs.contains(&exe))
    };
    pids().filter(|pid| is_ours(*pid)).filter_map(Identity::of).collect()
}

/// Whether a process works in a folder at or below `dir` that was deleted.
pub(in super::super) fn lingers_in(dir: &Path) -> bool {
    let lingers = |cwd: PathBuf| {
        let undeleted = undeleted(cwd.clone());
        undeleted != cwd && undeleted.starts_with(dir)
    };
    pids().any(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(lingers))
}

/// The kernel marks what was removed by this ending.
fn undeleted(path: PathBuf) -> PathBuf {
    match path.to_str().and_then(|text| text.strip_suffix(" (deleted)")) {
        Some(text) => PathBuf::from(text),
        None => path,
    }
}

fn pids() -> impl Iterator<Item = u32> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Who listens there, or on this port of all addresses, as far as this user may know.
pub(in super::super) fn listener(place: SocketAddr) -> Option<Holder> {
    let sockets: HashSet<_> = listeners(place).map(|(_, socket)| socket).collect();
    let holds = |pid: &u32| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        descriptors
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| sockets.contains(&link))
    };
    let pid = pids().find(holds)?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm"))
        .unwrap_or_default()
        .trim()
        .to_owned();
    Some(Holder { pid, program })
}

/// Whether nobody listens there any more, or a process of this user whose end the kernel has not yet finished.
pub(in super::super) fn is_closing(place: SocketAddr) -> bool {
    let own = rustix::process::geteuid().as_raw();
    listeners(place).all(|(user, _)| user == own) && listener(place).is_none()
}

/// The sockets that take what is sent to this address, with their users.
fn listeners(place: SocketAddr) -> impl Iterator<Item = (u32, PathBuf)> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap_or_default());
    tables.into_iter().flat_map(move |table| listening(&table, place))
}

/// Those of a table of `/proc/net`, as links in `/proc/PID/fd` name them.
fn listening(table: &str, place: SocketAddr) -> Vec<(u32, PathBuf)> {
    const LISTEN: &str = "0A";
    let takes = |local: &str| {
        let (at, on) = local.split_once(':').unwrap_or_default();
        on == format!("{:04X}", place.port()) && (at == in_table(place.ip()) || at.bytes().all(|digit| digit == b'0'))
    };
    let lines = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    lines
        .filter(|fields| fields.get(1).is_some_and(|local| takes(local)) && fields.get(3) == Some(&LISTEN))
        .filter_map(|fields| {
            let (user, inode) = (fields.get(7)?.parse().ok()?, fields.get(9)?);
            Some((user, PathBuf::from(format!("socket:[{inode}]"))))
        })
        .collect()
}

/// An address as the tables write it: words of 32 bits in the machine's own order.
fn in_table(address: IpAddr) -> String {
    let bytes = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    bytes
        .chunks_exact(4)
        .map(|word| format!("{:08X}", u32::from_ne_bytes([word[0], word[1], word[2], word[3]])))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::LOCALHOST;

    #[test]
    fn a_program_with_parentheses_in_its_name_is_read_right() {
        let text = "42 (a) b) (c) S 1 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 1 0 987654 0 0";
        assert_eq!(
            parse_stat(text),
            Some(Start {
                mark: "987654".into(),
                zombie: false
            })
        );
        assert!(parse_stat(&text.replace(" S ", " Z ")).unwrap().zombie);
        assert_eq!(parse_stat("42 (cut off"), None);
    }

    #[test]
    fn only_listeners_on_the_very_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 11 1 0 100 0 0 10 0\n\
                     1: 0100007F:1F90 0100007F:0050 01 00000000:00000000 00:00000000 00000000 0 0 12 1 0 100 0 0 10 0\n\
                     2: 0100007F:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 13 1 0 100 0 0 10 0\n\
                     3: 010012AC:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 14 1 0 100 0 0 10 0\n\
                     4: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000 7 0 15 1 0 100 0 0 10 0\n";
        assert_eq!(
            listening(table, SocketAddr::new(LOCALHOST, 8080)),
            [(0, PathBuf::from("socket:[11]"))]
        );
        let bridge = |port| SocketAddr::new("172.18.0.1".parse().unwrap(), port);
        assert_eq!(listening(table, bridge(8080)), [(0, PathBuf::from("socket:[14]"))]);
        assert_eq!(listening(table, bridge(8081)), [(7, PathBuf::from("socket:[15]"))]);
        assert_eq!(in_table("::1".parse().unwrap()), "00000000000000000000000001000000");
    }

    #[test]
    fn the_holder_of_a_port_is_found() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let place = listener.local_addr().unwrap();
        assert_eq!(super::listener(place).unwrap().pid, std::process::id());
        assert!(!is_closing(place));
    }

    #[tokio::test]
    async fn a_pid_that_now_belongs_to_another_process_cannot_be_held() {
        let mine = Identity::of(std::process::id()).unwrap();
        assert!(Grip::on(&mine).unwrap().is_some());
        let former = Identity {
            start: "1".into(),
            ..mine.clone()
        };
        assert!(Grip::on(&former).unwrap().is_none());
        let before_boot = Identity {
            boot: "another".into(),
            ..mine
        };
        assert!(Grip::on(&before_boot).unwrap().is_none());
    }
}
