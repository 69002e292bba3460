//! Talking to the supervisor: say what shall run, see to it that somebody listens, wait until it is so.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::children::LOG;
use super::error::StackError;
use super::identity::Identity;
use super::ledger::{Phase, State, VERSION, Wanted, access_name, unit_name};
use super::platform::{Grip, listener, running_in};
use super::record::{Part, Record};
use super::stack::Stack;
use super::supervisor::SUPERVISOR_LOG;
use super::{ports, store};
use crate::runtimes::protocols::Reach;
use crate::services::{Component, LOCALHOST, Service, Site, Unit};
use crate::wait::{self, Look, WaitError};

/// How long a supervisor may take to listen.
const LISTENING: Duration = Duration::from_secs(60);
/// After this, a supervisor that was started is taken for lost.
const SUMMON_AGAIN: Duration = Duration::from_secs(2);
/// How long an engine may take to answer, its preparation included. Slow disks need it; a dead engine is noticed at once.
const READY: Duration = Duration::from_secs(180);
/// How long services may take to end.
const ENDING: Duration = Duration::from_secs(60);
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
    pub(super) site: &'a Site,
    /// The service, on the address where the unit listens.
    pub(super) reach: &'a Reach,
}

impl Stack {
    /// Tells the supervisor what shall run, starting one if need be. Returns the generation to wait for.
    pub(super) async fn want(
        &self,
        units: &BTreeMap<String, Unit>,
        cancelled: &CancellationToken,
    ) -> Result<u64, StackError> {
        let path = Wanted::path(&self.dir);
        // A broken file is replaced like any other.
        let before: Wanted = store::read(&path).ok().flatten().unwrap_or_default();
        let generation = before.generation.max(self.state().generation) + 1;
        let units = units.clone();
        let nothing = units.is_empty();
        store::write(
            &path,
            &Wanted {
                version: VERSION,
                generation,
                units,
            },
        )
        .map_err(|source| StackError::Folder { path, source })?;
        if nothing && self.state().living_supervisor().is_none() && !self.anything_runs() {
            return Ok(generation);
        }
        let heard = wait::until("the supervisor to listen", LISTENING, cancelled, || async {
            let state = self.state();
            if state.living_supervisor().is_some() && state.version == VERSION && state.generation >= generation {
                return Ok(Look::Done(()));
            }
            let signal = if state.version == VERSION {
                Signal::HUP
            } else {
                Signal::USR1
            };
            self.call(&state, signal).await?;
            // With nothing to do it has ended before it could be seen.
            Ok(if nothing && state.generation >= generation {
                Look::Done(())
            } else {
                Look::NotYet("silence".to_owned())
            })
        });
        self.heard(heard.await)?;
        Ok(generation)
    }

    /// Ends all services and the supervisor; what shall run stays written down.
    pub(super) async fn rest(&self, cancelled: &CancellationToken) -> Result<(), StackError> {
        if self.state().living_supervisor().is_none() && !self.anything_runs() {
            return Ok(());
        }
        let ended = wait::until("the services to end", ENDING, cancelled, || async {
            let state = self.state();
            if state.living_supervisor().is_none() && !self.anything_runs() {
                return Ok(Look::Done(()));
            }
            self.call(&state, Signal::TERM).await?;
            Ok(Look::NotYet("they still run".to_owned()))
        });
        self.heard(ended.await)
    }

    /// Tells a living supervisor to end all services and itself.
    pub(super) async fn dismiss(&self) -> Result<(), StackError> {
        let state = self.state();
        if state.living_supervisor().is_none() {
            return Ok(());
        }
        let told = self.call(&state, Signal::TERM).await;
        told.map_err(|problem| self.deaf(problem))
    }

    /// Waits until nothing of the stack runs.
    pub(super) async fn gone(&self, cancelled: &CancellationToken) -> Result<(), StackError> {
        let gone = wait::until("the services to end", ENDING, cancelled, || async {
            let state = self.state();
            if state.living_supervisor().is_none() && !self.anything_runs() {
                return Ok(Look::Done(()));
            }
            if state.living_supervisor().is_none() {
                // The state is lost, and with it who they are; their data is deleted next.
                for stray in self.strays() {
                    if let Ok(Some(grip)) = Grip::on(&stray) {
                        grip.signal(Signal::KILL).map_err(|error| error.to_string())?;
                    }
                }
            }
            Ok(Look::NotYet("something still runs".to_owned()))
        });
        self.heard(gone.await)
    }

    /// Waits until the supervisor has ended the component's service, and what gave pods access to it.
    pub(super) async fn unit_gone(
        &self,
        component: Component,
        cancelled: &CancellationToken,
    ) -> Result<(), StackError> {
        let what = format!("`{component}` to end");
        let gone = wait::until(&what, ENDING, cancelled, || async {
            let state = self.state();
            let names = [unit_name(component), access_name(component)];
            if !names.iter().any(|name| state.units.contains_key(name)) {
                return Ok(Look::Done(()));
            }
            if state.living_supervisor().is_none() {
                self.call(&state, Signal::HUP).await?;
            }
            Ok(Look::NotYet("it still runs".to_owned()))
        });
        self.heard(gone.await)
    }

    /// Waits until the unit runs as told and the service answers through it.
    pub(super) async fn ready(&self, awaited: &Awaited<'_>, cancelled: &CancellationToken) -> Result<(), StackError> {
        let &Awaited {
            component,
            service,
            ref name,
            unit,
            generation,
            site,
            reach,
        } = awaited;
        let what = if reach.address == LOCALHOST {
            format!("an answer on port {}", reach.port)
        } else {
            format!("an answer on {}", reach.place())
        };
        let ready = wait::until(&what, READY, cancelled, || async {
            let state = self.state();
            if state.living_supervisor().is_none() {
                self.call(&state, Signal::HUP)
                    .await
                    .map_err(|problem| self.deaf(problem))?;
            }
            let Some(seen) = state.units.get(name).filter(|seen| seen.generation >= generation) else {
                return Ok(Look::NotYet("it is not started yet".to_owned()));
            };
            let log = || self.log_tail(&unit.dir.join(LOG), Some(site));
            if seen.failures > 0
                && let Some(fix) = service.hopeless(site, &log())
            {
                return Err(StackError::Hopeless {
                    component,
                    fix,
                    log_file: unit.dir.join(LOG),
                    log: log(),
                });
            }
            if seen.phase == Phase::Failed || seen.failures >= HOPELESS {
                let how = seen.last_end.clone().unwrap_or_default();
                return Err(self.ended(awaited, &how));
            }
            if seen.phase != Phase::Running || seen.unit.fingerprint != unit.fingerprint {
                return Ok(Look::NotYet(format!("{:?}", seen.phase).to_lowercase()));
            }
            match tokio::time::timeout(Duration::from_secs(5), reach.answers()).await {
                Ok(Ok(())) => Ok(Look::Done(())),
                // No start changes the passwords inside of data.
                Ok(Err(error)) if error.login_refused() && service.data_knows_login(&site.dir) => {
                    Err(StackError::LoginRefused {
                        component,
                        problem: self.redacted(&error.to_string(), Some(site)),
                        path: site.dir.join("login.json"),
                    })
                }
                Ok(Err(error)) => Ok(Look::NotYet(error.to_string())),
                Err(_) => Ok(Look::NotYet("no answer within 5 s".to_owned())),
            }
        });
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
        if let Some(place) = places.find(|place| !ports::is_free(*place) && !is_ours(*place)) {
            return StackError::PortTaken {
                component,
                place,
                holder: ports::holder(place),
            };
        }
        let log_file = unit.dir.join(LOG);
        let log = self.log_tail(&log_file, Some(site));
        if log.contains("No space left on device") {
            return StackError::NoSpace {
                component,
                path: self.dir.clone(),
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

    /// Signals the living supervisor, or starts one.
    async fn call(&self, state: &State, signal: Signal) -> Result<(), String> {
        if let Some(supervisor) = state.living_supervisor() {
            let grip = Grip::on(supervisor).map_err(|error| error.to_string())?;
            return grip
                .map_or(Ok(()), |grip| grip.signal(signal))
                .map_err(|error| error.to_string());
        }
        {
            let mut summoned = self.summoned.lock().unwrap_or_else(PoisonError::into_inner);
            if summoned.is_some_and(|at| at.elapsed() < SUMMON_AGAIN) {
                return Ok(());
            }
            *summoned = Some(Instant::now());
        }
        let status = Command::new(&self.program)
            .arg("supervise")
            .arg(&self.dir)
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await;
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{} supervise` ended with {status}", self.program.display())),
            Err(error) => Err(format!("{} does not start: {error}", self.program.display())),
        }
    }

    fn heard<T>(&self, result: Result<T, WaitError<String>>) -> Result<T, StackError> {
        result.map_err(|error| match error {
            WaitError::Cancelled { what } => StackError::Cancelled { what },
            other => self.deaf(other.to_string()),
        })
    }

    fn deaf(&self, problem: String) -> StackError {
        let log = self.log_tail(&self.dir.join(SUPERVISOR_LOG), None);
        StackError::Supervisor {
            path: self.dir.clone(),
            problem,
            log,
        }
    }

    /// Whether any process of the stack's services lives, noted or not.
    pub(super) fn anything_runs(&self) -> bool {
        let units = self.state().units;
        units
            .values()
            .filter_map(|unit| unit.process.as_ref())
            .any(Identity::is_alive)
            || !self.strays().is_empty()
    }

    /// The processes that work in the stack's folders, whether somebody noted them or not.
    fn strays(&self) -> Vec<Identity> {
        let parts = Record::read(&self.dir)
            .ok()
            .flatten()
            .map(|record| record.parts)
            .unwrap_or_default();
        let of_part = |(component, part): (&Component, &Part)| {
            running_in(&self.dir.join(component.as_str()), &self.programs(part))
        };
        parts.iter().flat_map(of_part).collect()
    }

    /// The last lines of a log, without passwords.
    pub(super) fn log_tail(&self, file: &Path, site: Option<&Site>) -> String {
        const LINES: usize = 15;
        let text = tail(file, 8 << 10);
        let lines: Vec<_> = text.lines().collect();
        let text = lines[lines.len().saturating_sub(LINES)..].join("\n");
        self.redacted(&text, site)
    }

    pub(super) fn redacted(&self, text: &str, site: Option<&Site>) -> String {
        let secrets = site.into_iter().flat_map(|site| site.login.secrets());
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
    }
}

/// The last `bytes` of a file; empty when it cannot be read.
fn tail(file: &Path, bytes: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = fs::File::open(file)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        Ok(text)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}
