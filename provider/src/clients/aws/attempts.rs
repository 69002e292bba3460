//! What the SDK's attempts met, for a wait that is cut while the SDK is still trying; and which are the last.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::Metadata;

use super::error::is_untrusted;

/// Remembers the last attempt that failed.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Option<String>>>);

impl Attempts {
    /// What the last attempt met; `None` when it was answered.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "attempts"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let failed = matches!(context.output_or_error(), Some(Err(_)));
        let operation = config.load::<Metadata>().map_or("a call", Metadata::name);
        let failure = match context.response().map(|response| response.status().as_u16()) {
            // Anything else is an answer, and is not tried again.
            Some(status @ (429 | 500..)) => Some(format!("{operation} was answered by HTTP {status}")),
            Some(_) => None,
            None => Some(format!("{operation} was not answered")),
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = failure.filter(|_| failed);
        Ok(())
    }
}

/// A server that is not trusted will not be trusted in a minute.
#[derive(Debug)]
pub(super) struct NotAgain;

impl ClassifyRetry for NotAgain {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context.output_or_error().and_then(Result::err);
        match failed.and_then(|error| error.as_connector_error()) {
            Some(error) if is_untrusted(error) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "not again"
    }
}
