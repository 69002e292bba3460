//! The calls of S3 for one bucket, each named as IAM names it.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types as s3;

use super::convert;
use super::model::{CorsRule, Encryption, LifecycleRule, Logging, PublicAccessBlock, Versioning};
use super::settings::{Setting, Settings};
use crate::clients::aws::{AwsError, Problem};
use crate::resources::aws::tags::Tags;

/// A bucket that can be talked to.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) s3: Client,
    pub(super) name: String,
    pub(super) region: String,
}

/// `None` where the setting was never made.
fn optional<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match answer.map_err(|error| AwsError::call(action, error)) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.problem() == Some(&Problem::Absent) => Ok(None),
        Err(error) => Err(error),
    }
}

fn done<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<(), AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer.map(drop).map_err(|error| AwsError::call(action, error))
}

/// The SDK asks for every required part when it builds a request; the models have them all.
fn built<T>(request: Result<T, BuildError>) -> T {
    request.expect("the model gives every part that the request requires")
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
        let enabled = match answer {
            Ok(found) => found.status == Some(s3::BucketVersioningStatus::Enabled),
            // moto calls the document's root otherwise than S3 does, and the SDK insists on it.
            Err(error) => match foreign_root(&error) {
                Some(text) => text.contains("<Status>Enabled</Status>"),
                None => return Err(AwsError::call("s3:GetBucketVersioning", error)),
            },
        };
        Ok(Versioning { enabled })
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

    /// Makes the bucket. On AWS its tags are there from the first moment; a store that knows no tags of new buckets makes it
    /// without, and so is it made for a caller who may not set them here.
    pub(super) async fn create(&self, wanted: &Settings) -> Result<(), AwsError> {
        let tags = wanted
            .tags
            .iter()
            .map(|(key, value)| built(convert::tag(key, value)))
            .collect();
        match self.create_with(wanted, Some(tags)).await {
            Err(AwsError::Call {
                problem: Problem::Denied,
                detail,
                ..
            }) if detail.contains("TagResource") => self.create_with(wanted, None).await,
            made => made,
        }
    }

    async fn create_with(&self, wanted: &Settings, tags: Option<Vec<s3::Tag>>) -> Result<(), AwsError> {
        let elsewhere = self.region != "us-east-1";
        let configuration = s3::CreateBucketConfiguration::builder()
            .set_location_constraint(elsewhere.then(|| self.region.as_str().into()))
            .set_tags(tags.clone());
        let configuration = (elsewhere || tags.is_some()).then(|| configuration.build());
        let answer = self
            .s3
            .create_bucket()
            .bucket(&self.name)
            .object_ownership(wanted.object_ownership.as_str().into())
            .set_object_lock_enabled_for_bucket(wanted.object_lock.then_some(true))
            .set_create_bucket_configuration(configuration)
            .send()
            .await;
        done("s3:CreateBucket", answer)
    }

    /// Writes one setting.
    pub(super) async fn write(&self, setting: Setting, wanted: &Settings) -> Result<(), AwsError> {
        let (s3, name) = (&self.s3, &self.name);
        match setting {
            Setting::Tags => {
                let tags = wanted.tags.iter().map(|(key, value)| built(convert::tag(key, value)));
                let tagging = built(s3::Tagging::builder().set_tag_set(Some(tags.collect())).build());
                done(
                    "s3:PutBucketTagging",
                    s3.put_bucket_tagging().bucket(name).tagging(tagging).send().await,
                )
            }
            Setting::PublicAccessBlock => {
                let block = &wanted.public_access_block;
                let configuration = s3::PublicAccessBlockConfiguration::builder()
                    .block_public_acls(block.block_public_acls)
                    .block_public_policy(block.block_public_policy)
                    .ignore_public_acls(block.ignore_public_acls)
                    .restrict_public_buckets(block.restrict_public_buckets)
                    .build();
                let call = s3.put_public_access_block().bucket(name);
                let answer = call.public_access_block_configuration(configuration).send().await;
                done("s3:PutBucketPublicAccessBlock", answer)
            }
            Setting::Ownership => {
                let rule =
                    s3::OwnershipControlsRule::builder().object_ownership(wanted.object_ownership.as_str().into());
                let controls = built(s3::OwnershipControls::builder().rules(built(rule.build())).build());
                let call = s3.put_bucket_ownership_controls().bucket(name);
                done(
                    "s3:PutBucketOwnershipControls",
                    call.ownership_controls(controls).send().await,
                )
            }
            Setting::Encryption => {
                let by_default = s3::ServerSideEncryptionByDefault::builder()
                    .sse_algorithm(wanted.encryption.sse_algorithm.as_str().into())
                    .set_kms_master_key_id(wanted.encryption.kms_master_key_id.clone());
                let rule = s3::ServerSideEncryptionRule::builder()
                    .apply_server_side_encryption_by_default(built(by_default.build()))
                    .bucket_key_enabled(wanted.encryption.bucket_key_enabled)
                    .build();
                let configuration = built(s3::ServerSideEncryptionConfiguration::builder().rules(rule).build());
                let call = s3.put_bucket_encryption().bucket(name);
                let answer = call.server_side_encryption_configuration(configuration).send().await;
                done("s3:PutEncryptionConfiguration", answer)
            }
            Setting::Versioning => {
                let status = match wanted.versioning.enabled {
                    true => s3::BucketVersioningStatus::Enabled,
                    false => s3::BucketVersioningStatus::Suspended,
                };
                let configuration = s3::VersioningConfiguration::builder().status(status).build();
                let call = s3.put_bucket_versioning().bucket(name);
                done(
                    "s3:PutBucketVersioning",
                    call.versioning_configuration(configuration).send().await,
                )
            }
            Setting::Lifecycle if wanted.lifecycle.is_empty() => done(
                "s3:PutLifecycleConfiguration",
                s3.delete_bucket_lifecycle().bucket(name).send().await,
            ),
            Setting::Lifecycle => {
                let rules = wanted.lifecycle.iter().map(|rule| built(rule.to_sdk())).collect();
                let configuration = built(
                    s3::BucketLifecycleConfiguration::builder()
                        .set_rules(Some(rules))
                        .build(),
                );
                let call = s3.put_bucket_lifecycle_configuration().bucket(name);
                done(
                    "s3:PutLifecycleConfiguration",
                    call.lifecycle_configuration(configuration).send().await,
                )
            }
            Setting::Cors if wanted.cors.is_empty() => {
                done("s3:PutBucketCORS", s3.delete_bucket_cors().bucket(name).send().await)
            }
            Setting::Cors => {
                let rules = wanted.cors.iter().map(|rule| built(rule.to_sdk())).collect();
                let configuration = built(s3::CorsConfiguration::builder().set_cors_rules(Some(rules)).build());
                done(
                    "s3:PutBucketCORS",
                    s3.put_bucket_cors()
                        .bucket(name)
                        .cors_configuration(configuration)
                        .send()
                        .await,
                )
            }
            Setting::Logging => {
                let enabled = wanted.logging.as_ref().map(|logging| {
                    let enabled = s3::LoggingEnabled::builder().target_bucket(&logging.target_bucket);
                    built(enabled.target_prefix(&logging.target_prefix).build())
                });
                let status = s3::BucketLoggingStatus::builder().set_logging_enabled(enabled).build();
                done(
                    "s3:PutBucketLogging",
                    s3.put_bucket_logging()
                        .bucket(name)
                        .bucket_logging_status(status)
                        .send()
                        .await,
                )
            }
            Setting::Policy => match &wanted.policy {
                Some(policy) => {
                    let call = s3.put_bucket_policy().bucket(name).policy(policy.to_string());
                    done("s3:PutBucketPolicy", call.send().await)
                }
                None => done(
                    "s3:DeleteBucketPolicy",
                    s3.delete_bucket_policy().bucket(name).send().await,
                ),
            },
        }
    }

    /// Deletes the bucket.
    pub(super) async fn delete(&self) -> Result<(), AwsError> {
        done(
            "s3:DeleteBucket",
            self.s3.delete_bucket().bucket(&self.name).send().await,
        )
    }

    /// Some keys of what the bucket holds, versions and delete markers too.
    pub(super) async fn held(&self) -> Result<Vec<s3::ObjectIdentifier>, AwsError> {
        let answer = self
            .s3
            .list_object_versions()
            .bucket(&self.name)
            .max_keys(1000)
            .send()
            .await;
        let found = answer.map_err(|error| AwsError::call("s3:ListBucketVersions", error))?;
        let versions = found
            .versions
            .into_iter()
            .flatten()
            .map(|version| (version.key, version.version_id));
        let markers = found
            .delete_markers
            .into_iter()
            .flatten()
            .map(|marker| (marker.key, marker.version_id));
        let held = versions.chain(markers).filter_map(|(key, version)| {
            let held = s3::ObjectIdentifier::builder().key(key?).set_version_id(version);
            Some(built(held.build()))
        });
        Ok(held.collect())
    }

    /// Deletes these objects. What cannot be deleted is told.
    pub(super) async fn delete_objects(
        &self,
        objects: Vec<s3::ObjectIdentifier>,
        bypass: bool,
    ) -> Result<Vec<String>, AwsError> {
        let delete = s3::Delete::builder().set_objects(Some(objects)).quiet(true);
        let call = self
            .s3
            .delete_objects()
            .bucket(&self.name)
            .delete(built(delete.build()));
        let answer = call
            .set_bypass_governance_retention(bypass.then_some(true))
            .send()
            .await;
        let answer = answer.map_err(|error| AwsError::call("s3:DeleteObjectVersion", error))?;
        Ok(answer
            .errors
            .into_iter()
            .flatten()
            .map(|error| {
                let (key, code) = (error.key.unwrap_or_default(), error.code.unwrap_or_default());
                format!("{key} ({code}: {})", error.message.unwrap_or_default())
            })
            .collect())
    }
}

/// The text of an answer that was a success and did not parse.
fn foreign_root<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response().filter(|response| response.status().is_success())?;
    let text = std::str::from_utf8(response.body().bytes()?).ok()?;
    text.contains("Versioning").then(|| text.to_owned())
}
