//! Notes on this machine of what is being made on AWS, so that a create that was cut off is continued and nothing is made
//! twice. A note outlives its create: that Terraform was answered does not tell that it has written its state. It goes when a
//! later call shows that a state knows the thing, and is locked as long as the process that makes it runs.

mod note;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

pub(crate) use self::note::{Note, Place, Target};
use self::note::{Process, hex};
use crate::config::Config;

/// A note that no call has asked for in this time is removed: its configuration or state is lost.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
/// Stands between the name and what tells two notes of the same name apart. No bucket's name has it.
const MARK: char = '@';

/// The notes of one kind of thing.
#[derive(Debug)]
pub(crate) struct Notes {
    dir: PathBuf,
    place: Place,
    /// The run of Terraform for which this process works.
    terraform: Process,
    /// Held until this process ends.
    locks: Mutex<Vec<File>>,
}

/// What is about to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    /// The name, if the configuration gives it.
    pub(crate) name: Option<&'a str>,
    /// What a generated name starts with.
    pub(crate) prefix: &'a str,
    /// Where it is made.
    pub(crate) target: &'a Target,
    /// What cannot be changed after the create.
    pub(crate) fixed: &'a str,
}

/// A create that is noted.
#[derive(Debug)]
pub(crate) struct Intent {
    pub(crate) name: String,
    pub(crate) note: Note,
    /// An earlier create of the same thing was cut off.
    pub(crate) left_behind: bool,
    /// `None` where this machine cannot keep notes.
    file: Option<(PathBuf, File)>,
}

/// How a create begins.
#[derive(Debug)]
pub(crate) enum Begun {
    /// It may go on.
    Noted(Box<Intent>),
    /// The provider of a run that was killed still works on it, and ends soon.
    Orphaned(String),
    /// Another resource or run makes it now; the folder of its configuration.
    Busy(String),
}

impl Notes {
    /// The notes of this kind, for the configuration for which this process works.
    pub(crate) fn new(config: &Config, kind: &str) -> Self {
        Self {
            dir: config.data_dir.join("aws").join(kind),
            place: Place::here(config),
            terraform: Process::parent(),
            locks: Mutex::default(),
        }
    }

    /// Notes what is about to be made, or finds the note of a create of it that was cut off.
    pub(crate) fn begin(&self, wanted: Wanted<'_>, generated: impl FnOnce() -> String) -> Begun {
        self.sweep();
        let mut orphaned = None;
        for (path, name) in self.all() {
            let Ok(file) = File::options().read(true).write(true).open(&path) else {
                continue;
            };
            let Some(found) = read(&file, &path) else { continue };
            if !self.means(&found, &name, wanted) {
                continue;
            }
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                if !found.terraform.runs() {
                    orphaned = Some(name);
                } else if wanted.name.is_some() {
                    return Begun::Busy(folder(&found));
                }
                continue;
            }
            // Another process may have removed or changed it before it was locked.
            let Some(found) = read(&file, &path).filter(|_| path.exists()) else {
                continue;
            };
            if found.ended {
                // Its state knows it, or is lost. Whichever: no create of it was cut off.
                if wanted.name.is_some() {
                    let _ = fs::remove_file(&path);
                }
                continue;
            }
            let mut note = self.note(wanted);
            if !found.id.is_empty() {
                note.id = found.id;
            }
            note.untagged = found.untagged;
            note.prefix = found.prefix;
            let mut intent = Intent {
                name,
                note,
                left_behind: true,
                file: Some((path, file)),
            };
            intent.write();
            return Begun::Noted(Box::new(intent));
        }
        if let Some(name) = orphaned {
            return Begun::Orphaned(name);
        }
        let name = wanted.name.map_or_else(generated, str::to_owned);
        let note = self.note(wanted);
        let file = self.begin_file(&name, &note).ok();
        Begun::Noted(Box::new(Intent {
            name,
            note,
            left_behind: false,
            file,
        }))
    }

    /// Where a create of this name was cut off that this configuration did not begin.
    pub(crate) fn elsewhere(&self, name: &str) -> Option<Place> {
        self.all().into_iter().find_map(|(path, found)| {
            let note = read(&File::open(&path).ok()?, &path)?;
            let place = note.place.filter(|place| *place != self.place && !note.ended)?;
            (found == name).then_some(place)
        })
    }

    /// A state knows this thing: what was noted of it is over.
    pub(crate) fn known(&self, name: &str, endpoint: &str, region: &str) {
        for (path, found) in self.all() {
            let note = || read(&File::open(&path).ok()?, &path);
            let same =
                |note: Note| note.place.is_none() || (note.target.endpoint == endpoint && note.target.region == region);
            if found == name && note().is_some_and(same) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    /// Keeps the note, and its lock until this process ends. `told`: the answer says that the thing is there.
    pub(crate) fn keep(&self, mut intent: Intent, told: bool) {
        intent.note.told = told;
        intent.write();
        if let Some((_, file)) = intent.file {
            self.locks.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        }
    }

    /// Whether this note is of a create that is wanted here.
    fn means(&self, note: &Note, name: &str, wanted: Wanted<'_>) -> bool {
        let Some(place) = &note.place else {
            // Of an older version, which noted the name alone.
            return match wanted.name {
                Some(wanted) => wanted == name,
                None => name.strip_prefix(wanted.prefix).is_some_and(|rest| {
                    rest.len() == super::s3_bucket::SUFFIX && rest.bytes().all(|byte| byte.is_ascii_hexdigit())
                }),
            };
        };
        let same_name = match wanted.name {
            // The same name can be given now that was generated then.
            Some(wanted) => wanted == name,
            None => note.prefix.as_deref() == Some(wanted.prefix) && note.fixed == wanted.fixed,
        };
        same_name && *place == self.place && note.target == *wanted.target
    }

    fn note(&self, wanted: Wanted<'_>) -> Note {
        let mut random = [0; 8];
        getrandom::fill(&mut random).expect("the system gives random bytes");
        Note {
            id: hex(&random),
            prefix: wanted.name.is_none().then(|| wanted.prefix.to_owned()),
            place: Some(self.place.clone()),
            target: wanted.target.clone(),
            fixed: wanted.fixed.to_owned(),
            terraform: self.terraform.clone(),
            provider: std::process::id(),
            told: false,
            ended: false,
            untagged: false,
        }
    }

    /// Whoever sees the note sees it whole and locked.
    fn begin_file(&self, name: &str, note: &Note) -> io::Result<(PathBuf, File)> {
        fs::create_dir_all(&self.dir)?;
        let mut draft = tempfile::Builder::new().prefix(".new-").tempfile_in(&self.dir)?;
        flock(draft.as_file(), FlockOperation::NonBlockingLockExclusive)?;
        draft.write_all(&serde_json::to_vec(note)?)?;
        draft.as_file().sync_all()?;
        let path = self.dir.join(format!("{name}{MARK}{}", note.id));
        let file = draft.persist_noclobber(&path).map_err(|error| error.error)?;
        File::open(&self.dir)?.sync_all()?;
        Ok((path, file))
    }

    /// Every note's file, with the name of what it is about.
    fn all(&self) -> Vec<(PathBuf, String)> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let mut all: Vec<_> = entries
            .filter_map(|entry| {
                let file = entry.file_name().into_string().ok()?;
                let name = file.split(MARK).next().filter(|name| !name.starts_with('.'))?;
                Some((entry.path(), name.to_owned()))
            })
            .collect();
        all.sort();
        all
    }

    /// Removes what is older than any create. A note that is still asked for is written again by its next create.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let changed = entry.metadata().and_then(|metadata| metadata.modified());
            let old = changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT));
            if old {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// Terraform has ended this provider in its own time: what it was told of is in its state.
pub(super) fn dismissed(config: &Config) {
    let (own, terraform) = (std::process::id(), Process::parent());
    let kinds = fs::read_dir(config.data_dir.join("aws"))
        .into_iter()
        .flatten()
        .flatten();
    for entry in kinds
        .filter_map(|kind| fs::read_dir(kind.path()).ok())
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let note = File::open(&path).ok().and_then(|file| read(&file, &path));
        let Some(mut note) = note.filter(|note| note.told && note.provider == own && note.terraform == terraform)
        else {
            continue;
        };
        note.ended = true;
        if let Ok(file) = File::options().write(true).open(&path) {
            let _ = write(&file, &note);
        }
    }
}

impl Intent {
    /// It is made without tags, by which it would be known.
    pub(crate) fn make_untagged(&mut self) {
        self.note.untagged = true;
        self.write();
    }

    /// It was never made.
    pub(crate) fn done(self) {
        if let Some((path, _)) = self.file {
            // What stays is a note of something that is not there, or is not empty, and changes nothing.
            let _ = fs::remove_file(path);
        }
    }

    fn write(&mut self) {
        if let Some((_, file)) = &self.file {
            let _ = write(file, &self.note);
        }
    }
}

fn write(mut file: &File, note: &Note) -> io::Result<()> {
    let text = serde_json::to_vec(note)?;
    file.rewind()?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

/// `None` when it makes no sense: it was cut off while it was written.
fn read(mut file: &File, path: &Path) -> Option<Note> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.read_to_end(&mut text).ok()?;
    let of_an_older_version = !path.file_name().map(OsStr::to_string_lossy)?.contains(MARK);
    if text.is_empty() && of_an_older_version {
        return Some(Note::default());
    }
    serde_json::from_slice(&text).ok()
}

fn folder(note: &Note) -> String {
    let place = note.place.as_ref();
    place.map_or_else(String::new, |place| place.folder.display().to_string())
}

#[cfg(test)]
mod tests;
