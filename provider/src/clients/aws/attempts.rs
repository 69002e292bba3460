//! What the SDK's attempts met: for a wait that is cut while the SDK is still trying, for the log, and to tell which are the
//! last.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_s3::config::interceptors::FinalizerInterceptorContextRef;
use aws_sdk_s3::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::retries::RequestAttempts;

use super::error::{Resolution, is_untrusted, resolution, words};

/// How long a name that does not exist is asked for again: a network that comes up answers so for a moment.
const NO_SUCH_NAME: Duration = Duration::from_secs(4);
/// How long a name is asked for again while no name server answers.
const NO_NAME_SERVER: Duration = Duration::from_secs(20);

/// Remembers the last attempt that failed, and since when names are not found.
#[derive(Clone, Debug, Default)]
pub struct Attempts(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    last_failure: Option<String>,
    unresolved_since: Option<Instant>,
}

impl Attempts {
    /// What the last attempt met; `None` when it was answered.
    #[must_use]
    pub fn last_failure(&self) -> Option<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last_failure
            .clone()
    }

    /// Whether a name that does not resolve is asked for again.
    fn gives_up(&self, resolution: Resolution) -> bool {
        let limit = match resolution {
            Resolution::NoSuchName => NO_SUCH_NAME,
            Resolution::NoNameServer => NO_NAME_SERVER,
        };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.unresolved_since.get_or_insert_with(Instant::now).elapsed() >= limit
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
        let status = context.response().map(|response| response.status().as_u16());
        let failure = match status {
            // Anything else is an answer, and is not tried again.
            Some(status @ (429 | 500..)) => Some(format!("{operation} was answered by HTTP {status}")),
            Some(_) => None,
            None => Some(format!("{operation} was not answered")),
        };
        let failure = failure.filter(|_| failed);
        if let Some(failure) = &failure {
            let attempt = config
                .load::<RequestAttempts>()
                .map_or(1, |attempts| attempts.attempts());
            let error = context.output_or_error().and_then(Result::err);
            let why = error
                .and_then(|error| error.as_connector_error())
                .map(|error| words(error));
            tracing::warn!(attempt, why, "{failure}; it is tried again while attempts are left");
        }
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.last_failure = failure;
        if status.is_some() {
            seen.unresolved_since = None;
        }
        Ok(())
    }
}

/// A server that is not trusted will not be trusted in a minute, and a name that does not exist will not exist then.
#[derive(Debug)]
pub(super) struct NotAgain(pub(super) Attempts);

impl ClassifyRetry for NotAgain {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let failed = context.output_or_error().and_then(Result::err);
        let Some(error) = failed.and_then(|error| error.as_connector_error()) else {
            return RetryAction::NoActionIndicated;
        };
        let in_vain = resolution(error).is_some_and(|resolution| self.0.gives_up(resolution));
        if in_vain || is_untrusted(error) {
            RetryAction::RetryForbidden
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "not again"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_given_up_sooner_than_one_that_nobody_could_tell() {
        let attempts = Attempts::default();
        let since = |age: Duration| {
            attempts.0.lock().unwrap().unresolved_since = Instant::now().checked_sub(age);
        };
        assert!(!attempts.gives_up(Resolution::NoSuchName), "the first time");
        since(NO_SUCH_NAME);
        assert!(attempts.gives_up(Resolution::NoSuchName) && !attempts.gives_up(Resolution::NoNameServer));
        since(NO_NAME_SERVER);
        assert!(attempts.gives_up(Resolution::NoNameServer));
    }
}
