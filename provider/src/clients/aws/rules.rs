//! What the arguments of `aws` may be. Each problem completes the sentence "… must …".
#![allow(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The prefixes of keys that are AWS' own, and ours.
const RESERVED: [&str; 2] = ["aws:", "mlplat.dev/"];
/// A tag's value is longer: while something is made, the id of the create stands in it too.
const LONGEST_OWNER: usize = 200;

pub(super) fn url(url: &String) -> Result<(), String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    let host = rest.unwrap_or_default().split('/').next().unwrap_or_default();
    if host.is_empty() || url.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err("must be a URL that starts with http:// or https://, such as https://s3.example.com".into());
    }
    Ok(())
}

pub(super) fn account_ids(ids: &BTreeSet<String>) -> Result<(), String> {
    match ids
        .iter()
        .find(|id| id.len() != 12 || !id.bytes().all(|byte| byte.is_ascii_digit()))
    {
        Some(id) => Err(format!("must hold ids of accounts, 12 digits each, and {id:?} is none")),
        None => Ok(()),
    }
}

pub(super) fn role_arn(arn: &String) -> Result<(), String> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if let ["arn", partition, "iam", "", account, role] = parts[..]
        && !partition.is_empty()
        && account.len() == 12
        && role.strip_prefix("role/").is_some_and(|name| !name.is_empty())
    {
        return Ok(());
    }
    Err("must be the ARN of a role, such as arn:aws:iam::123456789012:role/deploy".into())
}

pub(super) fn session(text: &String) -> Result<(), String> {
    let allowed = Duration::from_secs(15 * 60)..=Duration::from_secs(12 * 3600);
    match duration(text) {
        Some(length) if allowed.contains(&length) => Ok(()),
        _ => Err("must be a duration between 15m and 12h, such as 1h30m".into()),
    }
}

pub(super) fn owner(owner: &String) -> Result<(), String> {
    let fits = owner.chars().count() <= LONGEST_OWNER;
    tags(&BTreeMap::from([("owner".to_owned(), owner.clone())]))
        .and_then(|()| if fits { Ok(()) } else { Err(String::new()) })
        .map_err(|_| "must be at most 200 of letters, digits, spaces and _ . : / = + - @, and not empty".to_owned())
        .and_then(|()| match owner.is_empty() {
            true => Err("must not be empty".to_owned()),
            false => Ok(()),
        })
}

/// The rules of AWS for tags; at most 50, of which `mlplat.dev/owner` is one.
pub(crate) fn tags(tags: &BTreeMap<String, String>) -> Result<(), String> {
    let fits = |text: &str| {
        text.chars()
            .all(|letter| letter.is_alphanumeric() || " _.:/=+-@".contains(letter))
    };
    if tags.len() > 49 {
        return Err(format!("must hold at most 49 tags, and holds {}", tags.len()));
    }
    for (key, value) in tags {
        let reserved = RESERVED.iter().any(|prefix| key.to_lowercase().starts_with(prefix));
        if key.is_empty() || key.chars().count() > 128 || !fits(key) || reserved {
            return Err(format!(
                "must have keys of 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not start with {}, and \
                 {key:?} is none",
                RESERVED.join(" or ")
            ));
        }
        if value.chars().count() > 256 || !fits(value) {
            return Err(format!(
                "must have values of at most 256 letters, digits, spaces and _ . : / = + - @, and that of {key:?} is none"
            ));
        }
    }
    Ok(())
}

/// `1h30m`, `90s`, `20m`: the durations of Terraform's providers. `None` when it is none.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let number: u32 = rest[..digits].parse().ok()?;
        let unit_length = rest[digits..].find(|letter: char| letter.is_ascii_digit());
        let end = unit_length.map_or(rest.len(), |length| digits + length);
        total += match &rest[digits..end] {
            "h" => Duration::from_secs(3600),
            "m" => Duration::from_secs(60),
            "s" => Duration::from_secs(1),
            "ms" => Duration::from_millis(1),
            _ => return None,
        }
        .checked_mul(number)?;
        rest = &rest[end..];
    }
    (!total.is_zero()).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_other_providers() {
        assert_eq!(duration("20m"), Some(Duration::from_secs(1200)));
        assert_eq!(duration("1h30m5s"), Some(Duration::from_secs(5405)));
        assert_eq!(duration("1500ms"), Some(Duration::from_millis(1500)));
        for wrong in ["", "20", "m", "0s", "1d", "1h ", "-1h", "99999999999h"] {
            assert_eq!(duration(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn roles_accounts_and_urls_are_checked() {
        let ok = |rule: fn(&String) -> Result<(), String>, text: &str| rule(&text.to_owned()).is_ok();
        assert!(
            ok(role_arn, "arn:aws:iam::123456789012:role/a/b") && ok(role_arn, "arn:aws-cn:iam::123456789012:role/a")
        );
        assert!(!ok(role_arn, "arn:aws:iam::123456789012:user/a") && !ok(role_arn, "role/a"));
        assert!(
            ok(url, "http://127.0.0.1:5000")
                && !ok(url, "127.0.0.1:5000")
                && !ok(url, "http://")
                && !ok(url, "http://a b")
        );
        assert!(ok(session, "1h") && !ok(session, "5m") && !ok(session, "13h"));
        assert!(account_ids(&BTreeSet::from(["123456789012".into()])).is_ok());
        assert!(account_ids(&BTreeSet::from(["1234".into()])).is_err());
        assert!(ok(owner, "team a/prod") && !ok(owner, "") && !ok(owner, "a#b"));
    }

    #[test]
    fn tags_follow_the_rules_of_aws() {
        let ok = |key: &str, value: &str| tags(&BTreeMap::from([(key.into(), value.into())])).is_ok();
        assert!(ok("team", "") && ok("a b:c/d", "é+1@x") && ok(&"k".repeat(128), &"v".repeat(256)));
        assert!(
            !ok("", "x") && !ok("aws:x", "y") && !ok("AWS:x", "y") && !ok("mlplat.dev/owner", "y") && !ok("k", "a#b")
        );
        assert!(!ok(&"k".repeat(129), "v") && !ok("k", &"v".repeat(257)));
    }
}
