//! The process environment, read once. Nothing else in this crate looks at it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// Where things are on this machine, for this user.
#[derive(Clone)]
pub struct Config {
    /// What can be fetched or built again: `$MLPLAT_CACHE_DIR`, else `mlplat` in the user's cache folder.
    /// Engines lie in `engines/<engine>/<version>/`. May not exist yet.
    pub cache_dir: PathBuf,
    /// What cannot: `$MLPLAT_DATA_DIR`, else `mlplat` in the user's data folder. Stacks lie in `stacks/<name>/`.
    /// May not exist yet.
    pub data_dir: PathBuf,
    /// For sockets, whose paths must be short: `$XDG_RUNTIME_DIR`, else the folder for temporary files. Exists.
    pub runtime_dir: PathBuf,
    /// The folders in which programs are looked up, in order: `$PATH`.
    pub path: Vec<PathBuf>,
    /// This program, to start it again as a supervisor.
    pub program: PathBuf,
    /// Where this program was started, without links: for a provider the folder in which Terraform runs. Empty: not known.
    pub working_dir: PathBuf,
    variables: BTreeMap<OsString, OsString>,
}

/// Why the environment cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Neither the folder nor a home folder is named.
    #[error(
        "cannot tell where {what} belongs: {variable} and HOME are both unset. To fix: set HOME, or {variable} to an absolute path"
    )]
    NoHome {
        /// What is kept there.
        what: &'static str,
        /// The variable that would name it.
        variable: &'static str,
    },
    /// A folder is named relative to wherever the program happens to be started.
    #[error("{variable} is {}, which is not an absolute path. To fix: set it to one, or unset it", .path.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        path: PathBuf,
    },
    /// The operating system does not say which file this program is.
    #[error("cannot find the file of this program: {0}. To fix: start it by its absolute path")]
    Program(String),
}

/// Where a folder comes from.
struct Place {
    what: &'static str,
    own: &'static str,
    xdg: &'static str,
    linux: &'static str,
    macos: &'static str,
}

const CACHE: Place = Place {
    what: "the cache",
    own: "MLPLAT_CACHE_DIR",
    xdg: "XDG_CACHE_HOME",
    linux: ".cache",
    macos: "Library/Caches",
};
const DATA: Place = Place {
    what: "the data of local stacks",
    own: "MLPLAT_DATA_DIR",
    xdg: "XDG_DATA_HOME",
    linux: ".local/share",
    macos: "Library/Application Support",
};

impl Config {
    /// Reads the environment of this process.
    ///
    /// # Errors
    /// When no folder can be derived from it.
    #[allow(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the environment"
    )]
    pub fn from_env() -> Result<Self, ConfigError> {
        let program = std::env::current_exe().map_err(|error| ConfigError::Program(error.to_string()))?;
        let working_dir = std::env::current_dir().and_then(|dir| dir.canonicalize());
        Ok(Self {
            // A folder that was deleted under its programs has no name.
            working_dir: working_dir.unwrap_or_default(),
            ..Self::from_variables(std::env::vars_os().collect(), program, std::env::temp_dir())?
        })
    }

    /// Builds the configuration from variables given by the caller; the working folder is not known.
    ///
    /// # Errors
    /// When no folder can be derived from them.
    pub fn from_variables(
        variables: BTreeMap<OsString, OsString>,
        program: PathBuf,
        temporary: PathBuf,
    ) -> Result<Self, ConfigError> {
        let path = variables
            .get(OsStr::new("PATH"))
            .map(|path| std::env::split_paths(path).collect());
        Ok(Self {
            cache_dir: folder(&variables, &CACHE)?,
            data_dir: folder(&variables, &DATA)?,
            runtime_dir: absolute(&variables, "XDG_RUNTIME_DIR")
                .filter(|dir| dir.is_dir())
                .unwrap_or(temporary),
            path: path.unwrap_or_default(),
            program,
            working_dir: PathBuf::new(),
            variables,
        })
    }

    /// The folder of one engine in the cache, made or not.
    #[must_use]
    pub fn engine_dir(&self, engine: &str, version: &str) -> PathBuf {
        self.cache_dir.join("engines").join(engine).join(version)
    }

    /// The default folder of a stack, made or not.
    #[must_use]
    pub fn stack_dir(&self, name: &str) -> PathBuf {
        self.data_dir.join("stacks").join(name)
    }

    /// One variable of the environment; `None` when it is unset.
    #[must_use]
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// All variables of the environment, by name.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }
}

/// Names only: values of the environment may be secrets.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("cache_dir", &self.cache_dir)
            .field("data_dir", &self.data_dir)
            .field("runtime_dir", &self.runtime_dir)
            .field("path", &self.path)
            .field("program", &self.program)
            .field("working_dir", &self.working_dir)
            .finish_non_exhaustive()
    }
}

fn folder(variables: &BTreeMap<OsString, OsString>, place: &Place) -> Result<PathBuf, ConfigError> {
    if let Some(own) = value(variables, place.own) {
        let path = PathBuf::from(own);
        return if path.is_absolute() {
            Ok(path)
        } else {
            Err(ConfigError::Relative {
                variable: place.own,
                path,
            })
        };
    }
    // The XDG specification: a relative path is invalid and is ignored.
    if let Some(xdg) = absolute(variables, place.xdg) {
        return Ok(xdg.join("mlplat"));
    }
    let home = absolute(variables, "HOME").ok_or(ConfigError::NoHome {
        what: place.what,
        variable: place.own,
    })?;
    let below = if cfg!(target_os = "macos") {
        place.macos
    } else {
        place.linux
    };
    Ok(home.join(below).join("mlplat"))
}

fn absolute(variables: &BTreeMap<OsString, OsString>, name: &str) -> Option<PathBuf> {
    value(variables, name)
        .map(PathBuf::from)
        .filter(|path| Path::is_absolute(path))
}

/// A variable that is set to nothing counts as unset.
fn value<'a>(variables: &'a BTreeMap<OsString, OsString>, name: &str) -> Option<&'a OsStr> {
    variables
        .get(OsStr::new(name))
        .map(OsString::as_os_str)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Config::from_variables(variables, "/bin/mlplat".into(), "/tmp".into())
    }

    #[test]
    fn the_most_specific_variable_names_the_folder() {
        let all = [
            ("MLPLAT_CACHE_DIR", "/c"),
            ("XDG_CACHE_HOME", "/x"),
            ("HOME", "/h"),
            ("PATH", "/a:/b"),
        ];
        let found = config(&all).unwrap();
        assert_eq!(found.cache_dir, Path::new("/c"));
        assert_eq!(found.path, [Path::new("/a"), Path::new("/b")]);
        assert_eq!(config(&all[1..]).unwrap().cache_dir, Path::new("/x/mlplat"));
        let below = if cfg!(target_os = "macos") {
            "/h/Library/Caches/mlplat"
        } else {
            "/h/.cache/mlplat"
        };
        assert_eq!(config(&all[2..]).unwrap().cache_dir, Path::new(below));
    }

    #[test]
    fn an_empty_or_relative_xdg_folder_is_ignored_and_a_relative_folder_of_ours_is_refused() {
        let home = config(&[("HOME", "/h")]).unwrap().data_dir;
        assert_eq!(config(&[("HOME", "/h"), ("XDG_DATA_HOME", "")]).unwrap().data_dir, home);
        assert_eq!(
            config(&[("HOME", "/h"), ("XDG_DATA_HOME", "x")]).unwrap().data_dir,
            home
        );
        let refused = config(&[("HOME", "/h"), ("MLPLAT_DATA_DIR", "x")]).unwrap_err();
        assert_eq!(
            refused,
            ConfigError::Relative {
                variable: "MLPLAT_DATA_DIR",
                path: "x".into()
            }
        );
    }

    #[test]
    fn without_a_home_the_variable_to_set_is_named() {
        let text = config(&[("MLPLAT_CACHE_DIR", "/c")]).unwrap_err().to_string();
        assert_eq!(
            text,
            "cannot tell where the data of local stacks belongs: MLPLAT_DATA_DIR and HOME are both unset. \
             To fix: set HOME, or MLPLAT_DATA_DIR to an absolute path"
        );
    }

    #[test]
    fn values_of_the_environment_are_not_printed() {
        let config = config(&[("HOME", "/h"), ("AWS_SECRET_ACCESS_KEY", "canary")]).unwrap();
        assert!(!format!("{config:?}").contains("canary"));
        assert_eq!(config.variable("AWS_SECRET_ACCESS_KEY"), Some(OsStr::new("canary")));
    }
}
