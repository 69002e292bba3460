//! Files that are whole or absent, even after a power cut, and what to do when one cannot be written.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// So many random characters follow the prefix of an unfinished file.
const RANDOM: usize = 6;
/// No write takes this long: an unfinished file that is older was left by a writer that was killed.
const ABANDONED: Duration = Duration::from_secs(600);
/// More entries of a folder are not looked at.
const ENTRIES: usize = 10_000;

/// Puts `text` into the file at once: readers see the old text or the new one, also after a power cut. The unfinished file
/// has a name that starts with `prefix`; those that killed writers left behind are removed.
///
/// # Errors
/// What was there before is untouched then.
pub(crate) fn replace(path: &Path, text: &[u8], mode: u32, prefix: &str) -> io::Result<()> {
    let folder = folder(path);
    sweep(&folder, prefix);
    let mut file = tempfile::Builder::new()
        .prefix(prefix)
        .rand_bytes(RANDOM)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(&folder)?;
    file.write_all(text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(&folder);
    Ok(())
}

/// Renames `from` to `to` in a way that a power cut cannot undo. What `from` holds is to be on the disk by then.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(&folder(to));
    Ok(())
}

/// A new name is on the disk only when its folder is. Not every file system offers that, so it is an attempt.
fn sync_folder(folder: &Path) {
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
}

/// Forces a folder and everything in it to the disk. Links are not followed.
pub(crate) fn sync_tree(path: &Path) -> io::Result<()> {
    let kind = path.symlink_metadata()?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path)? {
            sync_tree(&entry?.path())?;
        }
        sync_folder(path);
    } else if kind.is_file() {
        File::open(path)?.sync_all()?;
    }
    Ok(())
}

/// Removes what killed writers left: files of this user with such a name that nobody has written to for long.
pub(crate) fn sweep(folder: &Path, prefix: &str) {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten().take(ENTRIES) {
        let is_unfinished = entry.file_name().to_str().is_some_and(|name| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| rest.len() == RANDOM && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        });
        // Of the entry itself: a link is not followed.
        let is_abandoned = || {
            entry.metadata().is_ok_and(|data| {
                let age = data.modified().ok().and_then(|changed| changed.elapsed().ok());
                data.is_file() && data.uid() == own && age.is_some_and(|age| age > ABANDONED)
            })
        };
        if is_unfinished && is_abandoned() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// What a user can do about a file or folder that cannot be used: `elsewhere` says how to choose another place.
pub(crate) fn remedy(error: &io::Error, elsewhere: &str) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "free some space on that disk, then try again".to_owned(),
        io::ErrorKind::QuotaExceeded => {
            "free some of this user's disk quota, or have it raised, then try again".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => format!("mount that file system writable, or {elsewhere}"),
        io::ErrorKind::PermissionDenied => {
            format!("give this user the permission to read and write it, or {elsewhere}")
        }
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
            "restore this damaged file from a backup, or move its whole folder away and apply again without its data"
                .to_owned()
        }
        _ => format!("make it writable for this user, or {elsewhere}"),
    }
}

/// The folder of a file that is named relative to the current one too.
pub(crate) fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn make(path: &Path, age: Duration) {
        let file = File::create(path).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let old = ABANDONED + Duration::from_secs(60);
        make(&at(".new-abc123"), old);
        make(&at(".new-young1"), Duration::ZERO);
        for others in [".new-a.b.c.", ".new-longer1", ".new-", "notes", "x.new-abc123"] {
            make(&at(others), old);
        }
        fs::create_dir(at(".new-folder")).unwrap();
        make(&at("target"), old);
        std::os::unix::fs::symlink(at("target"), at(".new-link12")).unwrap();
        replace(&at("a.json"), b"1", 0o600, ".new-").unwrap();
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let expected = [
            ".new-",
            ".new-a.b.c.",
            ".new-folder",
            ".new-link12",
            ".new-longer1",
            ".new-young1",
            "a.json",
            "notes",
            "target",
            "x.new-abc123",
        ];
        assert_eq!(left, expected);
    }

    #[test]
    fn the_advice_fits_the_error() {
        let advice = |kind| remedy(&io::Error::from(kind), "set `data_dir` to another folder");
        for (kind, start) in [
            (io::ErrorKind::StorageFull, "free some space on that disk"),
            (io::ErrorKind::QuotaExceeded, "free some of this user's disk quota"),
            (io::ErrorKind::ReadOnlyFilesystem, "mount that file system writable"),
            (io::ErrorKind::PermissionDenied, "give this user the permission"),
            (io::ErrorKind::UnexpectedEof, "restore this damaged file"),
            (io::ErrorKind::NotFound, "make it writable for this user"),
        ] {
            assert!(advice(kind).starts_with(start), "{kind}: {}", advice(kind));
        }
        // As the operating system itself says it.
        for (number, kind) in [
            (rustix::io::Errno::NOSPC, io::ErrorKind::StorageFull),
            (rustix::io::Errno::DQUOT, io::ErrorKind::QuotaExceeded),
            (rustix::io::Errno::ROFS, io::ErrorKind::ReadOnlyFilesystem),
            (rustix::io::Errno::ACCESS, io::ErrorKind::PermissionDenied),
        ] {
            assert_eq!(io::Error::from(number).kind(), kind);
        }
    }

    #[test]
    fn a_tree_is_synced_with_its_links_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/file"), "x").unwrap();
        std::os::unix::fs::symlink("/nowhere", dir.path().join("link")).unwrap();
        sync_tree(dir.path()).unwrap();
        assert!(sync_tree(&dir.path().join("absent")).is_err());
    }
}
