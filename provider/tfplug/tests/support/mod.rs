//! What the tests of the whole binary share: the example provider, and a plugin host that speaks as Terraform does.
#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod plugin_host;
pub(crate) mod workspace;

use std::{path::PathBuf, process::Command, sync::OnceLock};

/// Builds the example provider once and says where it is. Cargo does so by itself only when it runs every test.
pub(crate) fn example() -> &'static PathBuf {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let built = Command::new(env!("CARGO"))
            // With `--package` cargo would choose other features for its dependencies, and compile them all once more.
            .args(["build", "--quiet", "--workspace", "--example", "thing"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success(), "the example provider does not build");
        // …/target/debug/deps/wire-1234 → …/target/debug/examples/thing
        let tests = std::env::current_exe().unwrap();
        tests
            .parent()
            .and_then(|deps| deps.parent())
            .unwrap()
            .join("examples/thing")
    })
}
