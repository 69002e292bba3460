//! The oldest version of each engine that serves, and why.

use super::Engine;
use super::find::numbers;

/// The oldest version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Minimum {
    pub(super) version: &'static str,
    /// Completes "because …".
    pub(super) reason: &'static str,
}

/// The minimum of an engine.
pub(super) fn of(engine: Engine) -> Minimum {
    let (version, reason) = match engine {
        Engine::Postgres => ("10", "older ones do not know SCRAM passwords"),
        Engine::Valkey => ("7.2", "there is none older"),
        Engine::Redis => (
            "7",
            "older ones let an application change protected settings, and cannot forbid single subcommands",
        ),
        Engine::Seaweedfs => (
            "4.48",
            "older ones let other users of the machine read files through their inner ports, or lack options that close them",
        ),
    };
    Minimum { version, reason }
}

/// Whether an engine of this version is too old.
pub(super) fn is_too_old(engine: Engine, version: &str) -> bool {
    numbers(version) < numbers(of(engine).version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_number() {
        assert!(is_too_old(Engine::Redis, "6.2.14") && !is_too_old(Engine::Redis, "7.0.15"));
        assert!(is_too_old(Engine::Seaweedfs, "4.5") && !is_too_old(Engine::Seaweedfs, "4.100"));
        assert!(is_too_old(Engine::Postgres, "9.6.24") && !is_too_old(Engine::Postgres, "10"));
        assert!(!is_too_old(Engine::Valkey, "7.2.5"));
    }
}
