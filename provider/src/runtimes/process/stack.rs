//! A stack as a whole: made as asked for, stopped, destroyed. Every operation can be repeated and can be killed at any point.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::folder::Contents;
use super::ledger::{State, access_name, unit_name};
use super::owner::Claim;
use super::platform::lingers_in;
use super::readiness::Awaited;
use super::record::{Part, Record};
use super::siting::Choice;
use super::status::Status;
use crate::engines::Engines;
use crate::runtimes::protocols::Reach;
use crate::services::{Component, LOCALHOST, PUBLISHED, Service, Site, StackSpec, Unit};
use crate::wait::{self, Look, WaitError};

/// How long services may take to end whose folder was deleted.
const FORMER: Duration = Duration::from_secs(40);
/// Room for making roles, databases and buckets, and for a long seed.
const FURNISHING: Duration = Duration::from_secs(600);

/// What the supervisor was told, and what shall be inside the services.
struct Wanted<'a> {
    generation: u64,
    units: &'a BTreeMap<String, Unit>,
    spec: &'a StackSpec,
    /// What ran before.
    before: &'a State,
    unwanted_buckets: BTreeSet<String>,
}

/// The services of one folder.
#[derive(Debug)]
pub struct Stack {
    pub(super) dir: PathBuf,
    pub(super) engines: Engines,
    /// The binary whose `supervise` command is the supervisor.
    pub(super) program: PathBuf,
    /// When a supervisor was started last, so as not to start one at every look.
    pub(super) summoned: Mutex<Option<Instant>>,
    /// The name that the stack must have; `None` = any.
    pub(super) name: Option<String>,
    /// Who asks; `None` = the user at the command line.
    pub(super) claim: Option<Claim>,
    /// A create goes on with what its configuration left behind.
    pub(super) adopting: AtomicBool,
}

impl Stack {
    /// The stack of the folder `dir` (absolute), which need not exist; nothing is read yet.
    #[must_use]
    pub fn open(dir: &Path, engines: Engines, program: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            engines,
            program: program.to_owned(),
            summoned: Mutex::new(None),
            name: None,
            claim: None,
            adopting: AtomicBool::new(false),
        }
    }

    /// Makes the stack as `spec` says and returns when every service answers. Services that are as asked for already are
    /// not touched; components that are not in `spec` are ended and their data is deleted.
    ///
    /// # Errors
    /// All problems. What was made stays, and another call goes on from there.
    pub async fn apply(&self, spec: &StackSpec, cancelled: &CancellationToken) -> Result<Status, StackError> {
        self.check_place()?;
        let (_lock, made_parents) = self.lock(cancelled).await?;
        let result = self.make(spec, &made_parents, cancelled).await;
        if result.is_err() && !Record::path(&self.dir).exists() {
            // Nothing was made: no folder is left either.
            self.abandon(&made_parents);
        }
        result
    }

    async fn make(
        &self,
        spec: &StackSpec,
        made_parents: &[PathBuf],
        cancelled: &CancellationToken,
    ) -> Result<Status, StackError> {
        spec.cluster_access.map_or(Ok(()), Self::check_access)?;
        // Another one may have been made around it while this one waited.
        self.check_place()?;
        let before = match self.contents()? {
            Contents::Nothing => None,
            Contents::Remains(error) => return Err(error),
            Contents::Stack(record) if record.spec.name != spec.name => return Err(self.of_another_name(&record)),
            Contents::Stack(record) => {
                self.check_apply(&record, spec)?;
                Some(*record)
            }
        };
        if before.is_none() {
            self.outwait_former(cancelled).await;
        }
        let state = self.state();
        let mut choice = self.choose_parts(spec, before.as_ref(), &state, cancelled).await;
        self.check_room(spec, &mut choice)?;
        // The claims live until every service listens.
        let Choice {
            parts,
            mut problems,
            claims: _claims,
        } = choice;
        // A new stack is made whole or not at all. Of one that exists, a component that cannot run does not stop the others.
        if (before.is_none() || parts.is_empty()) && !problems.is_empty() {
            return Err(StackError::of(problems.into_values()).expect("there is one"));
        }
        let made = before
            .iter()
            .flat_map(|before| before.buckets.clone())
            .collect::<BTreeSet<_>>();
        let wanted: BTreeSet<_> = spec
            .object_store
            .iter()
            .flat_map(|store| store.buckets.clone())
            .collect();
        let mut record = Record {
            spec: spec.clone(),
            reached: before.as_ref().map(|before| before.reached().clone()),
            parts: parts.clone(),
            buckets: &made | &wanted,
            owner: self.next_owner(before.as_ref()),
            made_parents: before
                .as_ref()
                .map_or_else(|| made_parents.to_vec(), |before| before.made_parents.clone()),
        };
        for &component in problems.keys() {
            record.keep(component, before.as_ref());
        }
        record.write(&self.dir).map_err(|source| self.folder_error(source))?;
        let (sites, unfurnished) = self.furnish_sites(spec, &parts);
        if !unfurnished.is_empty() {
            if before.is_none() || sites.is_empty() {
                return Err(StackError::of(unfurnished.into_values()).expect("there is one"));
            }
            for &component in unfurnished.keys() {
                record.keep(component, before.as_ref());
            }
            record.write(&self.dir).map_err(|source| self.folder_error(source))?;
            problems.extend(unfurnished);
        }
        let mut units = self.units(spec, &sites);
        units.extend(self.units_wanted_of(problems.keys()));
        let wants = Wanted {
            generation: self.want(&units, cancelled).await?,
            units: &units,
            spec,
            before: &state,
            unwanted_buckets: &made - &wanted,
        };
        let tasks = sites
            .iter()
            .map(|(service, site)| self.bring_up(&wants, (*service, site), cancelled))
            .collect();
        // All start side by side; every problem is told when all have come to an end.
        let brought_up = join_all(tasks).await;
        let problems = problems
            .into_values()
            .chain(brought_up.into_iter().filter_map(Result::err));
        if let Some(error) = StackError::of(problems) {
            return Err(error);
        }
        self.remove_components(&record.parts, cancelled).await?;
        record.buckets = wanted;
        record.reached = None;
        record.write(&self.dir).map_err(|source| self.folder_error(source))?;
        self.status()
            .await?
            .ok_or_else(|| StackError::Absent { path: self.dir.clone() })
    }

    /// Ends the services; their data stays and [`Stack::apply`] brings them back.
    ///
    /// # Errors
    /// When there is no stack, or its supervisor does not end.
    pub async fn stop(&self, cancelled: &CancellationToken) -> Result<(), StackError> {
        if !Record::path(&self.dir).exists() {
            return Err(StackError::Absent { path: self.dir.clone() });
        }
        let _lock = self.lock(cancelled).await?;
        self.rest(cancelled).await
    }

    /// Waits until the service answers, then makes what shall be inside it, and waits until pods reach it too.
    async fn bring_up(
        &self,
        wanted: &Wanted<'_>,
        (service, site): (&dyn Service, &Site),
        cancelled: &CancellationToken,
    ) -> Result<(), StackError> {
        let component = service.component();
        let reach = Reach {
            address: LOCALHOST,
            port: site.port(PUBLISHED),
            login: site.login.clone(),
            dialogue: service.dialogue(),
        };
        let ready = async |name: String, reach: &Reach| {
            let before = wanted.before.units.get(&name);
            let awaited = Awaited {
                component,
                service,
                unit: &wanted.units[&name],
                older: before.and_then(|unit| unit.process.clone()),
                name,
                generation: wanted.generation,
                site,
                reach,
            };
            self.ready(&awaited, cancelled).await
        };
        ready(unit_name(component), &reach).await?;
        self.furnish(component, site, &reach, &wanted.unwanted_buckets, cancelled)
            .await?;
        match wanted.spec.door(service, reach.port) {
            Some(door) => ready(access_name(component), &reach.at(door)).await,
            None => Ok(()),
        }
    }

    /// Makes what shall be inside the service.
    async fn furnish(
        &self,
        component: Component,
        site: &Site,
        reach: &Reach,
        unwanted: &BTreeSet<String>,
        cancelled: &CancellationToken,
    ) -> Result<(), StackError> {
        let furnished = wait::until("the contents", FURNISHING, cancelled, || async {
            reach.furnish(unwanted).await.map(Look::Done)
        });
        furnished.await.map_err(|error| match error {
            WaitError::Cancelled { .. } => StackError::Cancelled {
                what: format!("`{component}`"),
            },
            other => StackError::furnish(component, &self.dir, self.redacted(&other.to_string(), Some(site))),
        })
    }

    /// When the folder was just deleted, its supervisor is ending the services that have the ports. If it takes too long,
    /// the ports tell.
    async fn outwait_former(&self, cancelled: &CancellationToken) {
        let gone = wait::until("former services to end", FORMER, cancelled, || async {
            let lingers = lingers_in(&self.dir.canonicalize()?);
            Ok::<_, io::Error>(if lingers {
                Look::NotYet(String::new())
            } else {
                Look::Done(())
            })
        });
        if let Err(error) = gone.await {
            tracing::warn!(%error, "going on");
        }
    }

    /// What the supervisor says; nothing when its file is lost or broken.
    pub(super) fn state(&self) -> State {
        State::read(&self.dir).unwrap_or_default()
    }

    /// Deletes the folders of components that are not in `parts`; the supervisor has ended their services.
    async fn remove_components(
        &self,
        parts: &BTreeMap<Component, Part>,
        cancelled: &CancellationToken,
    ) -> Result<(), StackError> {
        for component in Component::ALL
            .into_iter()
            .filter(|component| !parts.contains_key(component))
        {
            let folder = self.dir.join(component.as_str());
            if folder.exists() {
                self.unit_gone(component, cancelled).await?;
                self.delete(&folder, cancelled).await?;
            }
        }
        Ok(())
    }

    pub(super) fn folder_error(&self, source: io::Error) -> StackError {
        StackError::Folder {
            path: self.dir.clone(),
            source,
        }
    }
}

/// Runs futures side by side to their ends.
pub(super) async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending {
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}
