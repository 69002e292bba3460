//! The generated pages are those of the tables and the examples. `make docs`, or `UPDATE=1`, writes them again.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use terraform_provider_mlplat::cli::docs;
use terraform_provider_mlplat::config::Config;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn pages() -> BTreeMap<String, String> {
    let home = BTreeMap::from([("HOME".into(), "/home/user".into())]);
    let config = Config::from_variables(home, "/bin/mlplat".into(), "/tmp".into()).unwrap();
    docs::pages(&config, &root().join("examples"))
}

#[test]
#[allow(clippy::disallowed_methods, reason = "UPDATE belongs to the tests")]
fn the_pages_are_those_of_the_tables() {
    let pages = pages();
    for (name, text) in &pages {
        let path = root().join("docs").join(name);
        if std::env::var_os("UPDATE").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let stored = fs::read_to_string(&path).unwrap_or_default();
        assert!(*text == stored, "docs/{name} is stale: run `make docs`");
    }
    for folder in ["resources", "data-sources", "ephemeral-resources", "functions"] {
        for page in fs::read_dir(root().join("docs").join(folder)).unwrap() {
            let name = format!("{folder}/{}", page.unwrap().file_name().to_str().unwrap());
            assert!(
                pages.contains_key(&name),
                "docs/{name} describes nothing: run `make docs`"
            );
        }
    }
}

#[test]
fn every_page_has_an_example_and_every_attribute_a_description() {
    for (name, text) in pages() {
        assert!(
            text.contains("## Example Usage"),
            "docs/{name} has no example in examples/"
        );
        for line in text.lines().filter(|line| line.starts_with("- `")) {
            let described = line.split_once(')').is_some_and(|(_, rest)| rest.trim().len() > 10);
            assert!(described, "docs/{name}: no description: {line}");
        }
    }
}
