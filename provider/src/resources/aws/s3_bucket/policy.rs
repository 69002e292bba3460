//! The bucket's policy: the user's own and the statement that denies requests without TLS. Pure.

use aws_sdk_s3::error::BoxError;
use serde_json::{Map, Value, json};

/// The Sid of the statement that is added.
pub(super) const STATEMENT: &str = "MlplatDenyInsecureTransport";

/// The statements of a policy.
pub(super) fn statements(text: &str) -> Result<Vec<Value>, BoxError> {
    let policy: Value = serde_json::from_str(text)?;
    match policy.get("Statement") {
        Some(Value::Array(statements)) if statements.iter().all(Value::is_object) => Ok(statements.clone()),
        Some(statement @ Value::Object(_)) => Ok(vec![statement.clone()]),
        _ => Err("it holds no `Statement`".into()),
    }
}

/// The policy to write; `None` = there is to be none.
pub(super) fn wanted(own: Option<&str>, deny_insecure_transport: bool, bucket_arn: &str) -> Option<Value> {
    let mut policy = own
        .and_then(|text| serde_json::from_str::<Value>(text).ok())
        .unwrap_or_else(|| json!({"Version": "2012-10-17"}));
    let mut statements = own.and_then(|text| statements(text).ok()).unwrap_or_default();
    if deny_insecure_transport {
        statements.push(deny(bucket_arn));
    }
    if statements.is_empty() {
        return None;
    }
    policy["Statement"] = Value::Array(statements);
    Some(policy)
}

fn deny(bucket_arn: &str) -> Value {
    json!({
        "Sid": STATEMENT,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "s3:*",
        "Resource": [bucket_arn, format!("{bucket_arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    })
}

/// What was found, parted: the user's own policy, and whether the statement is there as it should be. The user's text stays
/// when it means the same.
pub(super) fn parted(found: Option<&Value>, prior: Option<&str>, bucket_arn: &str) -> (Option<String>, bool) {
    let Some(found) = found else { return (None, false) };
    let ours = |statement: &Value| same(statement, &deny(bucket_arn));
    let mut own = found.clone();
    let statements = match found.get("Statement") {
        Some(Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    };
    let denies = statements.iter().any(ours);
    let rest: Vec<Value> = statements.into_iter().filter(|statement| !ours(statement)).collect();
    if rest.is_empty() {
        return (None, denies);
    }
    own["Statement"] = Value::Array(rest);
    let kept = prior.filter(|text| serde_json::from_str::<Value>(text).is_ok_and(|prior| same(&prior, &own)));
    (Some(kept.map_or_else(|| own.to_string(), str::to_owned)), denies)
}

/// Whether two policies, or parts of them, mean the same.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    canonical(one, "") == canonical(other, "")
}

/// One form for what AWS treats alike: one string or a list of one, any order of what is a set, `*` or `{"AWS": "*"}`.
fn canonical(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), canonical(value, key)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| canonical(item, key)).collect();
            if key != "Statement" {
                items.sort_by_key(ToString::to_string);
                items.dedup();
            }
            match items.as_slice() {
                [only] => only.clone(),
                _ => Value::Array(items),
            }
        }
        Value::String(text) if key == "Principal" || key == "NotPrincipal" => json!({"AWS": text}),
        // A condition's `true` and `"true"` are one.
        Value::Bool(_) | Value::Number(_) => Value::String(value.to_string()),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:s3:::models";
    const OWN: &str = r#"{
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Read", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
                       "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::models/*"}]
    }"#;

    #[test]
    fn the_statement_is_added_to_the_users_own_and_parted_from_it() {
        let written = wanted(Some(OWN), true, ARN).unwrap();
        assert_eq!(written["Statement"].as_array().unwrap().len(), 2);
        assert_eq!(parted(Some(&written), Some(OWN), ARN), (Some(OWN.to_owned()), true));
        let alone = wanted(None, true, ARN).unwrap();
        assert_eq!(parted(Some(&alone), None, ARN), (None, true));
        assert_eq!(wanted(None, false, ARN), None);
        assert_eq!(parted(None, Some(OWN), ARN), (None, false));
    }

    #[test]
    fn what_means_the_same_is_no_difference() {
        let answered = json!({
            "Version": "2012-10-17",
            "Statement": {"Action": ["s3:ListBucket", "s3:GetObject"], "Effect": "Allow", "Sid": "Read",
                          "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Resource": ["arn:aws:s3:::models/*"]}
        });
        assert_eq!(parted(Some(&answered), Some(OWN), ARN), (Some(OWN.to_owned()), false));
        let star = |principal: Value| json!({"Principal": principal});
        assert!(same(&star(json!("*")), &star(json!({"AWS": "*"}))));
    }

    #[test]
    fn a_statement_that_was_edited_is_no_longer_ours() {
        let mut written = wanted(None, true, ARN).unwrap();
        written["Statement"][0]["Effect"] = "Allow".into();
        let (own, denies) = parted(Some(&written), None, ARN);
        assert!(own.unwrap().contains(STATEMENT) && !denies);
    }

    #[test]
    fn what_is_no_policy_is_told() {
        assert!(statements("{").is_err() && statements("[]").is_err() && statements("{}").is_err());
        assert_eq!(statements(OWN).unwrap().len(), 1);
    }
}
