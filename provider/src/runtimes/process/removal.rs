//! What is deleted of a stack's folder, and what is not: only what a stack keeps there.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::folder::{Contents, LOCK, is_known, known_files};
use super::owner::{Claim, Configuration, Standing};
use super::stack::Stack;
use super::store;
use crate::services::Component;
use crate::wait::{self, Look, WaitError};

/// How long a process that is just ending may still write into a folder.
const WRITING: Duration = Duration::from_secs(60);

/// What [`Stack::destroy`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// There was no stack.
    Nothing,
    /// The stack is deleted. Files of others were in its folder, and stay there.
    Stack {
        /// Those files; none = the folder is deleted too.
        left: Vec<PathBuf>,
    },
    /// Another configuration, or another resource of this one, has the stack by now: nothing was touched.
    Kept {
        /// Who.
        by: Configuration,
    },
}

impl Stack {
    /// Ends the services and deletes the stack with its data.
    ///
    /// # Errors
    /// When something does not end, or the folder holds no stack, or one of another name.
    pub async fn destroy(&self, cancelled: &CancellationToken) -> Result<Removed, StackError> {
        if !self.dir.exists() {
            return Ok(Removed::Nothing);
        }
        let (_lock, _) = self.lock(cancelled).await?;
        let mut parents = Vec::new();
        match self.contents()? {
            Contents::Nothing => {
                self.remove_files();
                self.remove_parents(&parents);
                return Ok(Removed::Nothing);
            }
            Contents::Stack(record) => {
                if let (Some(claim), Some(owner)) = (&self.claim, &record.owner) {
                    if claim.on(Some(owner)) != Standing::Ours {
                        return Ok(Removed::Kept {
                            by: owner.configuration.clone(),
                        });
                    }
                    claim.run.forget(&owner.id);
                }
                parents.extend(record.made_parents);
            }
            // Nothing says whose it is.
            Contents::Remains(error) if self.claim.is_some() => return Err(error),
            Contents::Remains(_) => {}
        }
        match self.want(&BTreeMap::new(), cancelled).await {
            // A full disk has no room to write down that nothing shall run.
            Err(StackError::Folder { .. }) => self.dismiss().await?,
            other => drop(other?),
        }
        self.gone(cancelled).await?;
        for component in Component::ALL {
            self.delete(&self.dir.join(component.as_str()), cancelled).await?;
        }
        self.remove_files();
        self.remove_parents(&parents);
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let foreign = entries.filter(|entry| !is_known(&entry.file_name()));
        let mut left: Vec<_> = foreign.map(|entry| entry.path()).collect();
        left.sort();
        Ok(Removed::Stack { left })
    }

    /// Removes the folder and those above it that were made for it, where nothing was made in them.
    pub(super) fn abandon(&self, made_parents: &[PathBuf]) {
        let _ = fs::remove_file(self.dir.join(LOCK));
        let _ = fs::remove_dir(&self.dir);
        self.remove_parents(made_parents);
    }

    /// What cannot be removed here stays, and the next destroy tries again: `stack.json` goes near the end.
    fn remove_files(&self) {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let half_written = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(store::UNFINISHED));
        for name in half_written.map(|entry| entry.file_name()).chain(known_files()) {
            let _ = fs::remove_file(self.dir.join(name));
        }
        let _ = fs::remove_dir(&self.dir);
    }

    /// The empty folders among those that were made for the stack, and those of the default place.
    fn remove_parents(&self, made: &[PathBuf]) {
        for dir in made.iter().rev() {
            if self.dir.starts_with(dir) && fs::remove_dir(dir).is_err() {
                return;
            }
        }
        // The default place may have been made for another stack.
        let by_default = |claim: &Claim| !claim.import_id.contains('@');
        if !self.claim.as_ref().is_none_or(by_default) {
            return;
        }
        let mut parent = self.dir.parent();
        for name in ["stacks", "mlplat"] {
            let Some(dir) = parent.filter(|dir| dir.file_name() == Some(OsStr::new(name))) else {
                return;
            };
            if dir.exists() && fs::remove_dir(dir).is_err() {
                return;
            }
            parent = dir.parent();
        }
    }

    /// Deletes one of the folders of the stack.
    pub(super) async fn delete(&self, folder: &Path, cancelled: &CancellationToken) -> Result<(), StackError> {
        let deleted = wait::until("a folder to be deleted", WRITING, cancelled, || async {
            Ok(match fs::remove_dir_all(folder) {
                Ok(()) => Look::Done(()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Look::Done(()),
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Look::NotYet(error.to_string()),
                Err(error) => return Err(error),
            })
        });
        deleted.await.map_err(|error| StackError::Folder {
            path: folder.to_owned(),
            source: match error {
                WaitError::Failed(source) => source,
                other => io::Error::other(other.to_string()),
            },
        })
    }
}
