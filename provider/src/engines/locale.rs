//! How a new PostgreSQL cluster sorts and what it takes for a letter: as on RDS, as far as this machine can.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Engine, Found, find::numbers};

/// The locale of a new cluster. Data that exists keeps its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// `en_US.UTF-8` of the system, as on RDS.
    EnUs,
    /// The rules of English from ICU, where the server is built with it. They sort as `en_US.UTF-8` does, but for details.
    Icu {
        /// Whether the system has `C.UTF-8` for what ICU is not asked for.
        c_utf8: bool,
    },
    /// Letters of all languages, sorted by code point: PostgreSQL's own, from major version 17 on.
    Builtin,
    /// The same from the system.
    CUtf8,
    /// Letters of ASCII alone.
    #[default]
    C,
}

impl Locale {
    /// The best that this engine and this machine have. Runs a program.
    #[must_use]
    pub fn best(engine: &Found) -> Self {
        if engine.engine != Engine::Postgres {
            return Self::default();
        }
        let major = numbers(&engine.version).first().copied().unwrap_or_default();
        Self::choose(major, has_icu(&engine.program("postgres")), &system_locales())
    }

    fn choose(major: u32, has_icu: bool, system: &[String]) -> Self {
        let has = |name: &str| system.iter().any(|there| plain(there) == name);
        if has("en_us.utf8") {
            Self::EnUs
        } else if has_icu && major >= 15 {
            Self::Icu { c_utf8: has("c.utf8") }
        } else if major >= 17 {
            Self::Builtin
        } else if has("c.utf8") {
            Self::CUtf8
        } else {
            Self::C
        }
    }

    /// The arguments of initdb. Messages stay English: errors are recognized by them.
    #[must_use]
    pub fn initdb(&self) -> Vec<String> {
        let arguments: &[&str] = match self {
            Self::EnUs => &["--locale=en_US.UTF-8"],
            Self::Icu { c_utf8: true } => &["--locale-provider=icu", "--icu-locale=en-US", "--locale=C.UTF-8"],
            Self::Icu { c_utf8: false } => &["--locale-provider=icu", "--icu-locale=en-US", "--locale=C"],
            Self::Builtin => &["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],
            Self::CUtf8 => &["--locale=C.UTF-8"],
            Self::C => &["--locale=C"],
        };
        arguments
            .iter()
            .chain(&["--lc-messages=C"])
            .map(|argument| (*argument).to_owned())
            .collect()
    }
}

/// "en_US.UTF-8" and "en_US.utf8" are one.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace("utf-8", "utf8")
}

fn system_locales() -> Vec<String> {
    let answer = Command::new("locale")
        .arg("-a")
        .current_dir("/")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let text = answer.map(|answer| answer.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}

/// A server that is built without ICU holds the text that says so.
fn has_icu(server: &Path) -> bool {
    let without = b"ICU is not supported in this build";
    std::fs::read(server).is_ok_and(|program| !program.windows(without.len()).any(|text| text == without))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_of_rds_comes_first_and_ascii_last() {
        let system = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let debian = system(&["C", "C.utf8", "POSIX"]);
        for name in ["en_US.utf8", "en_US.UTF-8"] {
            assert_eq!(Locale::choose(15, true, &system(&["C", name])), Locale::EnUs);
        }
        assert_eq!(Locale::choose(15, true, &debian), Locale::Icu { c_utf8: true });
        assert_eq!(Locale::choose(18, false, &debian), Locale::Builtin);
        assert_eq!(Locale::choose(14, true, &debian), Locale::CUtf8);
        assert_eq!(Locale::choose(14, true, &system(&["C", "POSIX"])), Locale::C);
    }
}
