//! `mlplat_aws_s3_bucket`: a bucket of Amazon S3 with all of its settings.

mod calls;
mod convert;
mod error;
mod model;
mod names;
mod policy;
mod reading;
mod rules;
mod settings;
mod settle;
mod writing;

use std::sync::atomic::{AtomicBool, Ordering};

use tfplug::{Computed, Config, Context, Diagnostic, Diagnostics, ImportId, Kept, Plan, Resource};

use self::calls::Calls;
use self::error::{BucketError, explain};
pub use self::model::Bucket;
pub(crate) use self::names::Names;
use self::settle::Settle;
use super::intent::Intent;
use super::{tags, timeouts};
use crate::clients::aws::{Aws, Problem};
use crate::provider::Clients;
use crate::wait::{self, Look, Pace};

/// The resource.
pub struct S3BucketResource;

#[tfplug::async_trait]
impl Resource for S3BucketResource {
    type Model = Bucket;
    type Clients = Clients;

    const TYPE: &'static str = "aws_s3_bucket";

    async fn validate(&self, config: &Config<Bucket>) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        let is = |path: &str, wanted: bool| config.get::<bool>(path) == Computed::Known(wanted);
        if is("object_lock_enabled", true) && is("versioning.enabled", false) {
            diagnostics.push(
                Diagnostic::error("Object lock needs versioning")
                    .detail("To fix: remove `versioning`, or set `object_lock_enabled = false`.")
                    .at("versioning.enabled"),
            );
        }
        let encryption = "server_side_encryption_configuration";
        let algorithm = config.get::<String>(format!("{encryption}.sse_algorithm").as_str());
        let key = format!("{encryption}.kms_master_key_id");
        if algorithm == Computed::from("AES256") && config.is_set(key.as_str()) {
            diagnostics.push(
                Diagnostic::error("A KMS key needs an algorithm of KMS")
                    .detail("To fix: set `sse_algorithm = \"aws:kms\"` beside `kms_master_key_id`.")
                    .at(key.as_str()),
            );
        }
        diagnostics
    }

    async fn plan(&self, context: &Context<Clients>, plan: &mut Plan<Bucket>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            return Ok(());
        }
        let aws = &context.clients().aws;
        tags::plan(aws, plan);
        if plan.is_create() && !plan.config().is_set("region") && aws.is_known() {
            match aws.region().await {
                Ok(region) => plan.set("region", region),
                Err(error) => return Err(aws.explain("The bucket cannot be planned", &error).await.into()),
            }
        }
        let (name, region) = (plan.get::<String>("bucket"), plan.get::<String>("region"));
        let (Computed::Known(name), Computed::Known(region), true) = (name, region, aws.is_known()) else {
            plan.set_unknown("endpoint");
            return Ok(());
        };
        let names = Names::of(&name, &region);
        if plan.is_create() {
            plan.set("id", name.clone());
            plan.set("arn", names.arn.clone());
            plan.set("bucket_domain_name", names.domain_name.clone());
            plan.set("bucket_regional_domain_name", names.regional_domain_name.clone());
        }
        match names.endpoint(aws).await {
            Ok(endpoint) => plan.set("endpoint", Computed::Known(endpoint)),
            Err(error) => return Err(aws.explain("The bucket cannot be planned", &error).await.into()),
        }
        Ok(())
    }

    async fn create(
        &self,
        context: &Context<Clients>,
        mut planned: Bucket,
        _config: Bucket,
    ) -> Result<Bucket, Kept<Bucket>> {
        let aws = &context.clients().aws;
        let summary = "The bucket was not made";
        let noted = match note(aws, &mut planned) {
            Ok(noted) => noted,
            Err(error) => return Err(Diagnostic::error(summary).detail(format!("{error}.")).into()),
        };
        let calls = calls(aws, &planned, summary).await?;
        let names = Names::of(&calls.name, &calls.region);
        names.fill(aws, &mut planned).await?;
        let left_behind = noted.as_ref().is_some_and(|intent| intent.left_behind);
        let settle = Settle::create(aws, &calls, &planned, &names.arn, left_behind);
        let limit = timeouts::limit(planned.timeouts.as_ref(), |limits| limits.create.as_ref());
        let what = format!("the bucket {} to be as planned", calls.name);
        let made = wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || settle.look()).await;
        let exists = settle.exists();
        // Whether a call that was cut off or whose answer was lost has made it is not known: the note stays for the next run.
        let refused = matches!(&made, Err(wait::WaitError::Failed(error)) if error.is_refusal());
        let taken = matches!(&made, Err(wait::WaitError::Failed(BucketError::Taken { .. })));
        let known = exists || taken || (refused && !left_behind);
        if let (true, Some(intent)) = (known, noted) {
            intent.done();
        }
        match made {
            Ok(found) => {
                found.show(aws, &mut planned, &names.arn);
                Ok(planned)
            }
            Err(error) => {
                let diagnostic = explain(aws, &calls, summary, error).await;
                planned.tags_all = tags::all(aws, planned.tags.as_ref()).into();
                Err(Kept {
                    model: exists.then_some(planned),
                    diagnostics: diagnostic.into(),
                })
            }
        }
    }

    async fn read(&self, context: &Context<Clients>, mut state: Bucket) -> Result<Option<Bucket>, Diagnostics> {
        let aws = &context.clients().aws;
        let summary = "The bucket cannot be read";
        let calls = calls(aws, &state, summary).await?;
        let names = Names::of(&calls.name, &calls.region);
        let limit = timeouts::limit(state.timeouts.as_ref(), |limits| limits.read.as_ref());
        let what = format!("the settings of the bucket {}", calls.name);
        let found = wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || async {
            match calls.settings().await {
                Ok(found) => Ok(Look::Done(Some(found))),
                Err(error) if error.problem() == Some(&Problem::Gone) => Ok(Look::Done(None)),
                Err(error) => Err(BucketError::from(error)),
            }
        });
        match found.await {
            Ok(Some(found)) => {
                names.fill(aws, &mut state).await?;
                found.show(aws, &mut state, &names.arn);
                Ok(Some(state))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(explain(aws, &calls, summary, error).await.into()),
        }
    }

    async fn update(
        &self,
        context: &Context<Clients>,
        mut prior: Bucket,
        mut planned: Bucket,
        _config: Bucket,
    ) -> Result<Bucket, Kept<Bucket>> {
        let aws = &context.clients().aws;
        let summary = "The bucket was not changed as planned";
        let calls = calls(aws, &planned, summary).await?;
        let names = Names::of(&calls.name, &calls.region);
        names.fill(aws, &mut planned).await?;
        let settle = Settle::update(aws, &calls, &planned, &names.arn);
        let limit = timeouts::limit(planned.timeouts.as_ref(), |limits| limits.update.as_ref());
        let what = format!("the bucket {} to be as planned", calls.name);
        match wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || settle.look()).await {
            Ok(found) => {
                found.show(aws, &mut planned, &names.arn);
                Ok(planned)
            }
            Err(error) => {
                let diagnostic = explain(aws, &calls, summary, error).await;
                // The next plan then shows again what is not done.
                let now = calls.settings().await.ok().map(|found| {
                    found.show(aws, &mut prior, &names.arn);
                    prior
                });
                Err(Kept {
                    model: now,
                    diagnostics: diagnostic.into(),
                })
            }
        }
    }

    async fn delete(&self, context: &Context<Clients>, state: Bucket) -> Result<(), Kept<Bucket>> {
        let aws = &context.clients().aws;
        let summary = "The bucket was not destroyed";
        let calls = calls(aws, &state, summary).await?;
        let limit = timeouts::limit(state.timeouts.as_ref(), |limits| limits.delete.as_ref());
        let what = format!("the bucket {} to be gone", calls.name);
        let deleted = AtomicBool::new(false);
        let look = || remove(&calls, &state, &deleted);
        match wait::until_at(Pace::FAR, &what, limit, context.cancellation(), look).await {
            Ok(()) => Ok(()),
            Err(error) => Err(explain(aws, &calls, summary, error).await.into()),
        }
    }

    async fn import(&self, context: &Context<Clients>, id: ImportId) -> Result<Bucket, Diagnostics> {
        let (name, region) = match &id {
            ImportId::Id(id) => match id.split_once('@') {
                Some((name, region)) => (name.to_owned(), Some(region.to_owned())),
                None => (id.clone(), None),
            },
            ImportId::Identity(_) => (id.get("bucket").unwrap_or_default(), id.get("region")),
        };
        rules::bucket(&name).map_err(|problem| {
            Diagnostic::error("The import names no bucket").detail(format!(
                "The name {problem}. To fix: give the bucket's name as the id, or NAME@REGION."
            ))
        })?;
        let aws = &context.clients().aws;
        let region = match region {
            Some(region) => region,
            None => match aws.region().await {
                Ok(region) => region,
                Err(error) => return Err(aws.explain("The bucket cannot be imported", &error).await.into()),
            },
        };
        Ok(Bucket::imported(name, region))
    }
}

/// What is known of a bucket that is managed elsewhere.
///
/// # Errors
/// When it is not there, or cannot be read.
pub(crate) async fn look_up(
    context: &Context<Clients>,
    name: &str,
    region: Option<String>,
) -> Result<Bucket, Diagnostics> {
    let aws = &context.clients().aws;
    let summary = "The bucket cannot be read";
    let mut model = Bucket::imported(name.to_owned(), String::new());
    model.region = region.into();
    let calls = calls(aws, &model, summary).await?;
    let limit = timeouts::limit(None, |limits| limits.read.as_ref());
    let what = format!("the tags of the bucket {name}");
    let found = wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || async {
        calls.tags().await.map(Look::Done).map_err(BucketError::from)
    });
    match found.await {
        Ok(found) => {
            model.tags_all = tags::shown(aws, None, &found).1.into();
            Names::of(&calls.name, &calls.region).fill(aws, &mut model).await?;
            Ok(model)
        }
        Err(error) => Err(explain(aws, &calls, summary, error).await.at("bucket").into()),
    }
}

/// Notes what is about to be made, and gives it a name if it has none. `None` where this machine cannot keep notes: then a
/// create that is cut off is known by its tag alone.
fn note(aws: &Aws, planned: &mut Bucket) -> Result<Option<Intent>, BucketError> {
    let dir = aws.notes_dir().join("s3_bucket");
    if let Computed::Known(name) = &planned.bucket {
        return match Intent::note(&dir, name) {
            Ok(Some(intent)) => Ok(Some(intent)),
            Ok(None) => Err(BucketError::InTheMaking { name: name.clone() }),
            Err(_) => Ok(None),
        };
    }
    let prefix = planned.bucket_prefix.as_deref().unwrap_or(names::PREFIX);
    let (name, intent) = match Intent::left_behind(&dir, prefix) {
        Some((name, intent)) => (name, Some(intent)),
        None => {
            let name = names::generated(prefix);
            let intent = Intent::note(&dir, &name).ok().flatten();
            (name, intent)
        }
    };
    planned.bucket = name.into();
    Ok(intent)
}

/// Talks to the bucket of this model.
async fn calls(aws: &Aws, model: &Bucket, summary: &str) -> Result<Calls, Diagnostics> {
    let prepared = async {
        let region = match model.region.known() {
            Some(region) => region.clone(),
            None => aws.region().await?,
        };
        let (s3, attempts) = aws.s3(&region).await?;
        Ok(Calls {
            s3,
            attempts,
            name: model.bucket.known().cloned().unwrap_or_default(),
            region,
        })
    };
    match prepared.await {
        Ok(calls) => Ok(calls),
        Err(error) => Err(aws.explain(summary, &error).await.into()),
    }
}

/// Deletes the bucket, empties it before if it may, and looks whether it is gone.
async fn remove(calls: &Calls, state: &Bucket, deleted: &AtomicBool) -> Result<Look<()>, BucketError> {
    if !deleted.load(Ordering::Relaxed) {
        match calls.delete().await {
            Ok(()) => deleted.store(true, Ordering::Relaxed),
            Err(error) if error.problem() == Some(&Problem::Gone) => return Ok(Look::Done(())),
            Err(error) if error.problem() == Some(&Problem::Busy) => return Ok(Look::NotYet(error.to_string())),
            Err(error) if error.code() == Some("BucketNotEmpty") => return empty(calls, state).await,
            Err(error) => return Err(error.into()),
        }
    }
    match calls.tags().await {
        Err(error) if error.problem() == Some(&Problem::Gone) => Ok(Look::Done(())),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(Look::NotYet("S3 still shows it".to_owned())),
    }
}

async fn empty(calls: &Calls, state: &Bucket) -> Result<Look<()>, BucketError> {
    loop {
        let held = calls.held().await?;
        let Some(first) = held.first() else {
            return Ok(Look::NotYet("it was emptied, and S3 does not know it yet".to_owned()));
        };
        if !state.force_destroy {
            return Err(BucketError::NotEmpty {
                name: calls.name.clone(),
                held: match held.len() {
                    1 => format!("the object {:?}", first.key),
                    many => format!("{many} objects and versions or more, such as {:?}", first.key),
                },
            });
        }
        let failed = calls.delete_objects(held, state.object_lock_enabled).await?;
        if let Some(first) = failed.first() {
            return Err(BucketError::Held {
                name: calls.name.clone(),
                what: format!("{first}, {} in all", failed.len()),
            });
        }
    }
}
