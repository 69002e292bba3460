//! `mlplat_aws_s3_bucket`: a bucket that is managed elsewhere.

use tfplug::{Computed, Context, DataSource, Diagnostics, Model};

use crate::provider::Clients;
use crate::resources::aws::s3_bucket::look_up;
use crate::resources::aws::tags::Tags;
use crate::resources::endpoints::S3Endpoint;

/// Looks up a bucket of Amazon S3 that is managed elsewhere, and describes it as an endpoint.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Bucket {
    /// Name of the bucket.
    pub bucket: String,
    /// Region of the bucket. Default: that of the provider block.
    #[model(optional)]
    pub region: Computed<String>,
    /// Account that the bucket is expected to belong to, 12 digits; a bucket of another one is refused. Default: the account of
    /// the caller's credentials.
    #[model(validate = account)]
    pub expected_bucket_owner: Option<String>,
    /// The bucket's name.
    pub id: Computed<String>,
    /// ARN of the bucket.
    pub arn: Computed<String>,
    /// `BUCKET.s3.amazonaws.com`.
    pub bucket_domain_name: Computed<String>,
    /// `BUCKET.s3.REGION.amazonaws.com`.
    pub bucket_regional_domain_name: Computed<String>,
    /// The bucket's tags.
    pub tags: Computed<Tags>,
    /// Where applications find the bucket, as `mlplat_environment` publishes it. They are given access by their own role.
    pub endpoint: Computed<S3Endpoint>,
}

/// The data source.
pub struct S3BucketData;

#[tfplug::async_trait]
impl DataSource for S3BucketData {
    type Model = Bucket;
    type Clients = Clients;

    const TYPE: &'static str = "aws_s3_bucket";

    async fn read(&self, context: &Context<Clients>, config: Bucket) -> Result<Bucket, Diagnostics> {
        let owner = config.expected_bucket_owner.clone();
        let found = look_up(context, &config.bucket, config.region.into_known(), owner).await?;
        Ok(Bucket {
            bucket: config.bucket,
            region: found.region,
            expected_bucket_owner: config.expected_bucket_owner,
            id: found.id,
            arn: found.arn,
            bucket_domain_name: found.bucket_domain_name,
            bucket_regional_domain_name: found.bucket_regional_domain_name,
            tags: found.tags_all,
            endpoint: found.endpoint,
        })
    }
}

#[allow(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]
fn account(id: &String) -> Result<(), String> {
    match id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(()),
        false => Err("must be the id of an account, 12 digits".into()),
    }
}
