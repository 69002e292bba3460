//! One unit's life: prepare, start, start again when it ends, end it when it is no longer wanted.

use std::fs;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::sync::watch;

use super::children::{self, Children, Program};
use super::identity::Identity;
use super::ledger::{Ledger, Phase, UnitState};
use super::platform::{Grip, own_program, running_in};
use crate::services::{ACCESS, Halt, Prepare, StopSignal, Unit};
use crate::{atomic, wait};

/// A process that ran this long had started well: its end is not counted with earlier ones.
const STARTED_WELL: Duration = Duration::from_secs(10);
/// After so many ends in a row, somebody has to look.
const FAILURES: u32 = 8;
/// The rest after the first end; doubled after each further one.
const FIRST_REST: Duration = Duration::from_millis(100);
const LONGEST_REST: Duration = Duration::from_secs(10);
/// How long a preparation may take.
const PREPARING: Duration = Duration::from_secs(180);
/// How long a process that was found hanging may take to end before it is killed.
const HANGING: Duration = Duration::from_secs(5);
/// How long to wait for what SIGKILL hits.
const KILLING: Duration = Duration::from_secs(30);

/// What the supervisor wants of a unit.
#[derive(Clone, Debug)]
pub(super) enum Goal {
    /// It shall run.
    Run {
        /// As this.
        unit: Box<Unit>,
        /// Asked for in this generation.
        generation: u64,
        /// Its number in [`super::ledger::Wanted::restarts`]; `None`: a process that runs goes on.
        restart: Option<u64>,
    },
    /// It shall end and its data stays.
    Rest,
    /// It shall end for good.
    Discard,
}

/// Who keeps one unit.
pub(super) struct Keeper {
    pub(super) name: String,
    pub(super) goal: watch::Receiver<Goal>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) children: Arc<Children>,
}

struct Process {
    unit: Unit,
    identity: Identity,
    grip: Grip,
    since: Instant,
    /// The number of restarts that it was started with.
    restart: u64,
}

impl Keeper {
    /// Runs until the goal is reached that ends it, or until the supervisor drops the goal's sender: then the process goes on.
    pub(super) async fn run(mut self, before: Option<UnitState>) {
        let mut running = before.and_then(|state| adopt(&self.name, state));
        let (mut failures, mut asked) = (0, None);
        loop {
            let goal = self.goal.borrow_and_update().clone();
            // Who asks anew does not inherit the ends before, at whatever point of a start this keeper hears of it.
            if let Goal::Run { generation, .. } = goal
                && asked.replace(generation) != Some(generation)
            {
                failures = 0;
            }
            running = match (running, goal) {
                (None, Goal::Rest | Goal::Discard) => {
                    let mut last = None;
                    self.ledger.change(|state| last = state.units.remove(&self.name));
                    // It may have ended without this keeper.
                    if let Some(last) = last {
                        self.remove_sockets(&last.unit);
                    }
                    return;
                }
                (Some(process), Goal::Rest) => self.end(process, |unit| unit.stop).await,
                (Some(process), Goal::Discard) => self.end(process, |unit| unit.discard).await,
                (Some(process), Goal::Run { unit, .. }) if process.unit.fingerprint != unit.fingerprint => {
                    self.end(process, |unit| unit.stop).await
                }
                (Some(process), Goal::Run { restart, .. })
                    if restart.is_some_and(|restart| restart != process.restart) =>
                {
                    tracing::warn!(unit = self.name, pid = process.identity.pid, "hangs; restarting it");
                    self.end(process, |unit| unit.stop.within(HANGING)).await
                }
                (Some(process), Goal::Run { generation, .. }) => {
                    match self.watch(process, generation, &mut failures).await {
                        Ok(running) => running,
                        Err(HandedOver) => return,
                    }
                }
                (
                    None,
                    Goal::Run {
                        unit,
                        generation,
                        restart,
                    },
                ) => {
                    // Without a number the last one stays.
                    let last = self.ledger.unit(&self.name).map_or(0, |state| state.restart);
                    let restart = restart.unwrap_or(last);
                    match self.start_again(&unit, (generation, restart), &mut failures).await {
                        Ok(running) => running,
                        Err(HandedOver) => return,
                    }
                }
            };
        }
    }

    /// Waits until the process ends or another goal is given.
    async fn watch(
        &mut self,
        process: Process,
        generation: u64,
        failures: &mut u32,
    ) -> Result<Option<Process>, HandedOver> {
        self.ledger.change_unit(&self.name, &process.unit, |state| {
            state.unit = process.unit.clone();
            state.phase = Phase::Running;
            state.process = Some(process.identity.clone());
            if state.generation != generation {
                (state.generation, state.failures) = (generation, 0);
            }
        });
        tokio::select! {
            () = process.grip.ended() => {}
            changed = self.goal.changed() => {
                return changed.map(|()| Some(process)).map_err(|_| HandedOver);
            }
        }
        let end = self.children.how_ended(process.identity.pid);
        tracing::warn!(unit = self.name, pid = process.identity.pid, end = end.words, "ended");
        if process.since.elapsed() > STARTED_WELL {
            *failures = 0;
        }
        self.failed(&process.unit, generation, failures, end.words);
        Ok(None)
    }

    /// Rests for as long as the failures demand, then starts.
    async fn start_again(
        &mut self,
        unit: &Unit,
        (generation, restart): (u64, u64),
        failures: &mut u32,
    ) -> Result<Option<Process>, HandedOver> {
        if *failures > 0 {
            let rest = (FIRST_REST * 2_u32.saturating_pow(*failures - 1)).min(LONGEST_REST);
            let changed = if *failures >= FAILURES {
                self.ledger
                    .change_unit(&self.name, unit, |state| state.phase = Phase::Failed);
                tracing::error!(
                    unit = self.name,
                    "ended {failures} times in a row; waiting for the next apply"
                );
                Some(self.goal.changed().await)
            } else {
                tokio::select! {
                    () = wait::pause(rest) => None,
                    changed = self.goal.changed() => Some(changed),
                }
            };
            if let Some(changed) = changed {
                return changed.map(|()| None).map_err(|_| HandedOver);
            }
        }
        self.ledger.change_unit(&self.name, unit, |state| {
            state.unit = unit.clone();
            (state.phase, state.process) = (Phase::Preparing, None);
            (state.generation, state.failures) = (generation, *failures);
            state.restart = restart;
        });
        match self.start(unit, restart).await {
            Ok(process) => Ok(Some(process)),
            Err(error) => {
                tracing::error!(unit = self.name, error, "cannot start");
                self.failed(unit, generation, failures, error);
                Ok(None)
            }
        }
    }

    fn failed(&self, unit: &Unit, generation: u64, failures: &mut u32, how: String) {
        *failures += 1;
        self.ledger.change_unit(&self.name, unit, |state| {
            (state.phase, state.process) = (Phase::Resting, None);
            (state.generation, state.failures) = (generation, *failures);
            state.last_end = Some(how);
        });
    }

    async fn start(&self, unit: &Unit, restart: u64) -> Result<Process, String> {
        self.clear_strays(unit).await?;
        if !self.ledger.is_ours() {
            return Err("the stack's folder was deleted".to_owned());
        }
        if let Some(prepare) = &unit.prepare
            && !prepare.result.exists()
        {
            self.prepare(unit, prepare).await?;
        }
        if let Some(pid_file) = &unit.pid_file {
            // Nothing else runs here: what it names has ended.
            remove(fs::remove_file(pid_file)).map_err(|error| format!("{}: {error}", pid_file.display()))?;
        }
        // What gives pods access is this program. The folder it came from may be deleted by now; this process is not.
        let own = own_program(&unit.program);
        let is_own = unit.dir.ends_with(ACCESS) && !unit.program.exists();
        let pid = children::start(&Program {
            dir: &unit.dir,
            file: if is_own { &own } else { &unit.program },
            args: &unit.args,
            refuses_root: unit.refuses_root,
        })
        .map_err(|error| format!("cannot start {}: {error}", unit.program.display()))?;
        let process = self.hold(unit, pid, Phase::Running, restart)?;
        tracing::info!(unit = self.name, pid, "started");
        Ok(process)
    }

    /// A child cannot vanish before it is reaped, and nothing is reaped between its start and this.
    fn hold(&self, unit: &Unit, pid: u32, phase: Phase, restart: u64) -> Result<Process, String> {
        let identity = Identity::of(pid).ok_or("it ended at once")?;
        let grip = Grip::on(&identity).map_err(|error| format!("cannot watch pid {pid}: {error}"))?;
        let grip = grip.ok_or("it ended at once")?;
        self.ledger.change_unit(&self.name, unit, |state| {
            (state.phase, state.process) = (phase, Some(identity.clone()));
        });
        Ok(Process {
            unit: unit.clone(),
            identity,
            grip,
            since: Instant::now(),
            restart,
        })
    }

    async fn prepare(&self, unit: &Unit, prepare: &Prepare) -> Result<(), String> {
        let describe = |error: io::Error| format!("cannot prepare {}: {error}", prepare.result.display());
        remove(fs::remove_dir_all(&prepare.staging)).map_err(describe)?;
        let pid = children::start(&Program {
            dir: &unit.dir,
            file: &prepare.program,
            args: &prepare.args,
            refuses_root: unit.refuses_root,
        })
        .map_err(|error| format!("cannot start {}: {error}", prepare.program.display()))?;
        let process = self.hold(unit, pid, Phase::Preparing, 0)?;
        let name = prepare.program.file_name().unwrap_or_default().to_string_lossy();
        if tokio::time::timeout(PREPARING, process.grip.ended()).await.is_err() {
            let _ = process.grip.signal(Signal::KILL);
            process.grip.ended().await;
            return Err(format!("{name} did not end within {} s", PREPARING.as_secs()));
        }
        let end = self.children.how_ended(pid);
        self.ledger.change_unit(&self.name, unit, |state| state.process = None);
        if !end.well {
            return Err(format!("{name}: {}", end.words));
        }
        // Its name says that it is complete. A power cut must not leave the name without the contents.
        let (staging, result) = (prepare.staging.clone(), prepare.result.clone());
        let made = tokio::task::spawn_blocking(move || {
            atomic::sync_tree(&staging)?;
            atomic::rename(&staging, &result)
        });
        made.await.map_err(io::Error::other).flatten().map_err(describe)
    }

    /// Ends what an earlier supervisor started and could not note, and what its killed service left behind.
    async fn clear_strays(&self, unit: &Unit) -> Result<(), String> {
        let programs: Vec<_> = std::iter::once(unit.program.clone())
            .chain(unit.prepare.iter().map(|prepare| prepare.program.clone()))
            .collect();
        for (halt, patience) in [(Signal::TERM, Duration::from_secs(2)), (Signal::KILL, KILLING)] {
            let mut grips = Vec::new();
            for stray in running_in(&unit.dir, &programs) {
                if let Ok(Some(grip)) = Grip::on(&stray) {
                    tracing::warn!(unit = self.name, pid = stray.pid, "ending a leftover process");
                    let _ = grip.signal(halt);
                    grips.push(grip);
                }
            }
            let all = async {
                for grip in &grips {
                    grip.ended().await;
                }
            };
            if tokio::time::timeout(patience, all).await.is_ok() {
                return Ok(());
            }
        }
        Err("leftover processes do not end".to_owned())
    }

    /// Ends the process by the rules it was started with.
    async fn end(&self, process: Process, rule: fn(&Unit) -> Halt) -> Option<Process> {
        self.ledger
            .change_unit(&self.name, &process.unit, |state| state.phase = Phase::Stopping);
        let halt = rule(&process.unit);
        let signal = match halt.signal {
            StopSignal::Interrupt => Signal::INT,
            StopSignal::Terminate => Signal::TERM,
            StopSignal::Kill => Signal::KILL,
        };
        let _ = process.grip.signal(signal);
        // A stopped process (SIGSTOP) takes no other signal before this one.
        let _ = process.grip.signal(Signal::CONT);
        let patience = if signal == Signal::KILL {
            KILLING
        } else {
            Duration::from_millis(halt.patience_ms)
        };
        if tokio::time::timeout(patience, process.grip.ended()).await.is_err() {
            tracing::warn!(unit = self.name, pid = process.identity.pid, "does not end; killing it");
            let _ = process.grip.signal(Signal::KILL);
            let _ = tokio::time::timeout(KILLING, process.grip.ended()).await;
        }
        let end = self.children.how_ended(process.identity.pid);
        tracing::info!(
            unit = self.name,
            pid = process.identity.pid,
            end = end.words,
            "ended on request"
        );
        if let Err(error) = self.clear_strays(&process.unit).await {
            tracing::error!(unit = self.name, error, "after the end");
        }
        self.remove_sockets(&process.unit);
        self.ledger
            .change_unit(&self.name, &process.unit, |state| state.process = None);
        None
    }

    /// After the end of the process. Where somebody answers, another stack has the port by now.
    fn remove_sockets(&self, unit: &Unit) {
        let is_dead = |path: &&PathBuf| {
            UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        let sockets = unit.stray_sockets.iter().filter(is_dead);
        for socket in sockets {
            if let Err(error) = remove(fs::remove_file(socket)) {
                tracing::warn!(unit = self.name, socket = %socket.display(), %error, "cannot remove a socket");
            }
        }
    }
}

/// The supervisor has let go: the process goes on without a keeper.
struct HandedOver;

fn adopt(name: &str, state: UnitState) -> Option<Process> {
    // A process that was being prepared is no service; `clear_strays` ends it.
    let identity = state
        .process
        .filter(|process| state.phase != Phase::Preparing && process.is_alive())?;
    match Grip::on(&identity) {
        Ok(grip) => {
            tracing::info!(unit = name, pid = identity.pid, "adopted");
            grip.map(|grip| Process {
                unit: state.unit,
                identity,
                grip,
                since: Instant::now(),
                restart: state.restart,
            })
        }
        Err(error) => {
            tracing::error!(unit = name, pid = identity.pid, %error, "cannot adopt");
            None
        }
    }
}

/// Removing what is not there succeeds.
fn remove(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
