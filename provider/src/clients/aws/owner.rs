//! Whose bucket a call is about: S3 refuses a call for a bucket of another account than the one that is expected.

use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

/// The header by which every call for a bucket that is there takes it.
const HEADER: &str = "x-amz-expected-bucket-owner";
/// The calls that are about no bucket that is there.
const WITHOUT: [&str; 2] = ["CreateBucket", "ListBuckets"];

/// Sends the account that a bucket is expected to belong to.
#[derive(Clone, Debug)]
pub(super) struct ExpectedOwner(pub(super) String);

impl Intercept for ExpectedOwner {
    fn name(&self) -> &'static str {
        "expected bucket owner"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("", Metadata::name);
        if !WITHOUT.contains(&operation) {
            context.request_mut().headers_mut().insert(HEADER, self.0.clone());
        }
        Ok(())
    }
}
