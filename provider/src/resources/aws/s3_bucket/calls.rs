//! The calls of S3 for one bucket, each named as IAM names it: making and removing. Looking is in `reading`, changing in
//! `writing`.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types as s3;

use super::convert;
use super::settings::Settings;
use crate::clients::aws::{Attempts, AwsError, Problem};

/// A bucket that can be talked to.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    pub(super) s3: Client,
    pub(super) attempts: Attempts,
    pub(super) name: String,
    pub(super) region: String,
}

/// The outcome alone.
pub(super) fn done<T, E>(action: &'static str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<(), AwsError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    answer.map(drop).map_err(|error| AwsError::call(action, error))
}

/// The SDK asks for every required part when it builds a request; the models have them all.
pub(super) fn built<T>(request: Result<T, BuildError>) -> T {
    request.expect("the model gives every part that the request requires")
}

impl Calls {
    /// Makes the bucket. On AWS its tags are there from the first moment, if it is made `tagged`; some stores know no tags of
    /// new buckets, and make it without.
    pub(super) async fn create(&self, wanted: &Settings, tagged: bool) -> Result<(), AwsError> {
        let tags = tagged.then(|| {
            let tags = wanted.tags.iter().map(|(key, value)| built(convert::tag(key, value)));
            tags.collect::<Vec<_>>()
        });
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

    /// Whether this account has the bucket: no other account's are listed.
    pub(super) async fn is_listed(&self) -> Result<bool, AwsError> {
        let answer = self.s3.list_buckets().prefix(&self.name).send().await;
        let found = match answer.map_err(|error| AwsError::call("s3:ListAllMyBuckets", error)) {
            Ok(found) => found,
            Err(error) if error.problem() == Some(&Problem::Denied) => return Ok(false),
            Err(error) => return Err(error),
        };
        let mut names = found.buckets.into_iter().flatten().filter_map(|bucket| bucket.name);
        Ok(names.any(|name| name == self.name))
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
