//! Stored documents: what was once valid stays valid, and what is refused is refused in the same words.
//! `UPDATE=1` rewrites the expectations.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use endpoint_contract::{EnvironmentEndpoints, Profile, Protocol, VariableValue, View};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn entries(folder: &str) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(here().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

#[allow(clippy::disallowed_methods, reason = "UPDATE belongs to the tests, not to the crate")]
fn expect_file(path: &Path, actual: &str) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(actual, expected, "{} differs; UPDATE=1 rewrites it", path.display());
}

fn read(path: &Path) -> Result<EnvironmentEndpoints, String> {
    let text = fs::read_to_string(path).unwrap();
    let contract: EnvironmentEndpoints = serde_saphyr::from_str(&text).map_err(|error| error.to_string())?;
    contract.validate().map_err(|error| error.to_string())?;
    Ok(contract)
}

#[test]
fn stored_documents_parse_for_ever_and_round_trip() {
    for path in entries("fixtures/v1alpha1")
        .iter()
        .filter(|path| path.extension() != Some("txt".as_ref()))
    {
        let contract = read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json = serde_json::to_string(&contract).unwrap();
        assert_eq!(
            serde_json::from_str::<EnvironmentEndpoints>(&json).unwrap(),
            contract,
            "{}",
            path.display()
        );
        let yaml = serde_saphyr::to_string(&contract).unwrap();
        assert_eq!(
            serde_saphyr::from_str::<EnvironmentEndpoints>(&yaml).unwrap(),
            contract,
            "{}",
            path.display()
        );
    }
}

#[test]
fn variables_of_stored_documents_stay_as_they_are() {
    for path in entries("fixtures/v1alpha1")
        .iter()
        .filter(|path| path.extension() != Some("txt".as_ref()))
    {
        let contract = read(path).unwrap();
        let mut text = String::new();
        for view in [View::Host, View::Cluster] {
            writeln!(text, "# {view}").unwrap();
            match contract.spec.endpoints.variables(view) {
                Ok(variables) => variables.iter().for_each(|variable| {
                    let value = match &variable.value {
                        VariableValue::Literal(text) => format!("= {text}"),
                        VariableValue::Composed(text) => format!(": {text}"),
                        VariableValue::SecretKey(key) => format!("<- {key}"),
                    };
                    writeln!(text, "{} {value}", variable.name).unwrap();
                }),
                Err(error) => writeln!(text, "error: {error}").unwrap(),
            }
        }
        expect_file(&path.with_extension("variables.txt"), &text);
    }
}

#[test]
fn variables_of_every_profile_stay_as_they_are() {
    for path in entries("fixtures/v1alpha1")
        .iter()
        .filter(|path| path.extension() != Some("txt".as_ref()))
    {
        let endpoints = read(path).unwrap().spec.endpoints;
        let mut text = String::new();
        for profile in Profile::ALL {
            writeln!(text, "# {profile}").unwrap();
            for variable in endpoints.variables_of(&Protocol::ALL, &[profile], View::Host).unwrap() {
                let value = match &variable.value {
                    VariableValue::Literal(text) => format!("= {text}"),
                    VariableValue::Composed(text) => format!(": {text}"),
                    VariableValue::SecretKey(key) => format!("<- {key}"),
                };
                writeln!(text, "{} {value} ({})", variable.name, variable.field).unwrap();
            }
        }
        expect_file(&path.with_extension("profiles.txt"), &text);
    }
}

#[test]
fn a_variable_comes_after_those_it_refers_to() {
    for path in entries("fixtures/v1alpha1")
        .iter()
        .filter(|path| path.extension() != Some("txt".as_ref()))
    {
        let endpoints = read(path).unwrap().spec.endpoints;
        let Ok(variables) = endpoints.variables_of(&Protocol::ALL, &Profile::ALL, View::Cluster) else {
            continue;
        };
        for (index, variable) in variables.iter().enumerate() {
            let VariableValue::Composed(text) = &variable.value else {
                continue;
            };
            for name in text.split("$(").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
                assert!(
                    variables[..index].iter().any(|earlier| earlier.name == name),
                    "{} before {name}",
                    variable.name
                );
            }
        }
    }
}

#[test]
fn what_is_wrong_is_named_with_its_field_and_its_fix() {
    for folder in entries("tests/refused") {
        let error = read(&folder.join("input.yaml")).expect_err(&folder.display().to_string());
        expect_file(&folder.join("error.txt"), &format!("{error}\n"));
    }
}
