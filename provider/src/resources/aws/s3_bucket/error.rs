//! Why a bucket is not as planned, and what to do.

use crate::clients::aws::{Aws, AwsError, Problem};
use crate::wait::WaitError;
use tfplug::{Diagnostic, Path};

use super::calls::Calls;
use super::settings::Setting;

/// Why a bucket could not be made, changed or removed.
#[derive(Debug, thiserror::Error)]
pub(super) enum BucketError {
    /// AWS failed, or did not want to.
    #[error("{0}")]
    Aws(#[from] AwsError),
    /// The name is taken by a bucket that is not ours.
    #[error(
        "the bucket {name} exists already: {why}. To fix: choose another name; or, if it is the one you mean, take it over \
         with\n\n  terraform import ADDRESS {name}@{region}\n\nwhere ADDRESS is this resource's address"
    )]
    Taken {
        /// The bucket.
        name: String,
        /// Where it was looked for.
        region: String,
        /// How it is known not to be ours.
        why: String,
    },
    /// Another process is making it.
    #[error(
        "another resource, or another run of Terraform in {folder}, makes the bucket {name} at this moment. To fix: give \
         each resource a name of its own; if it is the same resource, apply again when that run has ended"
    )]
    InTheMaking {
        /// The bucket.
        name: String,
        /// The folder of the configuration that makes it.
        folder: String,
    },
    /// What was written does not show.
    #[error(
        "S3 has accepted {}, and does not show it after {seconds} s. To fix: apply again; if it stays so, the \
         store does not keep this setting", names(.settings)
    )]
    Unsettled {
        /// What does not show.
        settings: Vec<Setting>,
        /// How long was waited.
        seconds: u64,
    },
    /// It holds something.
    #[error(
        "the bucket {name} is not empty: it holds {held}. To fix: delete its objects, all versions of them; or set \
         `force_destroy = true`, apply, and destroy again"
    )]
    NotEmpty {
        /// The bucket.
        name: String,
        /// What is in it.
        held: String,
    },
    /// Objects cannot be deleted.
    #[error(
        "objects of the bucket {name} cannot be deleted: {what}. To fix: remove what holds them (retention, legal hold, a policy)"
    )]
    Held {
        /// The bucket.
        name: String,
        /// Which, and why.
        what: String,
    },
}

impl BucketError {
    /// AWS said no, or was not asked: nothing was made.
    pub(super) fn is_refusal(&self) -> bool {
        let Self::Aws(error) = self else { return false };
        matches!(
            error.problem(),
            None | Some(Problem::Denied | Problem::Credentials | Problem::Elsewhere(_) | Problem::Refused)
        )
    }
}

fn names(settings: &[Setting]) -> String {
    let names: Vec<String> = settings.iter().map(|setting| format!("`{setting}`")).collect();
    names.join(", ")
}

/// What is told of a wait that ended without what it waited for.
pub(super) async fn explain(aws: &Aws, calls: &Calls, summary: &str, error: WaitError<BucketError>) -> Diagnostic {
    match error {
        WaitError::Failed(BucketError::Aws(error)) => aws.explain(summary, &error).await,
        WaitError::Failed(error @ BucketError::Taken { .. }) => Diagnostic::error(summary)
            .detail(format!("{error}."))
            .at(Path::from("bucket")),
        WaitError::Failed(error) => Diagnostic::error(summary).detail(format!("{error}.")),
        WaitError::TimedOut { .. } => {
            let failure = calls.attempts.last_failure();
            let last = failure.map_or_else(String::new, |failure| format!("; last, {failure}"));
            Diagnostic::error(summary).detail(format!(
                "{error}{last}. To fix: apply again; if more time is needed, raise it in `timeouts`."
            ))
        }
        WaitError::Cancelled { .. } => Diagnostic::error(summary).detail(format!("{error}. To fix: apply again.")),
    }
}
