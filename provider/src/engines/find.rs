//! Which engines are here: what is installed comes first, then the cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Engine, EngineError, Engines, Found, matches, pins};

impl Engines {
    /// The first of `engines` that is here in version `wanted` (`None` = any). Installed ones go before fetched ones,
    /// newer ones before older ones.
    ///
    /// # Errors
    /// [`EngineError::Missing`], which names the command that fetches one.
    pub fn find(&self, engines: &[Engine], wanted: Option<&str>) -> Result<Found, EngineError> {
        let mut seen = Vec::new();
        for &engine in engines {
            for found in self.all(engine) {
                if wanted.is_none_or(|wanted| matches(&found.version, wanted)) {
                    return Ok(found);
                }
                seen.push(found.version);
            }
        }
        Err(missing(engines, wanted, seen))
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
        found.sort_by_key(|found| std::cmp::Reverse(numbers(&found.version)));
        found.extend(self.cached(engine));
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
    let wanted = format!(
        "{}{}",
        names.join(" or "),
        wanted.map(|version| format!(" {version}")).unwrap_or_default()
    );
    match engines.iter().find(fetched) {
        Some(&engine) => EngineError::Missing { wanted, engine, seen },
        None => EngineError::MissingUnpackaged {
            wanted,
            seen,
            package: otherwise(engines),
        },
    }
}

fn otherwise(engines: &[Engine]) -> &'static str {
    engines.iter().find_map(|engine| pins::pin(*engine)).map_or(
        "the system's package manager (`apt-get install redis-server`, `brew install redis`)",
        |pin| pin.otherwise,
    )
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

/// What the program says of itself; `None` when it cannot run here.
fn ask_version(server: &Path) -> Option<String> {
    let flag = if server.ends_with("weed") {
        "version"
    } else {
        "--version"
    };
    let answer = Command::new(server)
        .arg(flag)
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

fn numbers(version: &str) -> Vec<u32> {
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
    fn what_nobody_packages_gets_another_advice_than_what_can_be_fetched() {
        let nowhere = Engines {
            cache: "/nowhere".into(),
            path: Vec::new(),
        };
        let error = nowhere.find(&[Engine::Postgres], Some("3")).unwrap_err().to_string();
        assert!(error.starts_with("no PostgreSQL 3 on this machine"), "{error}");
        assert!(error.contains("apt-get install postgresql"), "{error}");
        assert!(!error.contains("mlplat engines install"), "{error}");
    }
}
