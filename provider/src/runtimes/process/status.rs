//! What a stack is now: read without changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use endpoint_contract::Endpoints;
use tokio_util::sync::CancellationToken;

use super::error::StackError;
use super::keyring;
use super::ledger::{Phase, access_name};
use super::record::Part;
use super::stack::{Stack, join_all};
use crate::engines::{Engine, Locale};
use crate::runtimes::protocols::{Missing, NoAnswer, Reach};
use crate::services::{Component, LOCALHOST, Login, PUBLISHED, Service, Site, StackSpec, Unit};
use crate::trust::{self, Use};
use crate::wait::{self, Look, WaitError};

/// A service that is just being started again gets this long before it counts as stopped.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service that says nothing for so long does not answer at all.
const ANSWER: Duration = Duration::from_secs(3);

/// A whole stack.
#[derive(Clone, Debug)]
pub struct Status {
    /// What was last asked for.
    pub spec: StackSpec,
    /// The settings with which an apply last came to its end: what failed since is not in it.
    pub reached: StackSpec,
    /// What it offers, whether it runs or not.
    pub endpoints: Endpoints,
    /// Each component of `spec`.
    pub components: BTreeMap<Component, ComponentStatus>,
}

/// One component.
#[derive(Clone, Debug)]
pub struct ComponentStatus {
    /// Whether it does its work.
    pub health: Health,
    /// What serves.
    pub engine: Engine,
    /// The engine's whole version.
    pub version: String,
    /// The published port.
    pub port: u16,
    /// The main process; `None` when there is none.
    pub pid: Option<u32>,
    /// Buckets that should exist and do not; only known when it answers.
    pub missing_buckets: BTreeSet<String>,
    /// Extensions that should exist in the database and do not; only known when it answers.
    pub missing_extensions: BTreeSet<String>,
    /// What is wrong, in words; `None` when nothing is.
    pub problem: Option<String>,
}

/// Whether a component does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers, and everything is there.
    Running,
    /// Its process is not there.
    Stopped,
    /// Its process runs and does not answer, or not as it should.
    Unresponsive,
    /// It answers on this machine, and not on the address on which pods reach it.
    Unreachable,
    /// It answers, but the database or a bucket is gone.
    Incomplete,
    /// It answers, and the next apply restarts it: what it was started with is not what is asked for now.
    Outdated,
    /// It ended too often.
    Failed,
    /// Its folder is gone.
    Missing,
}

impl Health {
    /// The value of the attribute `status`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Unresponsive => "unresponsive",
            Self::Unreachable => "unreachable",
            Self::Incomplete => "incomplete",
            Self::Outdated => "outdated",
            Self::Failed => "failed",
            Self::Missing => "missing",
        }
    }
}

impl ComponentStatus {
    /// Whether there is anything of it.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.health != Health::Missing
    }
}

impl Stack {
    /// What is there now; `None` when there is no stack. Takes no lock and starts nothing.
    ///
    /// # Errors
    /// When the stack's files cannot be read.
    pub async fn status(&self) -> Result<Option<Status>, StackError> {
        trust::check(&self.dir, Use::Own)?;
        let Some(record) = self.record()? else {
            return Ok(None);
        };
        self.check_name(&record)?;
        let looks = record.spec.services().into_iter().filter_map(|service| {
            let part = record.parts.get(&service.component())?;
            let status = self.component_status(service, part, &record.spec);
            Some(async move { (service.component(), status.await) })
        });
        // Side by side: one that hangs does not hold up the others.
        let components = join_all(looks.collect()).await.into_iter().collect();
        let endpoints = record.spec.endpoints(&record.published());
        Ok(Some(Status {
            reached: record.reached().clone(),
            spec: record.spec,
            endpoints,
            components,
        }))
    }

    async fn component_status(&self, service: &dyn Service, part: &Part, spec: &StackSpec) -> ComponentStatus {
        let component = service.component();
        let folder = self.dir.join(component.as_str());
        let mut status = ComponentStatus {
            health: Health::Stopped,
            engine: part.engine.engine,
            version: part.engine.version.clone(),
            port: part.ports.get(PUBLISHED).copied().unwrap_or_default(),
            pid: None,
            missing_buckets: BTreeSet::new(),
            missing_extensions: BTreeSet::new(),
            problem: None,
        };
        let login = match keyring::stored(service, &folder) {
            Ok(Some(login)) => login,
            Ok(None) => {
                // Data that only its login opens is no component that can be made as if it were new.
                status.health = if service.data_knows_login(&folder) {
                    Health::Failed
                } else {
                    Health::Missing
                };
                status.problem = Some(format!("{} was not found", folder.join("login.json").display()));
                return status;
            }
            // It concerns this component alone.
            Err(error) => {
                status.health = Health::Failed;
                status.problem = Some(error.to_string());
                return status;
            }
        };
        let unit = expected_unit(service, part, &folder, &login);
        let reach = Reach {
            address: LOCALHOST,
            port: status.port,
            login,
            dialogue: service.dialogue(),
        };
        let never = CancellationToken::new();
        let answer = wait::until("an answer", PATIENCE, &never, || self.look(component, &reach)).await;
        status.pid = self.pid(component);
        match answer {
            Ok(missing) if missing.nothing() && self.runs_otherwise(service, unit.as_ref(), &reach.login) => {
                status.health = Health::Outdated;
                let problem =
                    "it was started with other settings, or by an earlier version of mlplat; apply restarts it";
                status.problem = Some(problem.to_owned());
            }
            Ok(missing) if missing.nothing() => {
                status.problem = match spec.door(service, status.port) {
                    Some(door) => self.wrong_for_pods(component, &reach.at(door)).await,
                    None => None,
                };
                status.health = match status.problem {
                    Some(_) => Health::Unreachable,
                    None => Health::Running,
                };
            }
            Ok(missing) => {
                status.health = Health::Incomplete;
                status.problem = Some(missing.problem());
                status.missing_buckets = missing.buckets;
                status.missing_extensions = missing.extensions;
            }
            Err(WaitError::Failed((health, problem))) => (status.health, status.problem) = (health, Some(problem)),
            Err(error) => {
                if status.pid.is_some() {
                    status.health = Health::Unresponsive;
                }
                status.problem = Some(error_text(error));
            }
        }
        status
    }

    /// Whether the service runs with other settings than an apply would give it.
    fn runs_otherwise(&self, service: &dyn Service, unit: Option<&Unit>, login: &Login) -> bool {
        let running = self.state().units.remove(service.component().as_str());
        let is_expected = |running: &str| unit.is_some_and(|unit| unit.fingerprint == running);
        running.is_some_and(|running| !is_expected(&running.unit.fingerprint)) || !service.is_complete(login)
    }

    /// Asks the service, or says that waiting is of no use: nobody starts it again.
    async fn look(&self, component: Component, reach: &Reach) -> Result<Look<Missing>, (Health, String)> {
        let state = self.state();
        if let Some(place) = state.elsewhere() {
            return Err((Health::Stopped, format!("the stack runs {place}")));
        }
        let supervised = state.living_supervisor().is_some();
        let Some(unit) = state.units.get(component.as_str()) else {
            return Err((Health::Stopped, "nothing keeps it running".to_owned()));
        };
        let alive = unit.process.as_ref().is_some_and(|process| process.is_alive());
        if unit.phase == Phase::Failed {
            let how = unit.last_end.clone().unwrap_or_else(|| "it ended".to_owned());
            let how = format!("it ended too often, last: {}", self.redacted(&how, None));
            return Err((Health::Failed, how));
        }
        if !alive {
            let why = "its process has ended".to_owned();
            return if supervised {
                Ok(Look::NotYet(why))
            } else {
                Err((Health::Stopped, why))
            };
        }
        let answer: Result<Missing, NoAnswer> = match tokio::time::timeout(ANSWER, reach.missing()).await {
            Ok(answer) => answer,
            Err(_) => return Err((Health::Unresponsive, no_answer())),
        };
        match answer {
            // Unsupervised services answer too, but the next end would be their last.
            Ok(_) if !supervised => Err((Health::Stopped, "its supervisor has ended".to_owned())),
            Ok(missing) => Ok(Look::Done(missing)),
            Err(error) => Ok(Look::NotYet(error.to_string())),
        }
    }

    /// What is wrong with the service on the address that pods use; `None` when nothing is.
    async fn wrong_for_pods(&self, component: Component, reach: &Reach) -> Option<String> {
        let never = CancellationToken::new();
        let answer = wait::until("an answer", PATIENCE, &never, || async {
            let not_reached = |said: &str| format!("pods do not reach it on {}: {said}", reach.place());
            let why = match tokio::time::timeout(ANSWER, reach.answers()).await {
                Ok(Ok(())) => return Ok(Look::Done(())),
                Ok(Err(error)) => not_reached(&error.to_string()),
                Err(_) => return Err((Health::Unreachable, not_reached(&no_answer()))),
            };
            match self.state().units.get(&access_name(component)) {
                Some(unit) if unit.phase != Phase::Failed => Ok(Look::NotYet(why)),
                _ => Err((Health::Unreachable, why)),
            }
        });
        answer.await.err().map(error_text)
    }

    fn pid(&self, component: Component) -> Option<u32> {
        let unit = self.state().units.remove(component.as_str())?;
        unit.process
            .filter(|process| process.is_alive())
            .map(|process| process.pid)
    }
}

/// What an apply would start; `None` where an earlier version of mlplat chose no port for what listens now.
fn expected_unit(service: &dyn Service, part: &Part, folder: &Path, login: &Login) -> Option<Unit> {
    let derived = service.derived_ports().iter().map(|(name, _, _)| *name);
    let mut ports = std::iter::once(PUBLISHED)
        .chain(service.internal_ports().iter().copied())
        .chain(derived);
    let site = || Site {
        dir: folder.to_owned(),
        ports: part.ports.clone(),
        engine: part.engine.clone(),
        login: login.clone(),
        // Only of use where data is made.
        locale: Locale::default(),
    };
    ports
        .all(|name| part.ports.contains_key(name))
        .then(|| service.unit(&site()))
}

fn no_answer() -> String {
    format!("its process runs, and gave no answer within {} s", ANSWER.as_secs())
}

fn error_text(error: WaitError<(Health, String)>) -> String {
    match error {
        WaitError::TimedOut { last, .. } => last,
        WaitError::Cancelled { what } => what,
        WaitError::Failed((_, problem)) => problem,
    }
}
