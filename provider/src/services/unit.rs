//! A program that shall run for as long as its stack: all that the supervisor knows about a service.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ConfigFile;

/// One program to keep running. Holds no secret: it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// The working folder: the component's own. A process that runs `program` here belongs to the unit.
    pub dir: PathBuf,
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// It refuses to run as the superuser.
    pub refuses_root: bool,
    /// What must have happened once before the first start.
    pub prepare: Option<Prepare>,
    /// A file with the program's pid that stops a new start when a kill -9 left it behind.
    pub pid_file: Option<PathBuf>,
    /// Sockets that it makes outside of its folder and leaves behind; their names hold its ports, so they are its own.
    #[serde(default)]
    pub stray_sockets: Vec<PathBuf>,
    /// How to end it when its data stays.
    pub stop: Halt,
    /// How to end it when its data is deleted afterwards.
    pub discard: Halt,
    /// Changes when the program has to be started anew: see [`Unit::stamped`].
    pub fingerprint: String,
}

/// A command that makes a folder, run once. A half-made folder is never used: it is made aside and renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// The program's file.
    pub program: PathBuf,
    /// Its arguments, which name `staging`.
    pub args: Vec<String>,
    /// Where the command works; emptied before each attempt.
    pub staging: PathBuf,
    /// Where the result goes. When it exists, nothing is to do.
    pub result: PathBuf,
}

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// What it is sent.
    pub signal: StopSignal,
    /// After this many milliseconds it is killed.
    pub patience_ms: u64,
}

impl Halt {
    /// The same, with at most this much patience.
    #[must_use]
    pub fn within(self, longest: Duration) -> Self {
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        Self {
            patience_ms: self.patience_ms.min(longest),
            ..self
        }
    }
}

/// The signals that end services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StopSignal {
    /// SIGINT: PostgreSQL's fast shutdown.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGKILL.
    Kill,
}

impl Unit {
    /// The unit with the fingerprint of its command line and of the files it reads.
    #[must_use]
    pub fn stamped(mut self, files: &[ConfigFile]) -> Self {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        part(&self.program.to_string_lossy());
        self.args.iter().for_each(|arg| part(arg));
        for file in files {
            part(file.name);
            part(&file.text);
        }
        self.fingerprint = hash
            .finalize()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self
    }
}
