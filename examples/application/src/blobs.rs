//! S3 or a store that speaks its protocol: one object per blob.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, Region, RuntimeComponents};
use aws_sdk_s3::error::{BoxError, DisplayErrorContext, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;

use crate::config::S3;

const CONNECT: Duration = Duration::from_secs(2);
/// One try, with the largest blob; a try that fails sooner is repeated.
const ATTEMPT: Duration = Duration::from_secs(8);
const OPERATION: Duration = Duration::from_secs(9);
/// Blobs lie below it.
pub(crate) const PREFIX: &str = "artefacts/";

/// The bucket of the store.
pub(crate) struct Blobs {
    client: Client,
    bucket: String,
    address: String,
    variable: &'static str,
    server: ServerName,
}

/// Why the bucket cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("bucket {bucket} at {address}: {reason}")]
pub(crate) struct BlobError {
    bucket: String,
    address: String,
    reason: String,
}

impl Blobs {
    pub(crate) async fn new(config: &S3) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(OPERATION)
            .build();
        let shared = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(config.region.clone()))
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard())
            .load()
            .await;
        let server = ServerName::default();
        let mut builder = aws_sdk_s3::config::Builder::from(&shared)
            .force_path_style(config.path_style)
            .interceptor(server.clone());
        builder.set_endpoint_url(config.endpoint.clone());
        Self {
            client: Client::from_conf(builder.build()),
            bucket: config.bucket.clone(),
            address: config
                .endpoint
                .clone()
                .unwrap_or_else(|| format!("https://s3.{}.amazonaws.com", config.region)),
            variable: config.variable,
            server,
        }
    }

    /// The endpoint's URL.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The variable that decided it.
    pub(crate) fn variable(&self) -> &'static str {
        self.variable
    }

    /// What the server calls itself in its answers; `None` before the first one, and when it does not say.
    pub(crate) fn server(&self) -> Option<&str> {
        self.server.0.get().map(String::as_str)
    }

    /// One small signed request.
    pub(crate) async fn ping(&self) -> Result<(), BlobError> {
        let answer = self.client.head_bucket().bucket(&self.bucket).send().await;
        answer.map(drop).map_err(|error| self.error(&error))
    }

    pub(crate) async fn put(&self, key: &str, media_type: &str, content: ByteStream) -> Result<(), BlobError> {
        let put = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(media_type)
            .body(content);
        put.send().await.map(drop).map_err(|error| self.error(&error))
    }

    /// `None` when there is no such object.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<ByteStream>, BlobError> {
        match self.client.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.body)),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// All keys below the prefix, a page at a time: the page, and where the next one starts.
    pub(crate) async fn keys(&self, from: Option<String>) -> Result<(Vec<String>, Option<String>), BlobError> {
        let list = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(PREFIX)
            .set_continuation_token(from);
        let page = list.send().await.map_err(|error| self.error(&error))?;
        let keys = page
            .contents()
            .iter()
            .filter_map(|object| object.key().map(str::to_owned))
            .collect();
        Ok((keys, page.next_continuation_token().map(str::to_owned)))
    }

    fn error<E, R>(&self, error: &SdkError<E, R>) -> BlobError
    where
        E: std::error::Error + aws_sdk_s3::error::ProvideErrorMetadata + 'static,
        R: std::fmt::Debug + 'static,
    {
        let reason = match error.as_service_error() {
            Some(refusal) => {
                let code = refusal.code().unwrap_or("refused");
                refusal
                    .message()
                    .map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"))
            }
            None => DisplayErrorContext(error).to_string(),
        };
        BlobError {
            bucket: self.bucket.clone(),
            address: self.address.clone(),
            reason,
        }
    }
}

/// Remembers the header `Server` of the first answer.
#[derive(Debug, Clone, Default)]
struct ServerName(Arc<OnceLock<String>>);

impl Intercept for ServerName {
    fn name(&self) -> &'static str {
        "ServerName"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(server) = context.response().headers().get("server") {
            self.0.get_or_init(|| server.to_owned());
        }
        Ok(())
    }
}
