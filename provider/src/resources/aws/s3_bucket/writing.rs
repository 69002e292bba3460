//! Changing what settings a bucket has.

use aws_sdk_s3::types as s3;

use super::calls::{Calls, built, done};
use super::convert;
use super::settings::{Setting, Settings};
use crate::clients::aws::AwsError;

impl Calls {
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
}
