//! The tests' one polling loop.

use std::thread;
use std::time::{Duration, Instant};

/// Calls `check` until it yields something.
///
/// # Panics
/// After `limit`; the message says what was awaited.
pub fn until<T>(what: &str, limit: Duration, mut check: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = check() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} for {what}");
        thread::sleep(Duration::from_millis(25));
    }
}
