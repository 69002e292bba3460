//! The folders of sockets whose process was killed. Whoever starts next removes them.

use std::{
    fs::{self, File},
    io,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::Path,
    time::Duration,
};

use crate::socket::{PREFIX, SOCKET};

/// A folder that is younger may belong to a process that is only just starting.
const YOUNG: Duration = Duration::from_secs(60);
/// So many entries of the folder above are looked at, and so many folders are removed, by one start.
const ENTRIES: usize = 20_000;
const REMOVED: usize = 500;

/// Removes those beside `own`: of the same user, older than a minute, and with no process that listens.
pub(crate) fn sweep(own: &Path) {
    let (Some(parent), Ok(own)) = (own.parent(), own.symlink_metadata()) else {
        return;
    };
    let entries = fs::read_dir(parent).into_iter().flatten().flatten().take(ENTRIES);
    let left = entries.map(|entry| entry.path()).filter(|folder| {
        is_named_so(folder)
            // Of the entry itself: a link is not followed.
            && folder.symlink_metadata().is_ok_and(|data| {
                let age = data.modified().ok().and_then(|changed| changed.elapsed().ok());
                data.is_dir() && data.uid() == own.uid() && age.is_some_and(|age| age > YOUNG)
            })
            && is_abandoned(folder)
    });
    for folder in left.take(REMOVED) {
        // Nothing but the socket is ours: a folder with other things stays.
        let _ = fs::remove_file(folder.join(SOCKET));
        if fs::remove_dir(&folder).is_ok() {
            tracing::debug!(folder = %folder.display(), "removed what a killed provider left");
        }
    }
}

fn is_named_so(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.and_then(|name| name.strip_prefix(PREFIX))
        .is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether its process has ended: the lock on the folder is free, and no process listens on the socket. (Processes of earlier
/// versions took no lock.)
fn is_abandoned(folder: &Path) -> bool {
    let Ok(lock) = File::open(folder) else { return false };
    if lock.try_lock().is_err() {
        return false;
    }
    match UnixStream::connect(folder.join(SOCKET)) {
        Ok(_) => false,
        Err(error) => matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixListener, time::SystemTime};

    use super::*;

    #[test]
    fn only_the_old_folders_of_processes_that_ended_are_removed() {
        let parent = tempfile::tempdir().unwrap();
        let at = |name: &str| parent.path().join(name);
        let age = |name: &str| {
            let long_ago = SystemTime::now() - YOUNG * 2;
            File::open(at(name)).unwrap().set_modified(long_ago).unwrap();
        };
        let make = |name: &str| {
            fs::create_dir(at(name)).unwrap();
            UnixListener::bind(at(name).join(SOCKET)).unwrap()
        };
        let (dead, empty) = ("tfplug-00000000000000aa", "tfplug-00000000000000ab");
        drop(make(dead));
        fs::create_dir(at(empty)).unwrap();
        let (living, locked, other) = (
            "tfplug-00000000000000ac",
            "tfplug-00000000000000ad",
            "tfplug-00000000000000ae",
        );
        let _listens = make(living);
        drop(make(locked));
        let lock = File::open(at(locked)).unwrap();
        lock.try_lock().unwrap();
        drop(make(other));
        fs::write(at(other).join("notes"), "x").unwrap();
        let (misnamed, young) = ("tfplug-notes", "tfplug-00000000000000af");
        drop(make(misnamed));
        for name in [dead, empty, living, locked, other, misnamed] {
            age(name);
        }
        drop(make(young));
        std::os::unix::fs::symlink(at(misnamed), at("tfplug-00000000000000ba")).unwrap();
        sweep(&at(young));
        let left: std::collections::BTreeSet<_> = fs::read_dir(parent.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let expected = [living, locked, other, young, "tfplug-00000000000000ba", misnamed];
        assert_eq!(left, expected.map(str::to_owned).into());
        assert!(at(other).join("notes").exists());
    }
}
