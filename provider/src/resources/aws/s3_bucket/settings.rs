//! The settings of a bucket as S3 has them, and what differs from what is planned. Pure.

use std::fmt;

use serde_json::Value;

use super::convert::written;
use super::model::{
    Bucket, CorsRule, Encryption, LifecycleFilter, LifecycleRule, Logging, PublicAccessBlock, Versioning,
};
use super::{policy, rules};
use crate::clients::aws::Aws;
use crate::resources::aws::tags::{self, Tags};

/// The settings of a bucket.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// All tags, the owner's and those of others too.
    pub(super) tags: Tags,
    pub(super) public_access_block: PublicAccessBlock,
    pub(super) object_ownership: String,
    pub(super) versioning: Versioning,
    pub(super) encryption: Encryption,
    pub(super) lifecycle: Vec<LifecycleRule>,
    pub(super) cors: Vec<CorsRule>,
    pub(super) logging: Option<Logging>,
    pub(super) policy: Option<Value>,
    /// Cannot change.
    pub(super) object_lock: bool,
}

/// A setting that is written by one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Setting {
    Tags,
    PublicAccessBlock,
    Ownership,
    Encryption,
    Versioning,
    Lifecycle,
    Cors,
    Logging,
    Policy,
}

impl Setting {
    /// In the order in which they are written: whose it is comes first, then what keeps it private.
    pub(super) const ALL: [Self; 9] = [
        Self::Tags,
        Self::PublicAccessBlock,
        Self::Ownership,
        Self::Encryption,
        Self::Versioning,
        Self::Lifecycle,
        Self::Cors,
        Self::Logging,
        Self::Policy,
    ];
}

/// The argument's name.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tags => "tags",
            Self::PublicAccessBlock => "public_access_block",
            Self::Ownership => "object_ownership",
            Self::Encryption => "server_side_encryption_configuration",
            Self::Versioning => "versioning",
            Self::Lifecycle => "lifecycle_rule",
            Self::Cors => "cors_rule",
            Self::Logging => "logging",
            Self::Policy => "policy",
        })
    }
}

impl Settings {
    /// What a bucket is to have; tags of others stay as they were found.
    pub(super) fn wanted(aws: &Aws, planned: &Bucket, arn: &str, found: &Tags) -> Self {
        Self {
            tags: tags::wanted(aws, planned.tags.as_ref(), found),
            public_access_block: planned.public_access_block.clone(),
            object_ownership: planned.object_ownership.clone(),
            versioning: planned.versioning.clone(),
            encryption: planned.server_side_encryption_configuration.clone(),
            lifecycle: planned.lifecycle_rule.clone(),
            cors: planned.cors_rule.clone().unwrap_or_default(),
            logging: planned.logging.clone(),
            policy: policy::wanted(
                planned.policy.as_deref(),
                planned.attach_deny_insecure_transport_policy,
                arn,
            ),
            object_lock: planned.object_lock_enabled,
        }
    }

    /// What differs in meaning.
    pub(super) fn differences(&self, other: &Self) -> Vec<Setting> {
        let same = |setting: &Setting| match setting {
            Setting::Tags => self.tags == other.tags,
            Setting::PublicAccessBlock => self.public_access_block == other.public_access_block,
            Setting::Ownership => self.object_ownership == other.object_ownership,
            Setting::Encryption => self.encryption == other.encryption,
            Setting::Versioning => self.versioning == other.versioning,
            Setting::Lifecycle => same_rules(&self.lifecycle, &other.lifecycle),
            Setting::Cors => self.cors == other.cors,
            Setting::Logging => self.logging == other.logging,
            Setting::Policy => match (&self.policy, &other.policy) {
                (Some(one), Some(other)) => policy::same(one, other),
                (one, other) => one == other,
            },
        };
        Setting::ALL.into_iter().filter(|setting| !same(setting)).collect()
    }

    /// Puts what was found into a model. Where it means what the model says, the model's own words stay.
    pub(super) fn show(self, aws: &Aws, model: &mut Bucket, arn: &str) {
        let (own, all) = tags::shown(aws, model.tags.as_ref(), &self.tags);
        model.tags = own;
        model.tags_all = all.into();
        model.public_access_block = self.public_access_block;
        model.object_ownership = self.object_ownership;
        model.versioning = self.versioning;
        model.server_side_encryption_configuration = self.encryption;
        if !same_rules(&model.lifecycle_rule, &self.lifecycle) {
            model.lifecycle_rule = self.lifecycle;
        }
        model.cors_rule = (!self.cors.is_empty()).then_some(self.cors);
        model.logging = self.logging;
        let (policy, denies) = policy::parted(self.policy.as_ref(), model.policy.as_deref(), arn);
        model.policy = policy;
        model.attach_deny_insecure_transport_policy = denies;
        model.object_lock_enabled = self.object_lock;
    }
}

/// The order of rules means nothing, nor does a filter that filters nothing, nor how a day is written, nor a smallest size of
/// 0 beside other conditions.
fn same_rules(one: &[LifecycleRule], other: &[LifecycleRule]) -> bool {
    let canonical = |rules: &[LifecycleRule]| {
        let mut rules: Vec<LifecycleRule> = rules.iter().cloned().map(canonical_rule).collect();
        rules.sort_by(|one, other| one.id.cmp(&other.id));
        rules
    };
    canonical(one) == canonical(other)
}

fn canonical_rule(mut rule: LifecycleRule) -> LifecycleRule {
    if let Some(filter) = &mut rule.filter {
        let others = LifecycleFilter {
            object_size_greater_than: None,
            ..filter.clone()
        };
        // Beside other conditions, S3 shows the smallest size as 0 where none was given.
        if others != LifecycleFilter::default() && filter.object_size_greater_than == Some(0) {
            *filter = others;
        }
    }
    rule.filter = rule.filter.filter(|filter| *filter != LifecycleFilter::default());
    let days = rule.expiration.iter_mut().map(|expiration| &mut expiration.date);
    let moves = rule
        .transition
        .iter_mut()
        .flatten()
        .map(|transition| &mut transition.date);
    for date in days.chain(moves).flatten() {
        let written = rules::parse_date(date).as_ref().and_then(written);
        *date = written.unwrap_or_else(|| date.clone());
    }
    if let Some(expiration) = &mut rule.expiration {
        expiration.expired_object_delete_marker = expiration.expired_object_delete_marker.filter(|is| *is);
    }
    rule
}

#[cfg(test)]
mod tests {
    use super::super::model::{Expiration, Transition};
    use super::*;

    #[test]
    fn lifecycle_rules_are_compared_by_what_they_mean() {
        let mut one = LifecycleRule::expire_old_versions();
        one.filter = Some(LifecycleFilter::default());
        one.expiration = Some(Expiration {
            date: Some("2030-01-01".into()),
            ..Expiration::default()
        });
        let mut same = LifecycleRule::expire_old_versions();
        same.expiration = Some(Expiration {
            date: Some("2030-01-01T00:00:00Z".into()),
            ..Expiration::default()
        });
        let mut second = LifecycleRule::expire_old_versions();
        second.id = "another".into();
        second.transition = Some(vec![Transition {
            days: Some(30),
            date: None,
            storage_class: "GLACIER".into(),
        }]);
        assert!(same_rules(
            &[one.clone(), second.clone()],
            &[second.clone(), same.clone()]
        ));
        let sized = |rule: &LifecycleRule, prefix: Option<&str>, size| {
            let mut rule = rule.clone();
            rule.filter = Some(LifecycleFilter {
                prefix: prefix.map(ToOwned::to_owned),
                object_size_greater_than: size,
                ..LifecycleFilter::default()
            });
            [rule]
        };
        let runs = Some("runs/");
        assert!(same_rules(&sized(&one, runs, Some(0)), &sized(&one, runs, None)));
        assert!(!same_rules(&sized(&one, runs, Some(1)), &sized(&one, runs, None)));
        assert!(!same_rules(&sized(&one, None, Some(0)), &sized(&one, None, None)));
        same.enabled = false;
        assert!(!same_rules(&[one, second.clone()], &[second, same]));
    }
}
