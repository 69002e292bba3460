//! Ports: fixed by the user or chosen once, below the range from which the operating system serves connections, so that
//! nobody takes a port by chance while the stack is down.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::platform::listener;
use crate::services::LOOPBACK;

/// Where ports are chosen: above most well-known servers, below the 32768 of Linux and the 49152 of macOS.
const FIRST: u16 = 15_000;
const COUNT: u16 = 15_000;
/// Where Linux' own choices start.
const LIMIT: u16 = 32_768;

/// Whether somebody could listen there now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((LOOPBACK, port)).is_ok()
}

/// A free port that is not in `taken`, and now is; so is each port that lies one of `distances` above it. The search starts at a place that differs between stacks, and is the same
/// for one stack each time.
///
/// `None` when everything is taken.
pub(super) fn choose(stack: &Path, name: &str, distances: &[u16], taken: &mut BTreeSet<u16>) -> Option<u16> {
    let digest = Sha256::digest(format!("{}\0{name}", stack.display()));
    let start = u16::from_le_bytes([digest[0], digest[1]]);
    let usable = |port: u16| !taken.contains(&port) && is_free(port);
    let port = (0..COUNT)
        .map(|step| FIRST + (start % COUNT + step) % COUNT)
        .find(|port| {
            let above = distances.iter().map(|distance| port + distance);
            usable(*port) && above.into_iter().all(|port| port < LIMIT && usable(port))
        })?;
    taken.extend(distances.iter().map(|distance| port + distance));
    taken.insert(port);
    Some(port)
}

/// Who listens on `port`, in words.
pub(super) fn holder(port: u16) -> String {
    match listener(port) {
        Some(holder) => format!("{} (pid {})", holder.program, holder.pid),
        None => "a program of another user".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_the_same_each_time_and_avoids_what_is_taken() {
        let stack = Path::new("/stacks/a");
        let first = choose(stack, "postgres", &[], &mut BTreeSet::new()).unwrap();
        assert!((FIRST..FIRST + COUNT).contains(&first));
        assert_eq!(choose(stack, "postgres", &[], &mut BTreeSet::new()), Some(first));
        let mut taken = BTreeSet::from([first]);
        let second = choose(stack, "postgres", &[], &mut taken).unwrap();
        assert_ne!(second, first);
        assert!(taken.contains(&second));
        let lower = choose(stack, "store", &[10_000], &mut taken).unwrap();
        assert!(lower + 10_000 < LIMIT && taken.contains(&(lower + 10_000)));
    }

    #[test]
    fn a_listener_is_seen_and_named() {
        let listener = TcpListener::bind((LOOPBACK, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(!is_free(port));
        let holder = holder(port);
        assert!(holder.ends_with(&format!("(pid {})", std::process::id())), "{holder}");
        drop(listener);
        assert!(is_free(port));
    }
}
