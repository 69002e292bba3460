//! What to do about a file that the operating system does not let us use.

use std::io::{Error, ErrorKind};

/// An imperative sentence without a full stop, for the end of an error: `To fix: …`.
pub(super) fn of_file(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "create it, or correct the path",
        ErrorKind::PermissionDenied => "give this user access to it and to the folders above it",
        ErrorKind::IsADirectory => "name a file; this is a folder",
        ErrorKind::NotADirectory => "correct the path; a part of it is a file",
        ErrorKind::InvalidData => "save it as UTF-8 text",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space on that disk, then run this again",
        ErrorKind::ReadOnlyFilesystem => "choose a path on a file system that can be written to",
        _ => "see what the operating system says, then run this again",
    }
}

#[cfg(test)]
mod tests {
    use super::of_file;

    #[test]
    fn every_reason_has_a_fix_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("latin1"), b"\xff").unwrap();
        for (name, fix) in [
            ("missing", "create it, or correct the path"),
            ("", "name a file; this is a folder"),
            ("latin1/below", "correct the path; a part of it is a file"),
            ("latin1", "save it as UTF-8 text"),
        ] {
            let error = std::fs::read_to_string(folder.path().join(name)).unwrap_err();
            assert_eq!(of_file(&error), fix, "{name}: {error}");
        }
    }
}
