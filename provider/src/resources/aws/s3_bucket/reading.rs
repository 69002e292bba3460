//! What settings a bucket has.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types as s3;

use super::calls::Calls;
use super::convert;
use super::model::{CorsRule, Encryption, LifecycleRule, Logging, PublicAccessBlock, Versioning};
use super::settings::Settings;
use crate::clients::aws::{AwsError, Problem};
use crate::resources::aws::tags::Tags;

/// `None` where the setting was never made, and where the server knows no such setting: what a plan then shows as missing,
/// its write tells of; and nothing keeps the bucket from being destroyed.
fn optional<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer.map_err(|error| AwsError::call(action, error)) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.problem(), Some(Problem::Absent | Problem::NotImplemented)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Calls {
    /// All tags.
    pub(super) async fn tags(&self) -> Result<Tags, AwsError> {
        let answer = self.s3.get_bucket_tagging().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketTagging", answer)?;
        Ok(found.map(|found| convert::tags(&found.tag_set)).unwrap_or_default())
    }

    /// Everything that is looked at, at once.
    pub(super) async fn settings(&self) -> Result<Settings, AwsError> {
        let (
            tags,
            public_access_block,
            object_ownership,
            versioning,
            encryption,
            lifecycle,
            cors,
            logging,
            policy,
            lock,
        ) = tokio::try_join!(
            self.tags(),
            self.public_access_block(),
            self.object_ownership(),
            self.versioning(),
            self.encryption(),
            self.lifecycle(),
            self.cors(),
            self.logging(),
            self.policy(),
            self.object_lock(),
        )?;
        Ok(Settings {
            tags,
            public_access_block,
            object_ownership,
            versioning,
            encryption,
            lifecycle,
            cors,
            logging,
            policy,
            object_lock: lock,
        })
    }

    async fn public_access_block(&self) -> Result<PublicAccessBlock, AwsError> {
        let answer = self.s3.get_public_access_block().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketPublicAccessBlock", answer)?;
        let found = found.and_then(|found| found.public_access_block_configuration);
        let is_on = |part: fn(&s3::PublicAccessBlockConfiguration) -> Option<bool>| {
            found.as_ref().and_then(part).unwrap_or_default()
        };
        Ok(PublicAccessBlock {
            block_public_acls: is_on(|found| found.block_public_acls),
            block_public_policy: is_on(|found| found.block_public_policy),
            ignore_public_acls: is_on(|found| found.ignore_public_acls),
            restrict_public_buckets: is_on(|found| found.restrict_public_buckets),
        })
    }

    async fn object_ownership(&self) -> Result<String, AwsError> {
        let answer = self.s3.get_bucket_ownership_controls().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketOwnershipControls", answer)?;
        let rule = found.and_then(|found| found.ownership_controls?.rules.into_iter().next());
        // A bucket without controls is older than they are.
        Ok(rule.map_or_else(
            || "ObjectWriter".to_owned(),
            |rule| rule.object_ownership.as_str().to_owned(),
        ))
    }

    async fn versioning(&self) -> Result<Versioning, AwsError> {
        let answer = self.s3.get_bucket_versioning().bucket(&self.name).send().await;
        // moto calls the document's root otherwise than S3 does, and the SDK insists on it.
        if let Some(text) = answer.as_ref().err().and_then(foreign_root) {
            let enabled = text.contains("<Status>Enabled</Status>");
            return Ok(Versioning { enabled });
        }
        let status = optional("s3:GetBucketVersioning", answer)?.and_then(|found| found.status);
        Ok(Versioning {
            enabled: status == Some(s3::BucketVersioningStatus::Enabled),
        })
    }

    async fn encryption(&self) -> Result<Encryption, AwsError> {
        let answer = self.s3.get_bucket_encryption().bucket(&self.name).send().await;
        let found = optional("s3:GetEncryptionConfiguration", answer)?;
        let rule = found.and_then(|found| found.server_side_encryption_configuration?.rules.into_iter().next());
        let Some(rule) = rule else {
            // S3 encrypts always; a store that does not says so by having no rule.
            return Ok(Encryption {
                sse_algorithm: "none".into(),
                ..Encryption::default()
            });
        };
        let by_default = rule.apply_server_side_encryption_by_default;
        Ok(Encryption {
            sse_algorithm: by_default.as_ref().map_or_else(
                || "none".to_owned(),
                |by_default| by_default.sse_algorithm.as_str().to_owned(),
            ),
            kms_master_key_id: by_default.and_then(|by_default| by_default.kms_master_key_id),
            bucket_key_enabled: rule.bucket_key_enabled.unwrap_or_default(),
        })
    }

    async fn lifecycle(&self) -> Result<Vec<LifecycleRule>, AwsError> {
        let answer = self
            .s3
            .get_bucket_lifecycle_configuration()
            .bucket(&self.name)
            .send()
            .await;
        let found = optional("s3:GetLifecycleConfiguration", answer)?;
        let rules = found.and_then(|found| found.rules).unwrap_or_default();
        Ok(rules.into_iter().map(LifecycleRule::from_sdk).collect())
    }

    async fn cors(&self) -> Result<Vec<CorsRule>, AwsError> {
        let answer = self.s3.get_bucket_cors().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketCORS", answer)?;
        let rules = found.and_then(|found| found.cors_rules).unwrap_or_default();
        Ok(rules.into_iter().map(CorsRule::from_sdk).collect())
    }

    async fn logging(&self) -> Result<Option<Logging>, AwsError> {
        let answer = self.s3.get_bucket_logging().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketLogging", answer)?;
        Ok(found.and_then(|found| found.logging_enabled).map(|found| Logging {
            target_bucket: found.target_bucket,
            target_prefix: found.target_prefix,
        }))
    }

    async fn policy(&self) -> Result<Option<serde_json::Value>, AwsError> {
        let answer = self.s3.get_bucket_policy().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketPolicy", answer)?.and_then(|found| found.policy);
        Ok(found.and_then(|text| serde_json::from_str(&text).ok()))
    }

    async fn object_lock(&self) -> Result<bool, AwsError> {
        let answer = self.s3.get_object_lock_configuration().bucket(&self.name).send().await;
        let found = optional("s3:GetBucketObjectLockConfiguration", answer)?;
        let enabled = found.and_then(|found| found.object_lock_configuration?.object_lock_enabled);
        Ok(enabled == Some(s3::ObjectLockEnabled::Enabled))
    }
}

/// The text of an answer that was a success and did not parse.
fn foreign_root<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response().filter(|response| response.status().is_success())?;
    let text = std::str::from_utf8(response.body().bytes()?).ok()?;
    text.contains("Versioning").then(|| text.to_owned())
}
