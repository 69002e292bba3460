//! What the arguments of `mlplat_local_services` may be. Each problem completes the sentence "… must …".
#![allow(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use endpoint_contract::{is_dns_label, is_dns_subdomain};

use crate::runtimes::process::addresses::is_link_local;
use crate::services::LOCALHOST;
use crate::services::postgres::ADMIN;

/// Names a folder, and shows in lists: short.
pub(super) fn stack_name(name: &String) -> Result<(), String> {
    if is_dns_label(name) && name.len() <= 32 {
        return Ok(());
    }
    Err("must be at most 32 of a-z, 0-9 and `-`, with a letter or digit first and last, such as demo".into())
}

pub(super) fn absolute_path(path: &String) -> Result<(), String> {
    // Engines read the path in their configuration files: a line break would begin another setting.
    if path.chars().any(char::is_control) {
        return Err("must not hold line breaks, tabs or other control characters".into());
    }
    if Path::new(path).is_absolute() && Path::new(path).parent().is_some() {
        return Ok(());
    }
    Err("must be the absolute path of a folder; `abspath(\"${path.root}/data\")` makes one".into())
}

/// An address that pods can use: inside one, loopback is the pod itself.
pub(super) fn access_address(text: &String) -> Result<(), String> {
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err("must be an IP address of this machine, such as 172.18.0.1, the gateway of kind's bridge".into());
    };
    let broadcast = address == IpAddr::V4(Ipv4Addr::BROADCAST);
    let why = if address.is_unspecified() {
        "is every address of this machine: services would listen on every network"
    } else if address == LOCALHOST || address == IpAddr::V6(Ipv6Addr::LOCALHOST) {
        "is the pod itself when a pod uses it"
    } else if address.is_multicast() || broadcast {
        "is nobody's own address"
    } else if is_link_local(address) {
        "means nothing without its interface"
    } else {
        return Ok(());
    };
    Err(format!(
        "must be an IP address of this machine that pods reach, and {address} {why}; give the bridge's, such as 172.18.0.1"
    ))
}

pub(super) fn secret_name(name: &String) -> Result<(), String> {
    if is_dns_subdomain(name) {
        return Ok(());
    }
    Err("must be the name of a Kubernetes Secret: a-z, 0-9, `-` and `.`, such as mlplat-credentials".into())
}

pub(super) fn version(version: &String) -> Result<(), String> {
    let numbers = version
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if numbers {
        return Ok(());
    }
    Err("must be a version in whole numbers, such as 15 or 8.1".into())
}

pub(super) fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Names that RDS for PostgreSQL takes too, so that what works here works there.
fn sql_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.len() <= 63
}

const SQL_NAME: &str = "must be at most 63 of A-Z, a-z, 0-9 and `_`, with a letter first, as RDS takes it (no `-`)";

pub(super) fn database(name: &String) -> Result<(), String> {
    if ["template0", "template1"].contains(&name.as_str()) {
        return Err(format!(
            "must not be {name}, which PostgreSQL copies when it makes a database"
        ));
    }
    if sql_name(name) {
        return Ok(());
    }
    Err(format!("{SQL_NAME}, and {name:?} is not"))
}

pub(super) fn username(name: &String) -> Result<(), String> {
    if name.starts_with("pg_") {
        return Err(format!(
            "must not start with pg_, as {name} does: PostgreSQL keeps those names for itself"
        ));
    }
    if name == ADMIN {
        return Err(format!("must not be {ADMIN}, the stack's own administrator"));
    }
    if ["public", "none"].contains(&name.as_str()) {
        return Err(format!("must not be {name}, which is a word of PostgreSQL and no role"));
    }
    if sql_name(name) {
        return Ok(());
    }
    Err(format!("{SQL_NAME}, and {name:?} is not"))
}

/// Names of extensions, each once.
pub(super) fn extensions(names: &Vec<String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-';
        if name.is_empty() || name.len() > 63 || !name.chars().all(plain) {
            return Err(format!(
                "must hold names of extensions, such as vector or pg_trgm, and {name:?} is none"
            ));
        }
        if name == "plpgsql" {
            return Err("must not name plpgsql, which every database has".to_owned());
        }
        if !seen.insert(name) {
            return Err(format!(
                "must name each extension once, and {name:?} stands there twice"
            ));
        }
    }
    Ok(())
}

/// S3's own rules.
pub(super) fn buckets(names: &Vec<String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        let labels = name.split('.').all(is_dns_label);
        let address = name.split('.').count() == 4 && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if !labels || address || !(3..=63).contains(&name.len()) {
            return Err(format!(
                "must hold names of buckets, and {name:?} is none: 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or \
                 digit first and last"
            ));
        }
        if !seen.insert(name) {
            return Err(format!("must name each bucket once, and {name:?} stands there twice"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(rule: fn(&String) -> Result<(), String>, text: &str) -> bool {
        rule(&text.to_owned()).is_ok()
    }

    #[test]
    fn names_are_those_that_every_later_place_takes() {
        assert!(ok(stack_name, "demo-1") && !ok(stack_name, "Demo") && !ok(stack_name, "a/b") && !ok(stack_name, ""));
        assert!(ok(stack_name, &"a".repeat(32)) && !ok(stack_name, &"a".repeat(33)));
        assert!(ok(absolute_path, "/data/x") && !ok(absolute_path, "data") && !ok(absolute_path, "/"));
        for control in ["/data/\n", "/da\0ta", "/data\t/x", "/data\u{1b}[0m", "/data\u{85}x"] {
            assert!(!ok(absolute_path, control), "{control:?}");
        }
        assert!(ok(version, "15") && ok(version, "8.1") && !ok(version, "15.") && !ok(version, "latest"));
        assert!(ok(database, "app") && ok(database, "postgres") && !ok(database, "a-b") && !ok(database, "template1"));
        assert!(ok(database, "MLflow") && ok(username, "MLflow_2") && !ok(username, "none") && !ok(database, ""));
        assert!(ok(username, "app_1") && !ok(username, "pg_x") && !ok(username, ADMIN) && !ok(username, "1a"));
    }

    #[test]
    fn a_refused_name_is_in_the_message_with_its_reason() {
        let why = |rule: fn(&String) -> Result<(), String>, name: &str| rule(&name.to_owned()).unwrap_err();
        assert!(why(database, "feature-store").ends_with("(no `-`), and \"feature-store\" is not"));
        assert!(why(database, "Größe").contains("\"Größe\""));
        assert!(why(username, "public").starts_with("must not be public,"));
        assert!(why(username, "pg_x").contains("as pg_x does"));
        assert!(why(database, "template1").starts_with("must not be template1,"));
    }

    #[test]
    fn extensions_stand_once_and_are_names() {
        let check = |names: &[&str]| extensions(&names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(check(&["vector", "uuid-ossp", "pg_trgm"]), Ok(()));
        assert!(check(&["vector", "vector"]).unwrap_err().contains("twice"));
        assert!(check(&["a b"]).is_err() && check(&[""]).is_err() && check(&["plpgsql"]).is_err());
    }

    #[test]
    fn pods_are_given_an_address_that_is_one_machines_and_not_their_own() {
        for good in ["172.18.0.1", "10.0.0.7", "127.0.0.2", "fd00::1"] {
            assert!(ok(access_address, good), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "::",
            "127.0.0.1",
            "::1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "fe80::1",
            "localhost",
            "172.18.0.1:80",
            "",
        ] {
            assert!(!ok(access_address, bad), "{bad}");
        }
    }

    #[test]
    fn buckets_follow_the_rules_of_s3_and_stand_once() {
        let check = |names: &[&str]| buckets(&names.iter().map(|name| (*name).to_owned()).collect());
        assert_eq!(check(&["models", "a.b-c"]), Ok(()));
        assert!(check(&["ab"]).is_err() && check(&["A-b"]).is_err() && check(&["127.0.0.1"]).is_err());
        assert!(check(&["models", "models"]).unwrap_err().contains("twice"));
    }
}
