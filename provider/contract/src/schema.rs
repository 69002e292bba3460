//! The published JSON schema, made from the types. `UPDATE=1` rewrites it.

use std::fs;
use std::path::Path;

use schemars::generate::SchemaSettings;

use crate::EnvironmentEndpoints;

#[test]
#[allow(clippy::disallowed_methods, reason = "UPDATE belongs to the tests, not to the crate")]
fn the_published_schema_is_the_one_of_the_types() {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<EnvironmentEndpoints>();
    let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/environment-endpoints.v1alpha1.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        text,
        fs::read_to_string(&path).unwrap_or_default(),
        "UPDATE=1 rewrites {}",
        path.display()
    );
}
