//! Talking to the supervisor: say what shall run, start one that listens, wait until it is so.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::advice;
use super::build::Build;
use super::error::StackError;
use super::identity::Identity;
use super::ledger::{Phase, State, VERSION, Wanted, access_name, unit_name};
use super::platform::{Grip, running_in};
use super::record::{Part, Record};
use super::stack::Stack;
use super::store;
use super::supervisor::SUPERVISOR_LOG;
use crate::services::{Component, Site, Unit};
use crate::wait::{self, Look, WaitError};

/// How long a supervisor may take to listen.
const LISTENING: Duration = Duration::from_secs(60);
/// After this, a supervisor that was started is taken for lost.
const SUMMON_AGAIN: Duration = Duration::from_secs(2);
/// How long services may take to end.
const ENDING: Duration = Duration::from_secs(60);
/// A supervisor that lives and does not take notice for so long is killed: its services go on, and the next one adopts them.
const DEAF: Duration = Duration::from_secs(15);

/// Since when a supervisor has been told something and has not taken notice.
#[derive(Debug, Default)]
struct Deafness(Mutex<Option<(Identity, Instant)>>);

impl Deafness {
    /// Notes that `supervisor` is told something now; whether it is time to give it up.
    fn is_lasting(&self, supervisor: &Identity) -> bool {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*since {
            Some((told, at)) if told == supervisor => at.elapsed() >= DEAF,
            _ => {
                *since = Some((supervisor.clone(), Instant::now()));
                false
            }
        }
    }
}

impl Stack {
    /// What is written down that shall run. A broken file is replaced like any other.
    fn wanted(&self) -> Wanted {
        store::read(&Wanted::path(&self.dir)).ok().flatten().unwrap_or_default()
    }

    fn write_wanted(&self, wanted: &Wanted) -> Result<(), StackError> {
        let path = Wanted::path(&self.dir);
        store::write(&path, wanted).map_err(|source| StackError::Folder { path, source })
    }

    /// The units of these components as they are written down now.
    pub(super) fn units_wanted_of<'c>(
        &self,
        components: impl Iterator<Item = &'c Component>,
    ) -> BTreeMap<String, Unit> {
        let mut units = self.wanted().units;
        let names = components.flat_map(|component| [unit_name(*component), access_name(*component)]);
        names.filter_map(|name| units.remove_entry(&name)).collect()
    }

    /// Tells the supervisor to restart one unit. Returns the number of restarts that its process will have.
    pub(super) fn want_restart(&self, name: &str) -> Result<u64, StackError> {
        let mut wanted = self.wanted();
        wanted.generation = wanted.generation.max(self.state().generation) + 1;
        let last = self.state().units.get(name).map_or(0, |unit| unit.restart);
        let restart = wanted.restarts.get(name).copied().unwrap_or_default().max(last) + 1;
        wanted.restarts.insert(name.to_owned(), restart);
        self.write_wanted(&wanted)?;
        Ok(restart)
    }

    /// Tells the supervisor what shall run, starting one if need be. Returns the generation to wait for.
    pub(super) async fn want(
        &self,
        units: &BTreeMap<String, Unit>,
        cancelled: &CancellationToken,
    ) -> Result<u64, StackError> {
        let mut wanted = self.wanted();
        let former = self.state();
        let generation = wanted.generation.max(former.generation) + 1;
        let nothing = units.is_empty();
        wanted.version = VERSION;
        wanted.generation = generation;
        wanted.units = units.clone();
        wanted.restarts.retain(|name, _| units.contains_key(name));
        self.write_wanted(&wanted)?;
        if nothing && former.living_supervisor().is_none() && !self.anything_runs() {
            return Ok(generation);
        }
        // Another version, or one whose program was deleted, hands over to a new one. To end everything any will do; and
        // whoever comes next is taken as it is.
        let outdated = former.living_supervisor().filter(|_| {
            let is_current = former.build.as_ref().is_some_and(Build::is_current);
            former.version != VERSION || (!is_current && !nothing)
        });
        let deafness = Deafness::default();
        let heard = wait::until("the supervisor to listen", LISTENING, cancelled, || async {
            let state = self.state();
            let is_outdated = outdated.is_some() && state.supervisor.as_ref() == outdated;
            if state.living_supervisor().is_some() && !is_outdated && state.generation >= generation {
                return Ok(Look::Done(()));
            }
            let signal = if is_outdated { Signal::USR1 } else { Signal::HUP };
            self.call_or_replace(&state, signal, &deafness).await?;
            // With nothing to do it has ended before it could be seen.
            Ok(if nothing && state.generation >= generation {
                Look::Done(())
            } else {
                Look::NotYet("it has not taken notice of what shall run".to_owned())
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
        let deafness = Deafness::default();
        let ended = wait::until("the services to end", ENDING, cancelled, || async {
            let state = self.state();
            if state.living_supervisor().is_none() && !self.anything_runs() {
                return Ok(Look::Done(()));
            }
            if state.units.values().any(|unit| unit.phase == Phase::Stopping) {
                self.call(&state, Signal::TERM).await?;
            } else {
                self.call_or_replace(&state, Signal::TERM, &deafness).await?;
            }
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

    /// [`Stack::call`], and ends a supervisor that has been told often enough.
    async fn call_or_replace(&self, state: &State, signal: Signal, deafness: &Deafness) -> Result<(), String> {
        if let Some(supervisor) = state.living_supervisor()
            && deafness.is_lasting(supervisor)
            // On a full disk it cannot say that it took notice.
            && !self.is_disk_full()
        {
            tracing::warn!(pid = supervisor.pid, "the supervisor does not react; replacing it");
            return self.call(state, Signal::KILL).await;
        }
        self.call(state, signal).await
    }

    /// Signals the living supervisor, or starts one.
    pub(super) async fn call(&self, state: &State, signal: Signal) -> Result<(), String> {
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
        let output = Command::new(&self.program)
            .arg("supervise")
            .arg(&self.dir)
            .current_dir("/")
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", &self.dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            // Of the process that returns at once; the supervisor itself writes to its log.
            .stderr(Stdio::piped())
            .output()
            .await;
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let program = self.program.display();
                Err(format!(
                    "`{program} supervise` ended with {}: {}",
                    output.status,
                    said.trim()
                ))
            }
            Err(error) => Err(format!("{} does not start: {error}", self.program.display())),
        }
    }

    fn heard<T>(&self, result: Result<T, WaitError<String>>) -> Result<T, StackError> {
        result.map_err(|error| match error {
            WaitError::Cancelled { what } => StackError::Cancelled { what },
            other => self.deaf(other.to_string()),
        })
    }

    pub(super) fn deaf(&self, problem: String) -> StackError {
        let kind = advice::disk_trouble(&problem).or(self.is_disk_full().then_some(io::ErrorKind::StorageFull));
        if let Some(kind) = kind {
            return self.folder_error(kind.into());
        }
        let log = self.log_tail(&self.dir.join(SUPERVISOR_LOG), None);
        StackError::Supervisor {
            path: self.dir.clone(),
            problem,
            log,
        }
    }

    /// Whether nothing can be written to the stack's disk any more.
    fn is_disk_full(&self) -> bool {
        const LEAST: u64 = 64 << 10;
        rustix::fs::statvfs(&self.dir).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < LEAST)
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
