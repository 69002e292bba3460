//! The process that outlives Terraform: `mlplat supervise DIR`, one per stack folder. It reads what shall run when SIGHUP
//! comes, keeps it running, and leaves when nothing shall run any more.
//!
//! SIGUSR1: leave, and let the services go on (a newer version takes over). SIGTERM, SIGINT: end the services and leave,
//! as at the shutdown of the machine; their data stays.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::build::Build;
use super::children::{Children, LOG};
use super::confinement::confine;
use super::identity::{Identity, Place};
use super::keeper::{Goal, Keeper};
use super::ledger::{Ledger, State, VERSION, Wanted, lock_path};
use super::platform::adopt_orphans;
use super::store::{self, Lock};
use crate::trust::{self, Use};
use crate::wait;

/// The supervisor's own log, below the stack's folder.
pub(super) const SUPERVISOR_LOG: &str = "supervisor.log";
/// How often the folder is looked at.
const TICK: Duration = Duration::from_secs(1);
/// A log is cut when it is longer; the last part of this size is kept beside it.
const LOG_BYTES: u64 = 8 << 20;

/// The hidden second argument: this process is already nobody's child.
pub const DETACHED: &str = "--detached";

/// Why there is no supervisor.
#[derive(Debug, thiserror::Error)]
#[error("cannot supervise {}: {source}. To fix: {}", .stack.display(),
    crate::atomic::remedy(.source, "set `data_dir` to another folder"))]
pub struct SupervisorError {
    stack: PathBuf,
    source: io::Error,
}

/// Leaves the terminal, the session, the process group and every open file of whoever called, starts itself again and returns.
///
/// # Errors
/// When the program cannot be started again.
pub fn detach(program: &Path, stack: &Path) -> Result<(), SupervisorError> {
    let describe = |source| SupervisorError {
        stack: stack.to_owned(),
        source,
    };
    // Fails only for the leader of a process group, who has a session of its own or a shell that gave it a group.
    let _ = rustix::process::setsid();
    // A descriptor that somebody up the chain forgot would keep its pipe open for as long as the services live.
    close_fds::set_fds_cloexec(3, &[]);
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(stack.join(SUPERVISOR_LOG));
    let log = log.map_err(describe)?;
    Command::new(program)
        .arg("supervise")
        .arg(DETACHED)
        .arg(stack)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(describe)?)
        .stderr(log)
        .process_group(0)
        .spawn()
        .map_err(describe)?;
    Ok(())
}

/// Supervises until nothing shall run any more. Returns at once when the stack has a supervisor. `program` is the file of
/// this process.
///
/// # Errors
/// When the folder cannot be used or the operating system gives no signals.
pub fn supervise(program: &Path, stack: &Path) -> Result<(), SupervisorError> {
    let describe = |source| SupervisorError {
        stack: stack.to_owned(),
        source,
    };
    // Before there is another thread: all that is started here inherits it.
    for problem in confine() {
        tracing::warn!(problem, "services may do more than they need");
    }
    if rustix::process::geteuid().is_root() {
        tracing::warn!("the services run as root; apply as an ordinary user wherever you can");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(describe)?;
    runtime
        .block_on(async {
            match Supervisor::new(program, stack)? {
                Some((supervisor, signals)) => supervisor.run(signals).await,
                None => Ok(()),
            }
        })
        .map_err(describe)
}

/// Handlers for every signal that may come. A handler is back to the default in a started program, whereas a signal that
/// was ignored up the chain (`nohup`) would stay ignored there.
struct Signals {
    child: Signal,
    reread: Signal,
    hand_over: Signal,
    terminate: Signal,
    interrupt: Signal,
    _others: Vec<Signal>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let others = [
            SignalKind::quit(),
            SignalKind::user_defined2(),
            SignalKind::pipe(),
            SignalKind::alarm(),
        ];
        Ok(Self {
            child: signal(SignalKind::child())?,
            reread: signal(SignalKind::hangup())?,
            hand_over: signal(SignalKind::user_defined1())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            _others: others.into_iter().map(signal).collect::<io::Result<_>>()?,
        })
    }
}

struct Supervisor {
    stack: PathBuf,
    ledger: Arc<Ledger>,
    children: Arc<Children>,
    before: State,
    goals: BTreeMap<String, watch::Sender<Goal>>,
    keepers: JoinSet<String>,
    generation: u64,
    /// What is ended now is not started again.
    leaving: bool,
}

impl Supervisor {
    /// `None` when the stack has a supervisor.
    fn new(program: &Path, stack: &Path) -> io::Result<Option<(Self, Signals)>> {
        trust::check(stack, Use::Own).map_err(io::Error::other)?;
        let Some(lock) = Lock::take(&lock_path(stack))? else {
            return Ok(None);
        };
        // Before the pid is known to anyone: a signal without a handler would end this process.
        let signals = Signals::new()?;
        adopt_orphans()?;
        let before = State::read(stack).unwrap_or_else(|error| {
            tracing::error!(%error, "the state is lost; what runs is restarted");
            State::default()
        });
        if let Some(place) = before.elsewhere() {
            return Err(io::Error::other(format!("the stack runs {place}")));
        }
        let state = State {
            version: VERSION,
            place: Some(Place::here()),
            supervisor: Identity::of(std::process::id()),
            build: Some(Build::of_this_process(program)),
            generation: 0,
            units: before.units.clone(),
        };
        let ledger = Arc::new(Ledger::new(stack, lock, State::default()));
        ledger.change(|stored| *stored = state);
        let supervisor = Self {
            stack: stack.to_owned(),
            ledger,
            children: Arc::default(),
            before,
            goals: BTreeMap::new(),
            keepers: JoinSet::new(),
            generation: 0,
            leaving: false,
        };
        Ok(Some((supervisor, signals)))
    }

    async fn run(mut self, mut signals: Signals) -> io::Result<()> {
        tracing::info!(pid = std::process::id(), "supervising");
        self.reread();
        // Lives across the turns of the loop: however many signals come, the folder is looked at.
        let mut tick = Box::pin(wait::pause(TICK));
        while !self.keepers.is_empty() {
            tokio::select! {
                _ = signals.child.recv() => self.children.reap(),
                _ = signals.reread.recv() => self.reread(),
                _ = signals.hand_over.recv() => {
                    tracing::info!("handing over");
                    return Ok(());
                }
                _ = signals.terminate.recv() => self.end_all(&Goal::Rest),
                _ = signals.interrupt.recv() => self.end_all(&Goal::Rest),
                ended = self.keepers.join_next() => {
                    if let Some(Ok(name)) = ended {
                        self.goals.remove(&name);
                        // It may have been asked for again meanwhile.
                        self.reread();
                    }
                }
                () = &mut tick => {
                    tick = Box::pin(wait::pause(TICK));
                    self.look_around();
                }
            }
        }
        // The state goes on naming this process: who waits for its end waits until it has ended.
        tracing::info!("nothing is left to supervise");
        Ok(())
    }

    /// Gives every unit its goal.
    fn reread(&mut self) {
        if self.leaving {
            return;
        }
        let wanted = match store::read::<Wanted>(&Wanted::path(&self.stack)) {
            Ok(wanted) => wanted.unwrap_or_default(),
            Err(error) => {
                tracing::error!(%error, "cannot read what shall run; everything stays as it is");
                return;
            }
        };
        if wanted.version > VERSION {
            tracing::error!(
                version = wanted.version,
                "a newer version wrote what shall run; everything stays as it is"
            );
            return;
        }
        let fresh = wanted.generation != self.generation;
        self.generation = wanted.generation;
        for (name, unit) in &wanted.units {
            let goal = Goal::Run {
                unit: Box::new(unit.clone()),
                generation: wanted.generation,
                restart: wanted.restarts.get(name).copied(),
            };
            match self.goals.get(name) {
                Some(sender) if fresh => drop(sender.send(goal)),
                Some(_) => {}
                None => self.keep(name, goal),
            }
        }
        let running: Vec<_> = self.goals.keys().chain(self.before.units.keys()).cloned().collect();
        for name in running.into_iter().filter(|name| !wanted.units.contains_key(name)) {
            match self.goals.get(&name) {
                Some(sender) if fresh => drop(sender.send(Goal::Discard)),
                Some(_) => {}
                None => self.keep(&name, Goal::Discard),
            }
        }
        self.ledger.change(|state| state.generation = wanted.generation);
    }

    fn keep(&mut self, name: &str, goal: Goal) {
        let (sender, receiver) = watch::channel(goal);
        let keeper = Keeper {
            name: name.to_owned(),
            goal: receiver,
            ledger: Arc::clone(&self.ledger),
            children: Arc::clone(&self.children),
        };
        let before = self.before.units.remove(name);
        self.goals.insert(name.to_owned(), sender);
        let name = name.to_owned();
        self.keepers.spawn(async move {
            keeper.run(before).await;
            name
        });
    }

    fn end_all(&mut self, goal: &Goal) {
        self.leaving = true;
        for sender in self.goals.values() {
            let _ = sender.send(goal.clone());
        }
    }

    /// Ends everything when the folder was deleted, stores what could not be stored before, and keeps logs short.
    fn look_around(&mut self) {
        if !self.ledger.is_ours() {
            tracing::error!("the folder was deleted");
            self.end_all(&Goal::Discard);
            return;
        }
        self.ledger.store_again();
        let logs = self.goals.keys().map(|name| self.stack.join(name).join(LOG));
        for log in logs.chain([self.stack.join(SUPERVISOR_LOG)]) {
            if let Err(error) = shorten(&log) {
                tracing::warn!(log = %log.display(), %error, "cannot shorten a log");
            }
        }
    }
}

/// Who writes the log has it open in append mode and goes on at the start of the emptied file.
fn shorten(log: &Path) -> io::Result<()> {
    match log.metadata() {
        Ok(data) if data.len() > LOG_BYTES => {
            std::fs::copy(log, log.with_extension("1"))?;
            std::fs::OpenOptions::new().write(true).open(log)?.set_len(0)
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_moved_aside_under_the_writers_feet() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        std::fs::write(&log, "short").unwrap();
        shorten(&log).unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "short");
        std::fs::write(&log, vec![b'x'; usize::try_from(LOG_BYTES).unwrap() + 1]).unwrap();
        shorten(&log).unwrap();
        assert_eq!(log.metadata().unwrap().len(), 0);
        assert_eq!(dir.path().join("log.1").metadata().unwrap().len(), LOG_BYTES + 1);
        shorten(&dir.path().join("absent")).unwrap();
    }
}
