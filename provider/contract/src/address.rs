//! Addresses: host and port, and the origin of an HTTP service.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::problem::Checker;

/// A TCP address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HostPort {
    /// A DNS name, an IPv4 address, or an IPv6 address without brackets.
    pub address: String,
    /// The TCP port, 1 to 65535.
    #[cfg_attr(test, schemars(range(min = 1, max = 65535)))]
    #[serde(deserialize_with = "port")]
    pub port: u16,
}

impl HostPort {
    /// `address:port` as a URL holds it: an IPv6 address stands in brackets.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.address.contains(':') {
            format!("[{}]:{}", self.address, self.port)
        } else {
            format!("{}:{}", self.address, self.port)
        }
    }

    pub(crate) fn check(&self, at: &mut Checker) {
        at.field("address", |at| {
            if !is_host(&self.address) {
                at.problem(
                    format!("{:?} is neither a DNS name nor an IP address", self.address),
                    "give the host alone, without scheme, port, path or brackets, such as 127.0.0.1 or db.example.com",
                );
            }
        });
        at.field("port", |at| {
            if self.port == 0 {
                at.problem(
                    "port 0 is no port that can be connected to",
                    "set a port between 1 and 65535",
                );
            }
        });
    }
}

/// Where an HTTP service is: scheme, host, optional port, optional path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Origin {
    /// `http://` or `https://`, host, port when it is not the scheme's own. No user, query, fragment or final slash.
    pub url: String,
}

impl Origin {
    pub(crate) fn check(&self, at: &mut Checker) {
        at.field("url", |at| {
            if let Some(wrong) = wrong_with_url(&self.url) {
                // What stands before an `@` may be a password: it is not repeated.
                let shown = self.url.rsplit_once('@').map_or(&*self.url, |(_, rest)| rest);
                at.problem(
                    format!("{shown:?} {wrong}"),
                    "give scheme, host and port alone, such as http://127.0.0.1:18333 or \
                     https://s3.eu-central-1.amazonaws.com",
                );
            }
        });
    }
}

/// What is wrong with the URL of a service, or None when it is fine.
fn wrong_with_url(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return Some("does not start with http:// or https://");
    };
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, None), |(authority, path)| (authority, Some(path)));
    if authority.contains('@') {
        return Some("has a user before it; credentials belong in a Secret");
    }
    if rest.contains(['?', '#']) {
        return Some("holds a query or a fragment");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/".contains(c);
    match path {
        Some(path) if path.is_empty() || path.ends_with('/') => return Some("ends in a slash"),
        Some(path) if !path.chars().all(plain) => return Some("holds a character that a path cannot have"),
        _ => {}
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, "")) if host.parse::<Ipv6Addr>().is_ok() => (None, host.is_empty().then_some("")),
            Some((host, port)) if host.parse::<Ipv6Addr>().is_ok() => (None, port.strip_prefix(':').or(Some(""))),
            _ => return Some("holds no valid IPv6 address between the brackets"),
        },
        None => match authority.split_once(':') {
            Some((host, port)) => (Some(host), Some(port)),
            None => (Some(authority), None),
        },
    };
    if host.is_some_and(|host| host.contains(':') || !is_host(host)) {
        return Some("holds no valid host");
    }
    match port {
        Some(port) if !port.parse::<u16>().is_ok_and(|n| n > 0 && !port.starts_with('+')) => {
            Some("holds no port between 1 and 65535")
        }
        _ => None,
    }
}

/// Whether the text is an IP address or a DNS name. Underscores are let through: some clusters resolve such names.
fn is_host(text: &str) -> bool {
    if text.parse::<Ipv4Addr>().is_ok() || text.parse::<Ipv6Addr>().is_ok() {
        return true;
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    let numeric = name.split('.').all(|label| label.bytes().all(|c| c.is_ascii_digit()));
    name.len() <= 253 && !numeric && name.split('.').all(label)
}

/// Reads a port so that one out of range is named as such, and not as a failed conversion.
fn port<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let number = i64::deserialize(from)?;
    match u16::try_from(number) {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(D::Error::custom(format_args!(
            "port must be between 1 and 65535, got {number}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_services_are_told_from_other_text() {
        for good in [
            "http://127.0.0.1:18333",
            "https://s3.eu-central-1.amazonaws.com",
            "http://[::1]:9000",
            "http://[fd00::1]",
            "http://minio.storage.svc:9000",
            "https://example.test/storage/v1/s3",
        ] {
            assert_eq!(wrong_with_url(good), None, "{good}");
        }
        for bad in [
            "",
            "127.0.0.1:9000",
            "ftp://host",
            "http://",
            "http://host/",
            "http://host/a/",
            "http://host/a b",
            "http://host:",
            "http://host:0",
            "http://host:+80",
            "http://host:65536",
            "http://a:b:c",
            "http://::1",
            "http://[::1",
            "http://[::1]9",
            "http://[::1]:",
            "http://[host]:80",
            "http://user@host",
            "http://host?x",
            "http://host#x",
            "http://host\nname",
            "http://$(HOST)",
        ] {
            assert!(wrong_with_url(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn hosts_are_told_from_other_text() {
        for good in [
            "127.0.0.1",
            "::1",
            "localhost",
            "db.example.com",
            "db.example.com.",
            "my_host",
            "3com.test",
        ] {
            assert!(is_host(good), "{good}");
        }
        for bad in [
            "",
            ".",
            "a..b",
            "-a",
            "a-",
            "1.2.3",
            "256.1.1.1",
            "a b",
            "[::1]",
            "host:80",
            "höst",
            "$(X)",
            "a/b",
        ] {
            assert!(!is_host(bad), "{bad}");
        }
    }
}
