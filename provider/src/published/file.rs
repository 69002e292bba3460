//! Small text files that appear whole or not at all.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, RawMode};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::atomic;

/// Far above any contract; a file beyond it is none.
const LARGEST: u64 = 4 << 20;
/// What the name of an unfinished file starts with; six characters follow, by which `atomic` knows it.
const UNFINISHED: &str = ".mlplat-";
/// How many links are followed, as many as Linux does.
const LINKS: usize = 40;

/// Why a file could not be read, written or removed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder that should hold it is not there. None is made: a misspelt path would leave a stray tree behind.
    #[error("cannot write {path}: the folder {folder} does not exist. To fix: create it, or correct the path")]
    NoFolder {
        /// The file.
        path: String,
        /// Its folder.
        folder: String,
    },
    /// There is something of that name which is no file.
    #[error("{0} is not a regular file. To fix: choose the path of a file")]
    NotAFile(String),
    /// The file is not text, or larger than any contract.
    #[error("{0} is not a text file of at most 4 MiB, so it is none of ours. To fix: choose another path")]
    NotText(String),
    /// A link that another user may have put there.
    #[error(
        "{link} is a symbolic link in the folder {folder}, where other users can put links: it is not followed. To fix: name \
         the file that is meant, or take the right to write in that folder from other users (`chmod go-w`)"
    )]
    Link {
        /// The link.
        link: String,
        /// Its folder.
        folder: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {path}: {source}. To fix: {}", remedy(.source))]
    Io {
        /// What was tried: `find`, `read`, `write`, `remove`.
        action: &'static str,
        /// The file.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "give the user that runs Terraform access to the file and its folder",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on that disk, then apply again",
        io::ErrorKind::ReadOnlyFilesystem => "choose a path on a file system that can be written to",
        _ => "see what the operating system says, then apply again",
    }
}

/// Where a file is: its folder, opened once, and its name there. So what was looked at is what is replaced or removed, even if
/// another process puts a link into the path in the meantime.
#[derive(Debug)]
pub struct Place {
    folder: OwnedFd,
    /// The folder's path, for what killed writers left there.
    parent: PathBuf,
    name: OsString,
    /// As the user named it.
    path: String,
}

impl Place {
    /// Finds the file's folder; a link of that name is followed, unless others can put links there.
    ///
    /// # Errors
    /// When there is no such folder, or such a link.
    pub fn of(path: &Path) -> Result<Self, FileError> {
        let named = shown(path);
        let io = |error: Errno| FileError::Io {
            action: "find",
            path: shown(path),
            source: error.into(),
        };
        let mut target = path.to_path_buf();
        for _ in 0..LINKS {
            let parent = atomic::folder(&target);
            let Some(name) = target.file_name().map(OsStr::to_owned) else {
                return Err(FileError::NotAFile(named));
            };
            let opened = fs::openat(
                fs::CWD,
                &parent,
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            );
            let folder = match opened {
                Ok(folder) => folder,
                Err(Errno::NOENT | Errno::NOTDIR) => {
                    return Err(FileError::NoFolder {
                        path: named,
                        folder: shown(&parent),
                    });
                }
                Err(error) => return Err(io(error)),
            };
            let entry = fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW);
            if !entry.is_ok_and(|entry| FileType::from_raw_mode(entry.st_mode) == FileType::Symlink) {
                return Ok(Self {
                    folder,
                    parent,
                    name,
                    path: named,
                });
            }
            if !is_trusted(&folder, &name).map_err(io)? {
                return Err(FileError::Link {
                    link: shown(&target),
                    folder: shown(&parent),
                });
            }
            let link = fs::readlinkat(&folder, &name, Vec::new()).map_err(io)?;
            target = parent.join(OsStr::from_bytes(link.as_bytes()));
        }
        Err(io(Errno::LOOP))
    }

    fn io(&self, action: &'static str, source: impl Into<io::Error>) -> FileError {
        FileError::Io {
            action,
            path: self.path.clone(),
            source: source.into(),
        }
    }

    /// The text of the file; `None` when there is none.
    ///
    /// # Errors
    /// When there is something that cannot be read as text.
    pub fn read(&self) -> Result<Option<String>, FileError> {
        let io = |error: io::Error| self.io("read", error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = match fs::openat(&self.folder, &self.name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(io(error.into())),
        };
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(FileError::NotAFile(self.path.clone()));
        }
        let mut bytes = Vec::new();
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > LARGEST {
            return Err(FileError::NotText(self.path.clone()));
        }
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| FileError::NotText(self.path.clone()))
    }

    /// Puts the text into the file: written beside it, forced to the disk, and renamed over it.
    ///
    /// # Errors
    /// When that fails; what was there before is untouched then.
    #[allow(clippy::unnecessary_cast, reason = "a mode has fewer bits on macOS")]
    pub fn replace(&self, text: &str, mode: u32) -> Result<(), FileError> {
        let io = |error: io::Error| self.io("write", error);
        atomic::sweep(&self.parent, UNFINISHED);
        let mut random = [0; 3];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let draft = format!("{UNFINISHED}{digits}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = fs::openat(&self.folder, &draft, flags, Mode::from_raw_mode(mode as RawMode));
        let mut file = File::from(opened.map_err(|error| io(error.into()))?);
        let written = file
            .write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| Ok(fs::renameat(&self.folder, &draft, &self.folder, &self.name)?));
        if let Err(error) = written {
            let _ = fs::unlinkat(&self.folder, &draft, AtFlags::empty());
            return Err(io(error));
        }
        // The new name is on the disk only when the folder is; not every file system offers that, so it is an attempt.
        let _ = fs::fsync(&self.folder);
        Ok(())
    }

    /// Removes the file; that there is none is fine.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn remove(&self) -> Result<(), FileError> {
        match fs::unlinkat(&self.folder, &self.name, AtFlags::empty()) {
            Err(error) if error != Errno::NOENT => Err(self.io("remove", error)),
            _ => Ok(()),
        }
    }
}

/// Whether nobody but this user and root can have put the link there.
fn is_trusted(folder: &OwnedFd, link: &OsStr) -> Result<bool, Errno> {
    let (folder, link) = (fs::fstat(folder)?, fs::statat(folder, link, AtFlags::SYMLINK_NOFOLLOW)?);
    let ours = |owner: u32| owner == 0 || owner == geteuid().as_raw();
    let mode = Mode::from_raw_mode(folder.st_mode);
    let shared = mode.intersects(Mode::WGRP | Mode::WOTH);
    // In a sticky folder such as /tmp, others can neither remove nor rename what is ours.
    let kept = mode.contains(Mode::SVTX) || !mode.contains(Mode::WOTH);
    Ok(ours(folder.st_uid) && (!shared || (ours(link.st_uid) && kept)))
}

/// The text of a file; `None` when there is none, or no folder for it.
///
/// # Errors
/// When there is something that cannot be read as text.
pub fn read(path: &Path) -> Result<Option<String>, FileError> {
    match Place::of(path) {
        Ok(place) => place.read(),
        Err(FileError::NoFolder { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The permission bits; `None` when there is no such file.
#[must_use]
pub fn mode(path: &Path) -> Option<u32> {
    Some(path.metadata().ok()?.permissions().mode() & 0o777)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn replace(path: &Path, text: &str, mode: u32) -> Result<(), FileError> {
        Place::of(path)?.replace(text, mode)
    }

    #[test]
    fn a_file_is_replaced_whole_with_its_permissions_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.yaml");
        fs::write(&path, "old").unwrap();
        replace(&path, "new", 0o600).unwrap();
        assert_eq!(read(&path).unwrap().as_deref(), Some("new"));
        assert_eq!(mode(&path), Some(0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        Place::of(&path).unwrap().remove().unwrap();
        Place::of(&path).unwrap().remove().unwrap();
        assert_eq!((read(&path).unwrap(), mode(&path)), (None, None));
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").unwrap();
        symlink("real", &link).unwrap();
        replace(&link, "new", 0o644).unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(real).unwrap(), "new");
    }

    #[test]
    fn a_link_is_followed_only_where_nobody_else_can_put_one() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("shared/link"));
        fs::write(&real, "old").unwrap();
        fs::create_dir(folder.path().join("shared")).unwrap();
        symlink(&real, &link).unwrap();
        for (mode, followed) in [
            (0o755, true),
            (0o1777, true),
            (0o775, true),
            (0o777, false),
            (0o757, false),
        ] {
            let shared = folder.path().join("shared");
            fs::set_permissions(shared, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(Place::of(&link).is_ok(), followed, "{mode:o}");
        }
        let told = replace(&link, "new", 0o600).unwrap_err().to_string();
        assert!(
            told.contains("chmod go-w") && fs::read_to_string(real).unwrap() == "old",
            "{told}"
        );
    }

    #[test]
    fn a_link_that_appears_after_the_look_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, unrelated) = (folder.path().join("secret.yaml"), folder.path().join("unrelated"));
        fs::write(&path, "ours").unwrap();
        fs::write(&unrelated, "precious").unwrap();
        let place = Place::of(&path).unwrap();
        assert_eq!(place.read().unwrap().as_deref(), Some("ours"));
        fs::remove_file(&path).unwrap();
        symlink(&unrelated, &path).unwrap();
        assert!(place.read().is_err(), "the link is not read");
        place.replace("new", 0o600).unwrap();
        assert_eq!(fs::read_to_string(unrelated).unwrap(), "precious");
        assert!(!path.is_symlink() && fs::read_to_string(path).unwrap() == "new");
    }

    #[test]
    fn links_in_a_circle_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link");
        symlink("link", &path).unwrap();
        assert!(matches!(Place::of(&path), Err(FileError::Io { .. })));
    }

    #[test]
    fn a_missing_folder_is_named_and_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("typo/endpoints.yaml");
        let text = replace(&path, "x", 0o644).unwrap_err().to_string();
        let (path, below) = (path.display(), folder.path().join("typo"));
        assert_eq!(
            text,
            format!(
                "cannot write {path}: the folder {} does not exist. To fix: create it, or correct the path",
                below.display()
            )
        );
        assert!(!below.exists());
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(FileError::NotAFile(_))));
        let path = folder.path().join("image");
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(matches!(read(&path), Err(FileError::NotText(_))));
        File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::NotText(_))));
    }
}
