//! Why a call to AWS failed, and what to do about it.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

/// Why AWS cannot be used, or a call failed. The text holds no secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum AwsError {
    /// Something in `aws` is known only after apply.
    #[error(
        "an argument of `aws` in the provider block is known only after apply. To fix: give it a value that is known \
         when Terraform plans, or apply what it depends on first (`-target`)"
    )]
    NotYetKnown,
    /// Nothing names a region.
    #[error("no region is named. To fix: set `aws.region` in the provider block, or AWS_REGION")]
    NoRegion,
    /// The trusted certificates cannot be read.
    #[error("the CA bundle {path} cannot be used: {problem}. To fix: correct `aws.custom_ca_bundle` or AWS_CA_BUNDLE")]
    CaBundle {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The proxy's address makes no sense.
    #[error(
        "the proxy's address is no URL. To fix: correct `aws.http_proxy`, `aws.https_proxy`, HTTP_PROXY or HTTPS_PROXY"
    )]
    Proxy,
    /// The credentials are of an account that the provider block does not allow.
    #[error(
        "the credentials are of account {account}, which `aws.allowed_account_ids` or `aws.forbidden_account_ids` rules \
         out. To fix: use credentials of another account, or change the list"
    )]
    Account {
        /// The account.
        account: String,
    },
    /// The address of a service that no argument names is not taken.
    #[error(
        "{service} would be called at {url}, which {named_by} names, not the configuration: {why}. To fix: unset that if AWS is \
         meant, or set `aws.endpoints.{argument}` in the provider block"
    )]
    Endpoint {
        /// The service.
        service: &'static str,
        /// Its name in `aws.endpoints`.
        argument: &'static str,
        /// The address, without a password.
        url: String,
        /// Who names it.
        named_by: String,
        /// Why it is not taken.
        why: &'static str,
    },
    /// A call failed.
    #[error("{action} {}{}. To fix: {}", .problem.what(), told(.detail), .problem.fix(.action))]
    Call {
        /// What was called, as IAM names it.
        action: &'static str,
        /// What kind of failure it is.
        problem: Problem,
        /// AWS' own words.
        detail: String,
        /// AWS' name of the error; empty without an answer.
        code: String,
    },
}

/// What kinds of failures are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// What the call is about is not there.
    Gone,
    /// It is there, and this part of it was never set.
    Absent,
    /// The caller may not.
    Denied,
    /// There are no credentials, or they are not valid.
    Credentials,
    /// It is in another region; which, if AWS says so.
    Elsewhere(Option<String>),
    /// Too many calls.
    Throttled,
    /// Another change of the same thing is not done yet.
    Busy,
    /// The name of the server is not found.
    Unresolved,
    /// No answer came.
    Unreachable,
    /// Nobody who is trusted vouches for the server.
    Untrusted,
    /// The answer makes no sense.
    Unreadable,
    /// The server knows no such call.
    NotImplemented,
    /// AWS failed.
    Failed,
    /// AWS does not take the request.
    Refused,
}

impl Problem {
    fn what(&self) -> String {
        match self {
            Self::Gone => "found nothing".into(),
            Self::Absent => "found no such setting".into(),
            Self::Denied => "was denied".into(),
            Self::Credentials => "could not be called: there are no valid credentials".into(),
            Self::Elsewhere(Some(region)) => format!("was sent to the wrong region: it is in {region}"),
            Self::Elsewhere(None) => "was sent to the wrong region".into(),
            Self::Throttled => "was throttled until the attempts were used up".into(),
            Self::Busy => "met another change that is not done yet".into(),
            Self::Unresolved => "could not be called: the name of the server is not found".into(),
            Self::Unreachable => "got no answer".into(),
            Self::NotImplemented => "is not implemented by this server".into(),
            Self::Untrusted => "met a server whose certificate is not trusted".into(),
            Self::Unreadable => "got an answer that makes no sense".into(),
            Self::Failed => "failed on the side of AWS until the attempts were used up".into(),
            Self::Refused => "was refused".into(),
        }
    }

    fn fix(&self, action: &str) -> String {
        match self {
            Self::Gone | Self::Absent => "refresh, and apply again".into(),
            Self::Denied => format!(
                "allow {action} in the caller's policies, and look for a denying one (bucket policy, SCP, permissions \
                 boundary)"
            ),
            Self::Credentials => {
                "log in again, or set `aws.profile`, `aws.assume_role` or the variables AWS_ACCESS_KEY_ID \
                                  and AWS_SECRET_ACCESS_KEY; check the clock"
                    .into()
            }
            Self::Elsewhere(Some(region)) => format!("set `region` to {region}"),
            Self::Elsewhere(None) => "set `region` to where it is".into(),
            Self::Throttled => "apply again later, lower Terraform's -parallelism, or raise `aws.max_retries`".into(),
            Self::Busy | Self::Failed => "apply again in some minutes".into(),
            Self::Unresolved => {
                "correct the region or `aws.endpoints` if the name is misspelt; otherwise check the network, its name servers \
                 and the proxy"
                    .into()
            }
            Self::NotImplemented => {
                "set the argument that this call serves to what the server has without it, or use AWS; applying again does \
                 not help"
                    .into()
            }
            Self::Unreachable => "check the network, the proxy, and `aws.endpoints`".into(),
            Self::Untrusted => {
                "set `aws.custom_ca_bundle` or AWS_CA_BUNDLE to a file with the authority that signed it, such as your \
                 proxy's, or correct `aws.endpoints`"
                    .into()
            }
            Self::Unreadable => "check that `aws.endpoints` and AWS_ENDPOINT_URL lead to the service".into(),
            Self::Refused => "correct what AWS names".into(),
        }
    }
}

fn told(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(" ({})", detail.trim_end_matches('.'))
    }
}

impl AwsError {
    /// A failed call of `action`, as IAM names it.
    pub fn call<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let (problem, detail, code) = classify(&error);
        Self::Call {
            action,
            problem,
            detail,
            code,
        }
    }

    /// What kind of failure it is; `None` when nothing was called.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Call { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// The caller may create, and may not set tags with that call.
    #[must_use]
    pub fn denies_tags(&self) -> bool {
        matches!(self, Self::Call { problem: Problem::Denied, detail, .. } if detail.contains("TagResource"))
    }

    /// AWS' name of the error.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Call { code, .. } if !code.is_empty() => Some(code),
            _ => None,
        }
    }
}

fn classify<E>(error: &SdkError<E, HttpResponse>) -> (Problem, String, String)
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let SdkError::ServiceError(service) = error else {
        let problem = match error {
            SdkError::ResponseError(_) => Problem::Unreadable,
            _ if lacks_credentials(error) => Problem::Credentials,
            _ if is_untrusted(error) => Problem::Untrusted,
            _ if resolution(error).is_some() => Problem::Unresolved,
            _ => Problem::Unreachable,
        };
        return (problem, words(error), String::new());
    };
    let response = service.raw();
    let status = response.status().as_u16();
    let meta = service.err().meta();
    let code = meta.code().unwrap_or_default().to_owned();
    let region = || response.headers().get("x-amz-bucket-region").map(str::to_owned);
    let problem = match (status, code.as_str()) {
        (200..=299, "") => Problem::Unreadable,
        (501, _) | (_, "NotImplemented" | "MethodNotAllowed") => Problem::NotImplemented,
        (_, "NoSuchBucket") => Problem::Gone,
        (
            _,
            "ExpiredToken"
            | "ExpiredTokenException"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "InvalidToken"
            | "SignatureDoesNotMatch"
            | "RequestTimeTooSkewed"
            | "TokenRefreshRequired"
            | "UnrecognizedClientException",
        ) => Problem::Credentials,
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") | (301, _) => {
            Problem::Elsewhere(region())
        }
        (_, "OperationAborted" | "ConditionalRequestConflict") => Problem::Busy,
        (429 | 503, _) | (_, "SlowDown" | "Throttling" | "ThrottlingException" | "RequestLimitExceeded") => {
            Problem::Throttled
        }
        (403, _) => Problem::Denied,
        (404, "") => Problem::Unreadable,
        (404, _) => Problem::Absent,
        (500.., _) => Problem::Failed,
        _ => Problem::Refused,
    };
    let detail = match (code.as_str(), meta.message()) {
        ("", None) if problem == Problem::Unreadable => format!("HTTP {status}: {}", words(error)),
        ("", None) => format!("HTTP {status}"),
        ("", Some(message)) => message.to_owned(),
        (code, None) => code.to_owned(),
        (code, Some(message)) => format!("{code}: {message}"),
    };
    (problem, detail, code)
}

/// The chain of causes on one line.
pub(super) fn words(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes = Vec::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        cause = error.source();
    }
    match causes.is_empty() {
        true => DisplayErrorContext(error).to_string(),
        false => causes.join(": "),
    }
}

/// The HTTP client hides the type of what its TLS says.
pub(super) fn is_untrusted(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|error| error.to_string().contains("invalid peer certificate"))
}

/// Why the name of a server is not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolution {
    /// It does not exist.
    NoSuchName,
    /// No name server answers, or none knows at the moment.
    NoNameServer,
}

/// The HTTP client hides the type of what the system's resolver says.
pub(super) fn resolution(error: &(dyn std::error::Error + 'static)) -> Option<Resolution> {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    let says = |words: &str| texts.iter().any(|text| text.contains(words));
    if !says("dns error") && !says("failed to lookup address information") {
        return None;
    }
    // EAI_AGAIN of glibc, musl and macOS.
    let passes = ["Temporary failure in name resolution", "Try again", "Temporary failure"];
    Some(match passes.into_iter().any(says) {
        true => Resolution::NoNameServer,
        false => Resolution::NoSuchName,
    })
}

fn lacks_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<CredentialsError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
