//! The checked-in protobuf code says what `proto/` says. `UPDATE=1 cargo test -p tfplug --test staleness` rewrites it.

use std::{fs, path::Path};

/// File in `proto/`, and the generated file of its package in `src/generated/`.
const FILES: [(&str, &str); 3] = [
    ("health.proto", "grpc.health.v1.rs"),
    ("plugin.proto", "plugin.rs"),
    ("tfplugin6.proto", "tfplugin6.rs"),
];

#[test]
#[expect(clippy::disallowed_methods, reason = "the switch of every stored expectation")]
fn the_generated_code_is_what_the_protocol_files_say() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fresh = tempfile::tempdir().unwrap();
    let descriptors = protox::compile(FILES.map(|(proto, _)| proto), [crate_folder.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .build_client(false)
        .build_transport(false)
        .generate_default_stubs(true)
        .emit_rerun_if_changed(false)
        .out_dir(fresh.path())
        .compile_fds(descriptors)
        .unwrap();

    let mut stale = Vec::new();
    for (_, file) in FILES {
        let made = fs::read_to_string(fresh.path().join(file)).unwrap();
        let stored = crate_folder.join("src/generated").join(file);
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&stored, made).unwrap();
        } else if fs::read_to_string(&stored).unwrap_or_default() != made {
            stale.push(file);
        }
    }
    assert!(
        stale.is_empty(),
        "src/generated/{} differ from proto/. To fix: UPDATE=1 cargo test -p tfplug --test staleness",
        stale.join(", ")
    );
}
