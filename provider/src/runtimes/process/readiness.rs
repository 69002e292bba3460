//! Waiting until a service answers. One that ends again and again is told by its log; one that hangs is restarted, once.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

use super::children::LOG;
use super::error::StackError;
use super::identity::Identity;
use super::ledger::Phase;
use super::platform::{listener, running_in};
use super::stack::Stack;
use super::{advice, ports};
use crate::runtimes::protocols::Reach;
use crate::services::{Component, LOCALHOST, Service, Site, Unit};
use crate::wait::{self, Look, WaitError};

/// How long an engine may take to answer, its preparation included. Slow disks need it; a dead engine is noticed at once.
const READY: Duration = Duration::from_secs(180);
/// A process from before this apply that says nothing for so long is restarted, once. An answer that refuses our password does
/// not get better either.
const SILENT: Duration = Duration::from_secs(15);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(5);
/// So many ends in a row are no accident. The first may be one: after a kill -9, PostgreSQL's memory lives a moment longer.
const HOPELESS: u32 = 4;

/// A unit that is waited for, and the service that shall answer through it.
pub(super) struct Awaited<'a> {
    pub(super) component: Component,
    pub(super) service: &'a dyn Service,
    /// The unit's name.
    pub(super) name: String,
    pub(super) unit: &'a Unit,
    /// The generation in which the unit was asked for.
    pub(super) generation: u64,
    /// The unit's process before this apply.
    pub(super) older: Option<Identity>,
    pub(super) site: &'a Site,
    /// The service, on the address where the unit listens.
    pub(super) reach: &'a Reach,
}

/// What is wrong with the answers of a service that should be ready, and for how long it has been so.
#[derive(Debug, Default)]
struct Trouble {
    since: Option<Instant>,
    /// It was restarted for it; the number of restarts that its process has to show.
    restart: Option<u64>,
}

/// How a service answered.
enum Answer {
    Good,
    /// In no way.
    Silence,
    /// It does not accept our password.
    Refusal(String),
    /// It is on its way.
    Other(String),
}

impl Stack {
    /// Waits until the unit runs as told and the service answers through it.
    pub(super) async fn ready(&self, awaited: &Awaited<'_>, cancelled: &CancellationToken) -> Result<(), StackError> {
        let &Awaited {
            component,
            unit,
            site,
            reach,
            ..
        } = awaited;
        let what = if reach.address == LOCALHOST {
            format!("an answer on port {}", reach.port)
        } else {
            format!("an answer on {}", reach.place())
        };
        let trouble = Mutex::new(Trouble::default());
        let ready = wait::until(&what, READY, cancelled, || self.look_at(awaited, &trouble));
        ready.await.map_err(|error| match error {
            WaitError::Failed(error) => error,
            WaitError::Cancelled { .. } => StackError::Cancelled {
                what: format!("`{component}`"),
            },
            timed_out @ WaitError::TimedOut { .. } => StackError::NotReady {
                component,
                problem: self.redacted(&timed_out.to_string(), Some(site)),
                log_file: unit.dir.join(LOG),
                log: self.log_tail(&unit.dir.join(LOG), Some(site)),
            },
        })
    }

    async fn look_at(&self, awaited: &Awaited<'_>, trouble: &Mutex<Trouble>) -> Result<Look<()>, StackError> {
        let &Awaited {
            component,
            service,
            ref name,
            unit,
            generation,
            ref older,
            site,
            reach,
        } = awaited;
        let state = self.state();
        if state.living_supervisor().is_none() {
            self.call(&state, Signal::HUP)
                .await
                .map_err(|problem| self.deaf(problem))?;
        }
        let Some(seen) = state.units.get(name).filter(|seen| seen.generation >= generation) else {
            return Ok(Look::NotYet("it is not started yet".to_owned()));
        };
        if seen.failures > 0 {
            let log_file = unit.dir.join(LOG);
            let log = self.log_tail(&log_file, Some(site));
            if let Some(fix) = service.hopeless(site, &log) {
                return Err(StackError::Hopeless {
                    component,
                    fix,
                    log_file,
                    log,
                });
            }
        }
        if seen.phase == Phase::Failed || seen.failures >= HOPELESS {
            let how = seen.last_end.clone().unwrap_or_else(|| "it ended".to_owned());
            return Err(self.ended(awaited, &how));
        }
        if seen.phase != Phase::Running || seen.unit.fingerprint != unit.fingerprint {
            return Ok(Look::NotYet(format!("{:?}", seen.phase).to_lowercase()));
        }
        let restart = trouble.lock().unwrap_or_else(PoisonError::into_inner).restart;
        if restart.is_some_and(|restart| seen.restart < restart) {
            self.call(&state, Signal::HUP)
                .await
                .map_err(|problem| self.deaf(problem))?;
            return Ok(Look::NotYet("it hangs and is being restarted".to_owned()));
        }
        let asked = Instant::now();
        let answer = match tokio::time::timeout(ANSWER, reach.answers()).await {
            Ok(Ok(())) => Answer::Good,
            // No restart changes the passwords inside of data.
            Ok(Err(error)) if error.login_refused() && service.data_knows_login(&site.dir) => {
                return Err(StackError::LoginRefused {
                    component,
                    problem: self.redacted(&error.to_string(), Some(site)),
                    path: site.dir.join("login.json"),
                });
            }
            Ok(Err(error)) if error.login_refused() => Answer::Refusal(error.to_string()),
            Ok(Err(error)) => Answer::Other(error.to_string()),
            Err(_) => Answer::Silence,
        };
        let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = match answer {
            Answer::Good => return Ok(Look::Done(())),
            Answer::Other(reason) => {
                trouble.since = None;
                return Ok(Look::NotYet(reason));
            }
            Answer::Silence => format!("no answer within {} s", ANSWER.as_secs()),
            Answer::Refusal(ref reason) => reason.clone(),
        };
        let lasted = trouble.since.get_or_insert(asked).elapsed();
        if lasted < SILENT {
            return Ok(Look::NotYet(reason));
        }
        // PostgreSQL keeps its passwords in its data: started again it has the same.
        let may_help = matches!(answer, Answer::Silence) || component != Component::Postgres;
        if may_help && trouble.restart.is_none() && older.is_some() && seen.process == *older {
            tracing::warn!(unit = name, reason, "it hangs; restarting it");
            *trouble = Trouble {
                since: None,
                restart: Some(self.want_restart(name)?),
            };
            return Ok(Look::NotYet("it hangs and is being restarted".to_owned()));
        }
        if let Answer::Refusal(reason) = answer {
            return Err(StackError::NotReady {
                component,
                problem: self.redacted(&reason, Some(site)),
                log_file: unit.dir.join(LOG),
                log: self.log_tail(&unit.dir.join(LOG), Some(site)),
            });
        }
        Ok(Look::NotYet(reason))
    }

    /// Why a service does not stay up: a port that was taken meanwhile, a full disk, or what its log says.
    fn ended(&self, awaited: &Awaited<'_>, how: &str) -> StackError {
        let &Awaited {
            component,
            unit,
            site,
            reach,
            ..
        } = awaited;
        // The next attempt may have begun.
        let mut programs = site.engine.programs();
        programs.push(unit.program.clone());
        let ours = running_in(&unit.dir, &programs);
        let is_ours =
            |place| listener(place).is_some_and(|holder| ours.iter().any(|process| process.pid == holder.pid));
        let of_engine = site.ports.values().filter(|_| reach.address == LOCALHOST);
        let mut places = of_engine
            .map(|port| SocketAddr::new(LOCALHOST, *port))
            .chain([reach.place()]);
        let obstacle = places.find_map(|place| Some((place, ports::obstacle(place).filter(|_| !is_ours(place))?)));
        if let Some((place, obstacle)) = obstacle {
            return ports::refused(component, place, Some(obstacle));
        }
        let log_file = unit.dir.join(LOG);
        let log = self.log_tail(&log_file, Some(site));
        if let Some(kind) = advice::disk_trouble(how).or_else(|| advice::disk_trouble(&log)) {
            let path = self.dir.clone();
            return StackError::Disk {
                component,
                path,
                kind,
                log,
            };
        }
        StackError::Ended {
            component,
            how: self.redacted(how, Some(site)),
            log_file,
            log,
        }
    }
}
