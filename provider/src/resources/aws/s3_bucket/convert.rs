//! Lifecycle and CORS rules: the model's and the SDK's.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types as s3;

use super::model::{
    AbortIncompleteMultipartUpload, CorsRule, Expiration, LifecycleFilter, LifecycleRule, NoncurrentVersionExpiration,
    NoncurrentVersionTransition, Transition,
};
use super::rules::parse_date;
use crate::resources::aws::tags::Tags;

/// The day alone: S3 takes nothing but midnight.
pub(super) fn written(date: &DateTime) -> Option<String> {
    let whole = date.fmt(DateTimeFormat::DateTime).ok()?;
    Some(whole.split('T').next().unwrap_or(&whole).to_owned())
}

/// A tag of S3.
pub(super) fn tag(key: &str, value: &str) -> Result<s3::Tag, BuildError> {
    s3::Tag::builder().key(key).value(value).build()
}

/// Tags by key.
pub(super) fn tags(found: &[s3::Tag]) -> Tags {
    found.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

impl LifecycleRule {
    pub(super) fn to_sdk(&self) -> Result<s3::LifecycleRule, BuildError> {
        let status = if self.enabled {
            s3::ExpirationStatus::Enabled
        } else {
            s3::ExpirationStatus::Disabled
        };
        let expiration = self.expiration.as_ref().map(|expiration| {
            s3::LifecycleExpiration::builder()
                .set_days(expiration.days)
                .set_date(expiration.date.as_deref().and_then(parse_date))
                .set_expired_object_delete_marker(expiration.expired_object_delete_marker)
                .build()
        });
        let transition = |transition: &Transition| {
            s3::Transition::builder()
                .set_days(transition.days)
                .set_date(transition.date.as_deref().and_then(parse_date))
                .storage_class(transition.storage_class.as_str().into())
                .build()
        };
        let old_transition = |transition: &NoncurrentVersionTransition| {
            s3::NoncurrentVersionTransition::builder()
                .noncurrent_days(transition.noncurrent_days)
                .set_newer_noncurrent_versions(transition.newer_noncurrent_versions)
                .storage_class(transition.storage_class.as_str().into())
                .build()
        };
        let old_expiration = self.noncurrent_version_expiration.as_ref().map(|expiration| {
            s3::NoncurrentVersionExpiration::builder()
                .noncurrent_days(expiration.noncurrent_days)
                .set_newer_noncurrent_versions(expiration.newer_noncurrent_versions)
                .build()
        });
        let abort = self.abort_incomplete_multipart_upload.as_ref().map(|abort| {
            s3::AbortIncompleteMultipartUpload::builder()
                .days_after_initiation(abort.days_after_initiation)
                .build()
        });
        let transitions = self.transition.as_ref();
        let old_transitions = self.noncurrent_version_transition.as_ref();
        s3::LifecycleRule::builder()
            .id(&self.id)
            .status(status)
            .filter(self.filter.clone().unwrap_or_default().to_sdk()?)
            .set_expiration(expiration)
            .set_transitions(transitions.map(|all| all.iter().map(transition).collect()))
            .set_noncurrent_version_expiration(old_expiration)
            .set_noncurrent_version_transitions(old_transitions.map(|all| all.iter().map(old_transition).collect()))
            .set_abort_incomplete_multipart_upload(abort)
            .build()
    }

    #[allow(
        deprecated,
        reason = "rules that were written long ago name their prefix beside the filter"
    )]
    pub(super) fn from_sdk(rule: s3::LifecycleRule) -> Self {
        let filter = match (rule.filter, given(rule.prefix)) {
            (Some(filter), prefix) => {
                let mut filter = LifecycleFilter::from_sdk(filter);
                filter.prefix = filter.prefix.or(prefix);
                filter
            }
            (None, prefix) => LifecycleFilter {
                prefix,
                ..LifecycleFilter::default()
            },
        };
        let transition = |transition: s3::Transition| Transition {
            days: transition.days,
            date: transition.date.as_ref().and_then(written),
            storage_class: class(transition.storage_class),
        };
        let old_transition = |transition: s3::NoncurrentVersionTransition| NoncurrentVersionTransition {
            noncurrent_days: transition.noncurrent_days.unwrap_or_default(),
            newer_noncurrent_versions: transition.newer_noncurrent_versions,
            storage_class: class(transition.storage_class),
        };
        let many = |len: usize| len > 0;
        Self {
            id: rule.id.unwrap_or_default(),
            enabled: rule.status == s3::ExpirationStatus::Enabled,
            filter: Some(filter).filter(|filter| *filter != LifecycleFilter::default()),
            expiration: rule.expiration.map(|expiration| Expiration {
                days: expiration.days.filter(|days| *days > 0),
                date: expiration.date.as_ref().and_then(written),
                expired_object_delete_marker: expiration.expired_object_delete_marker.filter(|is| *is),
            }),
            transition: rule
                .transitions
                .filter(|all| many(all.len()))
                .map(|all| all.into_iter().map(transition).collect()),
            noncurrent_version_expiration: rule.noncurrent_version_expiration.map(|expiration| {
                NoncurrentVersionExpiration {
                    noncurrent_days: expiration.noncurrent_days.unwrap_or_default(),
                    newer_noncurrent_versions: expiration.newer_noncurrent_versions,
                }
            }),
            noncurrent_version_transition: rule
                .noncurrent_version_transitions
                .filter(|all| many(all.len()))
                .map(|all| all.into_iter().map(old_transition).collect()),
            abort_incomplete_multipart_upload: rule.abort_incomplete_multipart_upload.map(|abort| {
                AbortIncompleteMultipartUpload {
                    days_after_initiation: abort.days_after_initiation.unwrap_or_default(),
                }
            }),
        }
    }
}

/// No prefix is an empty one, too.
fn given(prefix: Option<String>) -> Option<String> {
    prefix.filter(|prefix| !prefix.is_empty())
}

fn class(class: Option<s3::TransitionStorageClass>) -> String {
    class.map_or_else(String::new, |class| class.as_str().to_owned())
}

impl LifecycleFilter {
    /// S3 takes one condition bare and several inside `And`.
    fn to_sdk(&self) -> Result<s3::LifecycleRuleFilter, BuildError> {
        let tags = self.tags.iter().flatten().map(|(key, value)| tag(key, value));
        let tags = tags.collect::<Result<Vec<_>, _>>()?;
        let larger = self.object_size_greater_than.map(i64::from);
        let conditions = tags.len()
            + usize::from(self.prefix.is_some())
            + usize::from(larger.is_some())
            + usize::from(self.object_size_less_than.is_some());
        let filter = s3::LifecycleRuleFilter::builder();
        if conditions > 1 {
            let and = s3::LifecycleRuleAndOperator::builder()
                .set_prefix(self.prefix.clone())
                .set_tags(Some(tags).filter(|tags| !tags.is_empty()))
                .set_object_size_greater_than(larger)
                .set_object_size_less_than(self.object_size_less_than)
                .build();
            return Ok(filter.and(and).build());
        }
        let nothing = (conditions == 0).then(String::new);
        Ok(filter
            .set_prefix(self.prefix.clone().or(nothing))
            .set_tag(tags.into_iter().next())
            .set_object_size_greater_than(larger)
            .set_object_size_less_than(self.object_size_less_than)
            .build())
    }

    fn from_sdk(filter: s3::LifecycleRuleFilter) -> Self {
        let and = filter.and.unwrap_or_else(|| {
            s3::LifecycleRuleAndOperator::builder()
                .set_prefix(filter.prefix)
                .set_tags(filter.tag.map(|tag| vec![tag]))
                .set_object_size_greater_than(filter.object_size_greater_than)
                .set_object_size_less_than(filter.object_size_less_than)
                .build()
        });
        Self {
            prefix: given(and.prefix),
            tags: and.tags.filter(|found| !found.is_empty()).map(|found| tags(&found)),
            object_size_greater_than: and.object_size_greater_than.and_then(|bytes| bytes.try_into().ok()),
            object_size_less_than: and.object_size_less_than,
        }
    }
}

impl CorsRule {
    pub(super) fn to_sdk(&self) -> Result<s3::CorsRule, BuildError> {
        s3::CorsRule::builder()
            .set_id(self.id.clone())
            .set_allowed_headers(self.allowed_headers.clone())
            .set_allowed_methods(Some(self.allowed_methods.clone()))
            .set_allowed_origins(Some(self.allowed_origins.clone()))
            .set_expose_headers(self.expose_headers.clone())
            .set_max_age_seconds(self.max_age_seconds)
            .build()
    }

    pub(super) fn from_sdk(rule: s3::CorsRule) -> Self {
        let some = |list: Option<Vec<String>>| list.filter(|list| !list.is_empty());
        Self {
            id: rule.id,
            allowed_headers: some(rule.allowed_headers),
            allowed_methods: rule.allowed_methods,
            allowed_origins: rule.allowed_origins,
            expose_headers: some(rule.expose_headers),
            max_age_seconds: rule.max_age_seconds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_the_way_through_the_sdk() {
        let mut rule = LifecycleRule::expire_old_versions();
        assert_eq!(LifecycleRule::from_sdk(rule.to_sdk().unwrap()), rule);
        rule.transition = Some(vec![Transition {
            days: None,
            date: Some("2030-01-01".into()),
            storage_class: "GLACIER_IR".into(),
        }]);
        for filter in [
            LifecycleFilter {
                prefix: Some("logs/".into()),
                ..LifecycleFilter::default()
            },
            LifecycleFilter {
                tags: Some([("a".into(), "b".into())].into()),
                ..LifecycleFilter::default()
            },
            LifecycleFilter {
                object_size_greater_than: Some(0),
                ..LifecycleFilter::default()
            },
            LifecycleFilter {
                prefix: Some("logs/".into()),
                tags: Some([("a".into(), "b".into()), ("c".into(), "d".into())].into()),
                object_size_greater_than: Some(1),
                object_size_less_than: Some(1 << 40),
            },
        ] {
            rule.filter = Some(filter);
            assert_eq!(LifecycleRule::from_sdk(rule.to_sdk().unwrap()), rule);
        }
    }
}
