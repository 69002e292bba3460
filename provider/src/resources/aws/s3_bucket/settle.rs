//! Making a bucket what is planned: one look sees what there is, writes what differs and is repeated until nothing does. So
//! create, update, what a killed create left, and S3's own delay are one way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::calls::Calls;
use super::error::BucketError;
use super::model::Bucket;
use super::settings::{Setting, Settings};
use crate::clients::aws::{Aws, AwsError, Problem};
use crate::resources::aws::tags::{self, CREATING, OWNER, Tags};
use crate::wait::Look;

/// How long S3 may take to show what it has accepted.
const SETTLING: Duration = Duration::from_secs(120);

/// A bucket on its way to what is planned.
pub(super) struct Settle<'a> {
    aws: &'a Aws,
    calls: &'a Calls,
    planned: &'a Bucket,
    arn: &'a str,
    /// A create of this bucket was cut off on this machine.
    left_behind: bool,
    creates: bool,
    exists: AtomicBool,
    /// What was written, and when last. Nothing is written twice.
    written: Mutex<(BTreeSet<Setting>, Instant)>,
}

impl<'a> Settle<'a> {
    /// A bucket that is to be made.
    pub(super) fn create(aws: &'a Aws, calls: &'a Calls, planned: &'a Bucket, arn: &'a str, left_behind: bool) -> Self {
        Self {
            left_behind,
            creates: true,
            exists: AtomicBool::new(false),
            ..Self::update(aws, calls, planned, arn)
        }
    }

    /// A bucket that is there.
    pub(super) fn update(aws: &'a Aws, calls: &'a Calls, planned: &'a Bucket, arn: &'a str) -> Self {
        Self {
            aws,
            calls,
            planned,
            arn,
            left_behind: false,
            creates: false,
            exists: AtomicBool::new(true),
            written: Mutex::new((BTreeSet::new(), Instant::now())),
        }
    }

    /// Whether the bucket is there and ours.
    pub(super) fn exists(&self) -> bool {
        self.exists.load(Ordering::Relaxed)
    }

    /// Sees what there is and writes what differs.
    pub(super) async fn look(&self) -> Result<Look<Settings>, BucketError> {
        if !self.exists() {
            self.claim().await?;
            self.exists.store(true, Ordering::Relaxed);
        }
        let found = match self.calls.settings().await {
            Ok(found) => found,
            Err(error) => return self.later(error),
        };
        let wanted = self.wanted(&found.tags);
        let differing = found.differences(&wanted);
        if differing.is_empty() {
            return if self.creates {
                self.finish(found).await
            } else {
                Ok(Look::Done(found))
            };
        }
        let fresh: Vec<Setting> = {
            let (written, since) = &*self.written.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh: Vec<_> = differing
                .iter()
                .filter(|setting| !written.contains(setting))
                .copied()
                .collect();
            if fresh.is_empty() && since.elapsed() > SETTLING {
                return Err(BucketError::Unsettled {
                    settings: differing,
                    seconds: SETTLING.as_secs(),
                });
            }
            fresh
        };
        for setting in fresh {
            if let Err(error) = self.calls.write(setting, &wanted).await {
                return self.later(error);
            }
            let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
            written.0.insert(setting);
            written.1 = Instant::now();
        }
        let names: Vec<String> = differing.iter().map(Setting::to_string).collect();
        Ok(Look::NotYet(format!("S3 does not show {} yet", names.join(", "))))
    }

    /// What the bucket is to have until everything is as planned.
    fn wanted(&self, found: &Tags) -> Settings {
        let mut wanted = Settings::wanted(self.aws, self.planned, self.arn, found);
        if self.creates {
            wanted.tags = tags::creating(wanted.tags);
        }
        wanted
    }

    /// The last call of a create: from now on no other create takes the bucket for its own that was cut off.
    async fn finish(&self, found: Settings) -> Result<Look<Settings>, BucketError> {
        let wanted = Settings::wanted(self.aws, self.planned, self.arn, &found.tags);
        match self.calls.write(Setting::Tags, &wanted).await {
            Ok(()) => Ok(Look::Done(Settings {
                tags: wanted.tags,
                ..found
            })),
            Err(error) => self.later(error),
        }
    }

    /// What passes by itself is looked at again.
    fn later(&self, error: AwsError) -> Result<Look<Settings>, BucketError> {
        let (_, since) = &*self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = since.elapsed() < SETTLING;
        let passes = match error.problem() {
            // A new bucket is not known everywhere at once.
            Some(Problem::Gone) => self.creates && fresh,
            Some(Problem::Busy) => true,
            // Nor is a new role that the policy names.
            Some(Problem::Refused) => {
                fresh && error.code() == Some("MalformedPolicy") && error.to_string().contains("rincipal")
            }
            _ => false,
        };
        if passes {
            Ok(Look::NotYet(error.to_string()))
        } else {
            Err(error.into())
        }
    }

    /// Makes the bucket, or finds that a create that was cut off has made it.
    async fn claim(&self) -> Result<(), BucketError> {
        if self.is_ours().await? {
            return Ok(());
        }
        match self.calls.create(&self.wanted(&Tags::new())).await {
            Ok(()) => Ok(()),
            Err(error) => match error.code() {
                Some("BucketAlreadyExists") => Err(self.taken("it belongs to another account")),
                // An earlier attempt of this call has made it, and its answer was lost.
                Some("BucketAlreadyOwnedByYou") if self.is_ours().await? => Ok(()),
                Some("BucketAlreadyOwnedByYou") => Err(self.taken("this account has it in another region")),
                _ => Err(error.into()),
            },
        }
    }

    /// Whether the bucket is there and ours; an error when it is somebody else's.
    async fn is_ours(&self) -> Result<bool, BucketError> {
        let tags = match self.calls.tags().await {
            Ok(tags) => tags,
            Err(error) => {
                return match error.problem() {
                    Some(Problem::Gone) => Ok(false),
                    Some(Problem::Denied) => Err(self.taken(
                        "it belongs to another account, or this caller may not read its tags (s3:GetBucketTagging)",
                    )),
                    Some(Problem::Elsewhere(Some(region))) => Err(self.taken(&format!("it is in {region}"))),
                    Some(Problem::Elsewhere(None)) => Err(self.taken("it is in another region")),
                    _ => Err(error.into()),
                };
            }
        };
        let tag = [CREATING, OWNER]
            .into_iter()
            .find_map(|key| Some((key, tags.get(key)?.as_str())));
        match tag {
            Some((key, owner)) if owner != self.aws.owner() => {
                return Err(self.taken(&format!("its tag {key} is {owner:?}")));
            }
            Some((CREATING, _)) => {}
            // Between its last call and Terraform's note of it, a create can be cut off too.
            Some(_) if self.left_behind => {}
            Some((key, owner)) => {
                return Err(self.taken(&format!(
                    "its tag {key} is {owner:?}, so an apply of that owner has made it, and no create was cut off here"
                )));
            }
            None if tags.is_empty() && self.left_behind => {}
            None => return Err(self.taken(&format!("it has no tag {OWNER}"))),
        }
        // Nobody puts anything into a bucket that Terraform never told him of.
        if !self.calls.held().await?.is_empty() {
            return Err(self.taken("it holds objects already, so no create that was cut off has left it"));
        }
        Ok(true)
    }

    fn taken(&self, why: &str) -> BucketError {
        BucketError::Taken {
            name: self.calls.name.clone(),
            region: self.calls.region.clone(),
            why: why.to_owned(),
        }
    }
}
