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
use crate::resources::aws::notes::{Intent, Notes};
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
    /// The create, as it is noted; `None` when the bucket is there already.
    create: Option<(&'a Notes, Mutex<Intent>)>,
    exists: AtomicBool,
    /// A create that was cut off has made it.
    continued: AtomicBool,
    /// What was written, and when last. Nothing is written twice.
    written: Mutex<(BTreeSet<Setting>, Instant)>,
}

impl<'a> Settle<'a> {
    /// A bucket that is to be made.
    pub(super) fn create(
        aws: &'a Aws,
        calls: &'a Calls,
        planned: &'a Bucket,
        arn: &'a str,
        notes: &'a Notes,
        intent: Intent,
    ) -> Self {
        Self {
            create: Some((notes, Mutex::new(intent))),
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
            create: None,
            exists: AtomicBool::new(true),
            continued: AtomicBool::new(false),
            written: Mutex::new((BTreeSet::new(), Instant::now())),
        }
    }

    /// The create that this was, as it is noted.
    pub(super) fn into_intent(self) -> Option<Intent> {
        let (_, intent) = self.create?;
        Some(intent.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn intent<T>(&self, of: impl FnOnce(&mut Intent) -> T) -> Option<T> {
        let (_, intent) = self.create.as_ref()?;
        Some(of(&mut intent.lock().unwrap_or_else(PoisonError::into_inner)))
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
        // Emulators show the tags of a deleted bucket again when another one gets its name.
        if self.is_anothers(&found.tags) && !self.aws.is_a_store_of_others().await {
            self.exists.store(false, Ordering::Relaxed);
            return Err(self.taken("another create has made it at the same time"));
        }
        if self.continued.load(Ordering::Relaxed) && found.object_lock != self.planned.object_lock_enabled {
            // What the create that was cut off was given cannot be changed; S3 deletes no bucket that holds something.
            self.calls.delete().await?;
            self.exists.store(false, Ordering::Relaxed);
            return Ok(Look::NotYet(
                "it is made again, for object lock cannot be changed".to_owned(),
            ));
        }
        let wanted = self.wanted(&found.tags);
        let differing = found.differences(&wanted);
        if differing.is_empty() {
            return if self.create.is_some() {
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
        if let Some(id) = self.intent(|intent| intent.note.id.clone()) {
            wanted.tags = tags::creating(wanted.tags, &id);
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
            Some(Problem::Gone) => self.create.is_some() && fresh,
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
        let wanted = self.wanted(&Tags::new());
        let mut made = self.calls.create(&wanted, true).await;
        // For a caller who may not set tags here it is made without.
        if made.as_ref().is_err_and(AwsError::denies_tags) {
            self.intent(Intent::make_untagged);
            made = self.calls.create(&wanted, false).await;
        }
        match made {
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

    /// Where a store makes a bucket again that is there already, as S3 does in one region: whether another create has made
    /// this one in the meantime.
    fn is_anothers(&self, found: &Tags) -> bool {
        let Some(id) = self.intent(|intent| intent.note.id.clone()) else {
            return false;
        };
        if self.continued.load(Ordering::Relaxed) {
            return false;
        }
        match tags::creator(found) {
            Some((creator, _)) => id != creator,
            None => found.contains_key(OWNER),
        }
    }

    /// Whether the bucket is there and ours; an error when it is not ours. A tag can be set by others too: it counts beside the
    /// note of the create alone, or the account.
    async fn is_ours(&self) -> Result<bool, BucketError> {
        let ours = self.is_proven().await?;
        self.continued.store(ours, Ordering::Relaxed);
        Ok(ours)
    }

    async fn is_proven(&self) -> Result<bool, BucketError> {
        let tags = match self.calls.tags().await {
            Ok(tags) => tags,
            Err(error) => {
                return match error.problem() {
                    Some(Problem::Gone) => Ok(false),
                    Some(Problem::Denied) => Err(self.taken(
                        "it belongs to another account, or this caller may not read its tags (s3:GetBucketTagging)",
                    )),
                    Some(Problem::Elsewhere(Some(region))) => Err(self.taken_in(region, &format!("it is in {region}"))),
                    Some(Problem::Elsewhere(None)) => Err(self.taken("it is in another region")),
                    _ => Err(error.into()),
                };
            }
        };
        let noted = self.intent(|intent| (intent.note.id.clone(), intent.left_behind, intent.note.untagged));
        let (id, left_behind, untagged) = noted.unwrap_or_default();
        let owner = self.aws.owner();
        match (tags::creator(&tags), tags.get(OWNER)) {
            (Some((creator, _)), _) if creator == id => return Ok(true),
            (Some((_, other)), _) if other != owner => {
                return Err(self.taken(&format!("its tag {CREATING} is {other:?}")));
            }
            // An older version has made it.
            (Some(("", _)), _) if left_behind => {}
            (Some(_), _) if self.aws.has_own_owner() && self.calls.is_listed().await? => {}
            (Some(_), _) => {
                return Err(self.taken(&format!(
                    "its tag {CREATING} is {owner:?}, which anyone can set, and this configuration has no note on this \
                     machine of a create that was cut off{}",
                    self.elsewhere()
                )));
            }
            (None, Some(other)) if other != owner => {
                return Err(self.taken(&format!("its tag {OWNER} is {other:?}")));
            }
            // Between its last call and Terraform's note of it, a create can be cut off too.
            (None, Some(_)) if left_behind => {}
            (None, Some(_)) => {
                return Err(self.taken(&format!(
                    "its tag {OWNER} is {owner:?}, so an apply of that owner has made it, and this configuration has no \
                     note on this machine of a create of it that was cut off{}",
                    self.elsewhere()
                )));
            }
            // AWS sets the tags with the create, other stores may lose them there.
            (None, None) if tags.is_empty() && left_behind && (untagged || self.aws.is_a_store_of_others().await) => {}
            (None, None) => return Err(self.taken(&format!("it has no tag {OWNER}{}", self.elsewhere()))),
        }
        // Nothing is put into a bucket that Terraform never told of.
        if !self.calls.held().await?.is_empty() {
            return Err(self.taken("it holds objects already, so no create that was cut off has left it"));
        }
        Ok(true)
    }

    /// Which configuration has a note of this bucket.
    fn elsewhere(&self) -> String {
        let place = self
            .create
            .as_ref()
            .and_then(|(notes, _)| notes.elsewhere(&self.calls.name));
        place.map_or_else(String::new, |place| {
            format!(
                "; the configuration in {} (workspace {}) has one, and continues it when it is applied",
                place.folder.display(),
                place.workspace
            )
        })
    }

    fn taken(&self, why: &str) -> BucketError {
        self.taken_in(&self.calls.region, why)
    }

    fn taken_in(&self, region: &str, why: &str) -> BucketError {
        BucketError::Taken {
            name: self.calls.name.clone(),
            region: region.to_owned(),
            why: why.to_owned(),
        }
    }
}
