//! `mlplat_aws_s3_bucket`: a bucket of Amazon S3 and its settings.

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
mod unmanaged;
mod writing;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tfplug::{Computed, Config, Context, Diagnostic, Diagnostics, ImportId, Kept, Plan, Resource};

use self::calls::Calls;
use self::error::{BucketError, explain};
pub use self::model::Bucket;
pub(crate) use self::names::Names;
pub(crate) use self::rules::SUFFIX;
use self::settle::Settle;
use super::notes::{Begun, Intent, Target, Wanted};
use super::{tags, timeouts};
use crate::clients::aws::{Aws, AwsError, Problem};
use crate::provider::Clients;
use crate::wait::{self, Look, Pace};

/// How long the provider of a run that was killed may take to end: it looks for Terraform twice a second, and gives its calls
/// half a minute.
const ORPHAN: Duration = Duration::from_secs(45);

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
        let aws = &context.clients().aws;
        if let Some(prior) = plan.prior() {
            known(context, prior).await;
            if let Some(told) = unmanaged(prior) {
                plan.tell(told);
            }
        }
        if aws.is_known() {
            match aws.warnings().await {
                Ok(warnings) => warnings.into_iter().for_each(|warning| plan.tell(warning)),
                // Without a region, nothing is called; the error is told below, if a region is needed.
                Err(AwsError::NoRegion) => {}
                Err(error) => return Err(aws.explain("The bucket cannot be planned", &error).await.into()),
            }
        }
        if plan.is_destroy() {
            return Ok(());
        }
        tags::plan(aws, plan);
        let given = plan.config().is_set("region");
        if plan.is_create() && !given && aws.is_known() {
            match aws.region().await {
                Ok(region) => plan.set("region", region),
                Err(error) => return Err(aws.explain("The bucket cannot be planned", &error).await.into()),
            }
        }
        let (name, region) = (plan.get::<String>("bucket"), plan.get::<String>("region"));
        if plan.is_create()
            && aws.is_known()
            && let Computed::Known(region) = &region
            && let Err(problem) = aws.check_region(region, given).await
        {
            return Err(Diagnostic::error("The bucket cannot be planned")
                .detail(format!("{problem}."))
                .at("region")
                .into());
        }
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
        let mut calls = calls(aws, &planned, summary, None).await?;
        let limit = timeouts::limit(planned.timeouts.as_ref(), |limits| limits.create.as_ref());
        let generated = planned.bucket.known().is_none();
        loop {
            let intent = match begin(context, &planned, &calls, generated).await {
                Ok(intent) => intent,
                Err(error) => return Err(explain(aws, &calls, summary, error).await.into()),
            };
            let left_behind = intent.left_behind;
            calls.name.clone_from(&intent.name);
            let names = Names::of(&calls.name, &calls.region);
            names.fill(aws, &mut planned).await?;
            let notes = &context.clients().bucket_notes;
            let settle = Settle::create(aws, &calls, &planned, &names.arn, notes, intent);
            let what = format!("the bucket {} to be as planned", calls.name);
            let made = wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || settle.look()).await;
            let exists = settle.exists();
            let intent = settle.into_intent();
            let taken = matches!(&made, Err(wait::WaitError::Failed(BucketError::Taken { .. })));
            let refused = matches!(&made, Err(wait::WaitError::Failed(error)) if error.is_refusal());
            // Whether a call that was cut off or whose answer was lost has made it is not known, nor whether Terraform will
            // keep what it is told now: the note stays for the next run.
            if taken || (refused && !exists && !left_behind) {
                intent.into_iter().for_each(Intent::done);
            } else {
                intent.into_iter().for_each(|intent| notes.keep(intent, exists));
            }
            // A name that was generated and is not to be had any more is not missed.
            if taken && generated && left_behind {
                continue;
            }
            return match made {
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
            };
        }
    }

    async fn read(&self, context: &Context<Clients>, mut state: Bucket) -> Result<Option<Bucket>, Diagnostics> {
        let aws = &context.clients().aws;
        let summary = "The bucket cannot be read";
        let calls = calls(aws, &state, summary, None).await?;
        known(context, &state).await;
        let names = Names::of(&calls.name, &calls.region);
        let limit = timeouts::limit(state.timeouts.as_ref(), |limits| limits.read.as_ref());
        let what = format!("the settings of the bucket {}", calls.name);
        let found = wait::until_at(Pace::FAR, &what, limit, context.cancellation(), || async {
            match tokio::join!(calls.settings(), calls.unmanaged()) {
                (Ok(found), unmanaged) => Ok(Look::Done(Some((found, unmanaged)))),
                (Err(error), _) if error.problem() == Some(&Problem::Gone) => Ok(Look::Done(None)),
                (Err(error), _) => Err(BucketError::from(error)),
            }
        });
        match found.await {
            Ok(Some((found, unmanaged))) => {
                names.fill(aws, &mut state).await?;
                found.show(aws, &mut state, &names.arn);
                state.unmanaged_settings = unmanaged.into();
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
        let calls = calls(aws, &planned, summary, None).await?;
        known(context, &prior).await;
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
        let calls = calls(aws, &state, summary, None).await?;
        known(context, &state).await;
        let limit = timeouts::limit(state.timeouts.as_ref(), |limits| limits.delete.as_ref());
        let what = format!("the bucket {} not to be found any more", calls.name);
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
    owner: Option<String>,
) -> Result<Bucket, Diagnostics> {
    let aws = &context.clients().aws;
    let summary = "The bucket cannot be read";
    let mut model = Bucket::imported(name.to_owned(), String::new());
    model.region = region.into();
    let calls = calls(aws, &model, summary, owner).await?;
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

/// Notes what is about to be made, or finds the note of a create of it that was cut off. The provider of a run that was killed
/// ends soon; until then it may still make the bucket.
async fn begin(
    context: &Context<Clients>,
    planned: &Bucket,
    calls: &Calls,
    generated: bool,
) -> Result<Intent, wait::WaitError<BucketError>> {
    let clients = context.clients();
    let endpoint = clients.aws.s3_url(&calls.region).await;
    let target = Target {
        account: clients.aws.account(),
        endpoint: endpoint.map_err(|error| wait::WaitError::Failed(error.into()))?,
        region: calls.region.clone(),
    };
    let prefix = planned.bucket_prefix.as_deref().unwrap_or(names::PREFIX);
    let wanted = Wanted {
        name: planned.bucket.known().filter(|_| !generated).map(String::as_str),
        prefix,
        target: &target,
        fixed: if planned.object_lock_enabled { "object_lock" } else { "" },
    };
    let what = "the provider of a run of Terraform that was killed to end";
    wait::until(what, ORPHAN, context.cancellation(), || async {
        match clients.bucket_notes.begin(wanted, || names::generated(prefix)) {
            Begun::Noted(intent) => Ok(Look::Done(*intent)),
            Begun::Orphaned(name) => Ok(Look::NotYet(format!("it still makes the bucket {name}"))),
            Begun::Busy(folder) => Err(BucketError::InTheMaking {
                name: calls.name.clone(),
                folder,
            }),
        }
    })
    .await
}

/// Terraform has this bucket in a state.
async fn known(context: &Context<Clients>, state: &Bucket) {
    let clients = context.clients();
    if let (Some(name), Some(region)) = (state.bucket.known(), state.region.known())
        && let Ok(endpoint) = clients.aws.s3_url(region).await
    {
        clients.bucket_notes.known(name, &endpoint, region);
    }
}

/// What the user is told of settings that no argument covers.
fn unmanaged(state: &Bucket) -> Option<Diagnostic> {
    let found = state.unmanaged_settings.known().filter(|found| !found.is_empty())?;
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    let name = state.bucket.known().map_or("", String::as_str);
    Some(
        Diagnostic::warning(format!("The bucket {name} has settings that no argument covers")).detail(format!(
            "They are: {}. An apply leaves them as they are. To fix: remove them where they were made, or keep them and ignore \
             this warning.",
            found.join("; ")
        )),
    )
}

/// Talks to the bucket of this model, which is expected to belong to `owner`; `None` = to the caller's account.
async fn calls(aws: &Aws, model: &Bucket, summary: &str, owner: Option<String>) -> Result<Calls, Diagnostics> {
    let prepared = async {
        let region = match model.region.known() {
            Some(region) => region.clone(),
            None => aws.region().await?,
        };
        let (s3, attempts) = aws.s3(&region, owner).await?;
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
