//! What to do about what an engine says in its log or in an answer.

use std::io;

use crate::services::Component;

/// What the operating system says in an engine's log about a disk, and its kind.
const DISK: [(&str, io::ErrorKind); 3] = [
    ("No space left on device", io::ErrorKind::StorageFull),
    ("Disk quota exceeded", io::ErrorKind::QuotaExceeded),
    ("Read-only file system", io::ErrorKind::ReadOnlyFilesystem),
];

/// What Valkey and Redis say when their append-only file cannot be read.
const DAMAGED_FILE: [&str; 2] = [
    "Bad file format reading the append only file",
    "Unrecoverable error reading the append only file",
];

/// How the engines say that the name or the password is wrong.
const LOGIN_REFUSED: [&str; 6] = [
    "WRONGPASS",
    "NOAUTH",
    "(28P01)",
    "(28000)",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
];

/// Why the disk keeps a service from running, if its log says so.
pub(super) fn disk_trouble(log: &str) -> Option<io::ErrorKind> {
    DISK.iter().find(|(text, _)| log.contains(text)).map(|(_, kind)| *kind)
}

/// Whether this is the answer of a service that does not accept our password: no waiting helps.
pub(super) fn is_login_refused(answer: &str) -> bool {
    LOGIN_REFUSED.iter().any(|text| answer.contains(text))
}

/// What to do about a service that does not stay up or does not answer as it should: `said` is its answer and its log.
pub(super) fn on(component: Component, said: &str) -> String {
    let start_over = format!("remove `{component}` from the configuration, apply, and add it again without its data");
    if DAMAGED_FILE.iter().any(|text| said.contains(text)) {
        return format!(
            "repair the append-only file that the log names (`valkey-check-aof --fix FILE`, or `redis-check-aof`), then apply \
             again; or {start_over}"
        );
    }
    if is_login_refused(said) {
        return format!(
            "restore {component}/login.json below the stack's folder, which holds the password that the data was made with, \
             then apply again; or {start_over}"
        );
    }
    "correct what the log below complains about, then apply again".to_owned()
}

/// The text, with `advice` where it has none yet.
pub(super) fn with_fix(text: &str, advice: &str) -> String {
    if text.contains("To fix:") {
        text.to_owned()
    } else {
        format!("{}. To fix: {advice}", text.trim_end_matches(['.', '\n']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_log_says_about_the_disk_is_known() {
        let said = "FATAL: could not write lock file \"postmaster.pid\": No space left on device";
        assert_eq!(disk_trouble(said), Some(io::ErrorKind::StorageFull));
        assert_eq!(
            disk_trouble("open: Read-only file system"),
            Some(io::ErrorKind::ReadOnlyFilesystem)
        );
        assert_eq!(disk_trouble("ready to accept connections"), None);
    }

    #[test]
    fn each_trouble_has_its_own_way_out() {
        let garbage = "Bad file format reading the append only file appendonly.aof.1.incr.aof: make a backup";
        assert!(on(Component::Redis, garbage).contains("valkey-check-aof --fix"));
        let refused = "password authentication failed for user \"mlplat_admin\" (28P01)";
        assert!(on(Component::Postgres, refused).starts_with("restore postgres/login.json"));
        assert!(on(Component::Postgres, "unrecognized configuration parameter").starts_with("correct what"));
        assert_eq!(with_fix("it is full.", "empty it"), "it is full. To fix: empty it");
        assert_eq!(with_fix("full. To fix: x", "y"), "full. To fix: x");
    }
}
