//! Ports: fixed by the user or chosen once, below the range from which the operating system serves connections, so that
//! nobody takes a port by chance while the stack is down.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::Uid;
use sha2::{Digest, Sha256};

use super::addresses;
use super::error::StackError;
use super::platform::{first_open_port, is_closing, listener, working_folder};
use super::record::Record;
use crate::services::Component;

/// Where ports are chosen: above most well-known servers, below the 32768 of Linux and the 49152 of macOS.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;
/// Where Linux' own choices start.
const LIMIT: u16 = 32_768;

/// Whether a service could listen there now.
pub(super) fn is_free(place: SocketAddr) -> bool {
    obstacle(place).is_none()
}

/// What keeps a service from listening there now.
pub(super) fn obstacle(place: SocketAddr) -> Option<io::Error> {
    TcpListener::bind(place).err()
}

/// The error for a place where `component` cannot listen because of `obstacle`; `None` stands for another user's socket
/// file.
pub(super) fn refused(component: Component, place: SocketAddr, obstacle: Option<io::Error>) -> StackError {
    match obstacle {
        Some(source) if source.kind() == io::ErrorKind::AddrNotAvailable => StackError::NoSuchAddress {
            address: place.ip(),
            here: addresses::all(),
        },
        Some(source) if source.kind() == io::ErrorKind::PermissionDenied && place.port() < first_open_port() => {
            StackError::PrivilegedPort {
                component,
                place,
                first: first_open_port(),
            }
        }
        Some(source) if source.kind() != io::ErrorKind::AddrInUse => StackError::PortRefused {
            component,
            place,
            source,
        },
        _ => StackError::PortTaken {
            component,
            place,
            holder: holder(place),
        },
    }
}

/// Whether one of these sockets is another user's: only its owner may remove it, so it stops a server even when nobody
/// listens there any more.
pub(super) fn is_strangers(sockets: &[PathBuf]) -> bool {
    is_in_the_way_of(rustix::process::geteuid(), sockets)
}

fn is_in_the_way_of(own: Uid, sockets: &[PathBuf]) -> bool {
    let owner = |path: &PathBuf| fs::symlink_metadata(path).ok().map(|data| data.uid());
    !own.is_root() && sockets.iter().filter_map(owner).any(|owner| owner != own.as_raw())
}

/// Ports that one stack chose and does not listen on yet: stacks that are made at the same moment do not meet at them. For
/// as long as a claim lives, the UDP port of the same number is bound; no service has use for that, and the kernel lets it
/// go whatever ends the claimant.
#[derive(Debug, Default)]
pub(super) struct Claims(Vec<UdpSocket>);

impl Claims {
    /// Claims the port; `false` when somebody else has claimed it.
    pub(super) fn take(&mut self, place: SocketAddr) -> bool {
        UdpSocket::bind(place).map(|claim| self.0.push(claim)).is_ok()
    }
}

/// A port whose `places` are all `usable`. The search starts at a place that differs between stacks, and is the same for
/// one stack each time.
///
/// `None` when nothing is usable.
pub(super) fn choose(
    stack: &Path,
    name: &str,
    places: impl Fn(u16) -> Vec<SocketAddr>,
    mut usable: impl FnMut(SocketAddr) -> bool,
) -> Option<u16> {
    let digest = Sha256::digest(format!("{}\0{name}", stack.display()));
    let start = u16::from_le_bytes([digest[0], digest[1]]);
    let mut usable = |place: SocketAddr| place.port() < LIMIT && usable(place);
    // Where the highest place is still below the limit. Beginning elsewhere, half of all stacks would meet at the first.
    let highest = places(FIRST).iter().map(SocketAddr::port).max().unwrap_or(FIRST);
    let count = COUNT.min(LIMIT.saturating_sub(highest)).max(1);
    (0..count)
        .map(|step| FIRST + (start % count + step) % count)
        .find(|port| places(*port).into_iter().all(&mut usable))
}

/// Who listens there, in words: the program, and the stack when it is one's service.
pub(super) fn holder(place: SocketAddr) -> String {
    match listener(place) {
        Some(holder) => {
            let stack = working_folder(holder.pid).and_then(|folder| stack_above(&folder));
            let of = stack.map(|stack| format!(" of {stack}")).unwrap_or_default();
            format!("{} (pid {}){of}", holder.program, holder.pid)
        }
        None if is_closing(place) => "a program that is about to end, or that does not listen on it yet".to_owned(),
        None => "a program of another user".to_owned(),
    }
}

/// The stack in whose folder, or in that of a component, this one lies.
fn stack_above(folder: &Path) -> Option<String> {
    // The engine's folder is one below the stack's; that of what gives pods access is two below.
    let mut above = folder.ancestors().skip(1).take(2);
    above.find_map(|dir| {
        let record = Record::read(dir).ok()??;
        Some(format!("the local stack \"{}\" in {}", record.spec.name, dir.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::LOCALHOST;
    use std::collections::BTreeSet;

    fn here(port: u16) -> SocketAddr {
        SocketAddr::new(LOCALHOST, port)
    }

    #[test]
    fn a_choice_is_the_same_each_time_and_avoids_what_is_taken() {
        let stack = Path::new("/stacks/a");
        let alone = |port| vec![here(port)];
        let first = choose(stack, "postgres", alone, |_| true).unwrap();
        assert!((FIRST..FIRST + COUNT).contains(&first));
        assert_eq!(choose(stack, "postgres", alone, |_| true), Some(first));
        let free = |place: SocketAddr| place.port() != first;
        let second = choose(stack, "postgres", alone, free).unwrap();
        assert_ne!(second, first);
        let lower = choose(stack, "store", |port| vec![here(port), here(port + 10_000)], free).unwrap();
        assert!(lower + 10_000 < LIMIT);
        let above = |place: SocketAddr| free(place) && place.port() != second + 1;
        let pair = choose(stack, "postgres", |port| vec![here(port), here(port + 1)], above).unwrap();
        assert_ne!(pair, second);
        assert_eq!(choose(stack, "postgres", alone, |_| false), None);
    }

    #[test]
    fn a_claimed_port_is_not_chosen_and_still_free_to_listen_on() {
        let (mut ours, mut others) = (Claims::default(), Claims::default());
        let choose = |claims: &mut Claims| {
            let usable = |place| claims.take(place) && is_free(place);
            choose(Path::new("/stacks/claims"), "redis", |port| vec![here(port)], usable).unwrap()
        };
        let port = choose(&mut ours);
        assert_ne!(choose(&mut others), port);
        TcpListener::bind(here(port)).unwrap();
        assert!(!others.take(here(port)));
        drop(ours);
        assert!(others.take(here(port)));
    }

    /// Stacks that are made at the same moment see none of each other's ports.
    #[test]
    fn stacks_do_not_meet_at_a_port_that_has_another_far_above() {
        let places = |port| vec![here(port), here(port + 10_000)];
        let chosen: BTreeSet<u16> = (0..50)
            .map(|number| choose(Path::new(&format!("/stacks/{number}")), "admin", places, |_| true).unwrap())
            .collect();
        assert!(chosen.len() > 45, "{chosen:?}");
    }

    #[test]
    fn each_reason_for_which_a_port_cannot_be_used_is_told_with_its_own_fix() {
        let privileged = SocketAddr::new(LOCALHOST, first_open_port() - 1);
        let told = |place, error: io::Error| refused(Component::Redis, place, Some(error)).to_string();
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let text = told(privileged, denied());
        let first = first_open_port();
        assert!(
            text.ends_with(&format!(
                "To fix: set `redis.port` to a port from {first} on, or leave it out"
            )),
            "{text}"
        );
        assert!(text.contains("this user may not listen on ports below"), "{text}");
        // Refused although it is no privileged one, such as by SELinux.
        let text = told(here(5432), denied());
        assert!(
            text.starts_with("`redis` may not listen on port 5432: permission denied. To fix: "),
            "{text}"
        );
        assert!(told(here(5432), rustix::io::Errno::MFILE.into()).contains("(os error 24)"));
        let elsewhere = SocketAddr::new("203.0.113.1".parse().unwrap(), 5432);
        let text = told(elsewhere, obstacle(elsewhere).unwrap());
        assert!(text.starts_with("this machine has no address 203.0.113.1"), "{text}");
        let taken = TcpListener::bind(here(0)).unwrap();
        let place = taken.local_addr().unwrap();
        let text = told(place, obstacle(place).unwrap());
        assert!(text.contains("is taken by "), "{text}");
    }

    #[test]
    fn only_a_strangers_socket_is_in_the_way() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let owner = file.as_file().metadata().unwrap().uid();
        let sockets = [PathBuf::from("/nowhere/a.sock"), file.path().to_owned()];
        assert!(!is_in_the_way_of(Uid::from_raw(owner), &sockets));
        assert!(is_in_the_way_of(Uid::from_raw(owner + 1), &sockets));
        assert!(!is_in_the_way_of(Uid::ROOT, &sockets), "the superuser removes it");
    }

    #[test]
    fn a_listener_is_seen_and_named() {
        let listener = TcpListener::bind(here(0)).unwrap();
        let place = listener.local_addr().unwrap();
        assert!(!is_free(place));
        let holder = holder(place);
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
        drop(listener);
        // A process that another thread is just starting has all that is open here for a moment.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        while !is_free(place) {
            assert!(std::time::Instant::now() < deadline, "{place} is not free again");
            std::thread::yield_now();
        }
    }
}
