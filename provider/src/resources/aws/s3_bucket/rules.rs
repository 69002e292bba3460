//! What the arguments of `mlplat_aws_s3_bucket` may be. Each problem completes the sentence "… must …".
#![allow(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

use super::model::LifecycleRule;
use super::policy::{self, STATEMENT};

/// How long the end of a generated name is.
pub(crate) const SUFFIX: usize = 26;

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
pub(super) fn bucket(name: &String) -> Result<(), String> {
    let labels = name.split('.').all(|label| {
        let ends = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        ends(label.bytes().next()) && ends(label.bytes().last()) && label.bytes().all(in_a_name)
    });
    if !labels || !(3..=63).contains(&name.len()) {
        return Err(
            "must be 3 to 63 of a-z, 0-9, `-` and `.`, with a letter or digit at both ends of each part".into(),
        );
    }
    if name.parse::<Ipv4Addr>().is_ok() {
        return Err("must not look like an IP address".into());
    }
    if let Some(prefix) = ["xn--", "sthree-", "amzn-s3-demo-"]
        .iter()
        .find(|prefix| name.starts_with(**prefix))
    {
        return Err(format!("must not start with {prefix}, which AWS keeps for itself"));
    }
    let reserved = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    if let Some(suffix) = reserved.iter().find(|suffix| name.ends_with(**suffix)) {
        return Err(format!("must not end with {suffix}, which AWS keeps for itself"));
    }
    Ok(())
}

fn in_a_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

pub(super) fn bucket_prefix(prefix: &String) -> Result<(), String> {
    let longest = 63 - SUFFIX;
    if prefix.len() > longest {
        return Err(format!("must be at most {longest} long, for {SUFFIX} follow"));
    }
    bucket(&format!("{prefix}{}", "0".repeat(SUFFIX))).map_err(|_| {
        "must be the beginning of a bucket's name: a-z, 0-9, `-` and `.`, with a letter or digit first".to_owned()
    })
}

pub(super) fn policy(text: &String) -> Result<(), String> {
    let statements = policy::statements(text).map_err(|problem| format!("must be a policy in JSON: {problem}"))?;
    if statements.iter().any(|statement| statement["Sid"] == STATEMENT) {
        return Err(format!(
            "must not hold a statement of the Sid {STATEMENT}, which `attach_deny_insecure_transport_policy` adds"
        ));
    }
    Ok(())
}

/// A day, at midnight UTC, as S3 asks for it.
pub(super) fn parse_date(text: &str) -> Option<DateTime> {
    let whole = if text.len() == 10 {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    let date = DateTime::from_str(&whole, DateTimeFormat::DateTimeWithOffset).ok()?;
    (date.secs() % 86_400 == 0 && date.subsec_nanos() == 0).then_some(date)
}

pub(super) fn date(text: &String) -> Result<(), String> {
    match parse_date(text) {
        Some(_) => Ok(()),
        None => Err("must be a day such as 2030-01-01, or 2030-01-01T00:00:00Z at midnight".into()),
    }
}

pub(super) fn lifecycle(rules: &Vec<LifecycleRule>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for rule in rules {
        if !seen.insert(&rule.id) {
            return Err(format!(
                "must name each rule once, and {:?} stands there twice",
                rule.id
            ));
        }
        let idle = rule.expiration.is_none()
            && rule.transition.is_none()
            && rule.noncurrent_version_expiration.is_none()
            && rule.noncurrent_version_transition.is_none()
            && rule.abort_incomplete_multipart_upload.is_none();
        if idle {
            return Err(format!(
                "must hold rules that do something, and {:?} does nothing",
                rule.id
            ));
        }
        let filter = rule.filter.as_ref();
        let narrow = filter.is_some_and(|filter| {
            filter.tags.is_some() || filter.object_size_greater_than.is_some() || filter.object_size_less_than.is_some()
        });
        if narrow && rule.abort_incomplete_multipart_upload.is_some() {
            return Err(format!(
                "must not abort uploads by tags or sizes, which uploads do not have yet, and {:?} does",
                rule.id
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_s3() {
        for name in ["abc", "my-models", "a.b-c.d0", &"a".repeat(63), "1.2.3.4.5"] {
            assert_eq!(bucket(&name.to_owned()), Ok(()), "{name}");
        }
        for name in [
            "",
            "ab",
            "Models",
            "a_b",
            "-abc",
            "abc-",
            "a..b",
            "a.-b",
            "abc.",
            "192.168.5.4",
            "xn--abc",
            "sthree-a",
            "amzn-s3-demo-a",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "abc--x-s3",
            "abc--table-s3",
            "a b c",
            "ä-b",
            &"a".repeat(64),
        ] {
            assert!(bucket(&name.to_owned()).is_err(), "{name}");
        }
        assert!(bucket_prefix(&"models-".to_owned()).is_ok() && bucket_prefix(&"a".repeat(37)).is_ok());
        assert!(bucket_prefix(&"-a".to_owned()).is_err() && bucket_prefix(&"a".repeat(38)).is_err());
    }

    #[test]
    fn days_are_days() {
        assert_eq!(parse_date("2030-01-01"), parse_date("2030-01-01T00:00:00Z"));
        assert!(parse_date("2030-01-01").is_some() && parse_date("2030-01-01T00:00:01Z").is_none());
        assert!(parse_date("2030-13-01").is_none() && parse_date("tomorrow").is_none());
    }

    #[test]
    fn rules_have_their_own_names_and_do_something() {
        let rule = LifecycleRule::expire_old_versions();
        assert_eq!(lifecycle(&vec![rule.clone()]), Ok(()));
        assert!(
            lifecycle(&vec![rule.clone(), rule.clone()])
                .unwrap_err()
                .contains("twice")
        );
        let mut idle = rule.clone();
        idle.noncurrent_version_expiration = None;
        idle.abort_incomplete_multipart_upload = None;
        assert!(lifecycle(&vec![idle]).unwrap_err().contains("does nothing"));
    }
}
