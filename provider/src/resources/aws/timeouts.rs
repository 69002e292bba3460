//! How long an operation may take.
#![allow(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]

use std::time::Duration;

use tfplug::Model;

use crate::clients::aws::rules;

/// How long an operation may take, such as `20m` or `1h30m`.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub struct Timeouts {
    /// Making it, until it is as planned. Default: 20 minutes.
    #[model(validate = duration)]
    pub create: Option<String>,
    /// Reading it. Default: 20 minutes.
    #[model(validate = duration)]
    pub read: Option<String>,
    /// Changing it, until it is as planned. Default: 20 minutes.
    #[model(validate = duration)]
    pub update: Option<String>,
    /// Removing it, until it is gone. Default: 20 minutes.
    #[model(validate = duration)]
    pub delete: Option<String>,
}

/// What nobody limits otherwise.
const DEFAULT: Duration = Duration::from_secs(20 * 60);

/// One of the limits.
#[must_use]
pub fn limit(timeouts: Option<&Timeouts>, which: fn(&Timeouts) -> Option<&String>) -> Duration {
    timeouts
        .and_then(which)
        .and_then(|text| rules::duration(text))
        .unwrap_or(DEFAULT)
}

fn duration(text: &String) -> Result<(), String> {
    match rules::duration(text) {
        Some(_) => Ok(()),
        None => Err("must be a duration in h, m and s, such as 20m or 1h30m".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_limited_may_take_twenty_minutes() {
        let timeouts = Timeouts {
            delete: Some("90s".into()),
            ..Timeouts::default()
        };
        assert_eq!(
            limit(Some(&timeouts), |limits| limits.delete.as_ref()),
            Duration::from_secs(90)
        );
        assert_eq!(
            limit(Some(&timeouts), |limits| limits.create.as_ref()),
            Duration::from_secs(1200)
        );
        assert_eq!(limit(None, |limits| limits.read.as_ref()), Duration::from_secs(1200));
    }
}
