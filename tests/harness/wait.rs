//! The tests' one polling loop.

use std::thread;
use std::time::{Duration, Instant};

/// Calls `check` until it yields something.
///
/// # Panics
/// After `limit`; the message says what was awaited.
pub fn until<T>(what: &str, limit: Duration, check: impl FnMut() -> Option<T>) -> T {
    within(limit, check).unwrap_or_else(|| panic!("waited {limit:?} for {what}"))
}

/// Calls `check` until it yields something, or the time is over.
pub fn within<T>(limit: Duration, mut check: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = check() {
            return Some(found);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(Duration::from_millis(25));
    }
}
