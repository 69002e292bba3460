//! What one render or verify holds: a private folder, if it needs one, and the signals that may end it early.

use std::cell::{OnceCell, RefCell};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustix::process::{Pid, Signal as Kill, kill_process, kill_process_group};
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::KustomizeError;
use crate::config::Config;

/// A private folder and the signals. Dropping it removes the folder.
#[derive(Debug)]
pub struct Session {
    runtime: Runtime,
    signals: RefCell<Signals>,
    /// Where the folder is made.
    above: PathBuf,
    private: OnceCell<(TempDir, PathBuf)>,
}

/// From now on these do not end the process by themselves: what is to be removed is removed first.
#[derive(Debug)]
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hang_up.recv() => "SIGHUP",
        }
    }
}

impl Session {
    /// Starts to listen for signals.
    ///
    /// # Errors
    /// When the operating system gives no signals.
    pub fn start(config: &Config) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let signals = {
            let _inside = runtime.enter();
            Signals::listen()?
        };
        Ok(Self {
            runtime,
            signals: RefCell::new(signals),
            above: config.runtime_dir.clone(),
            private: OnceCell::new(),
        })
    }

    /// The private folder (mode 0700; what is copied into it may be a Secret), below `$XDG_RUNTIME_DIR` where there is one.
    /// The path has no symbolic links: kustomize compares paths.
    pub(super) fn folder(&self) -> Result<&Path, KustomizeError> {
        if self.private.get().is_none() {
            let make = |above: &Path| {
                tempfile::Builder::new()
                    .prefix("mlplat-render-")
                    .permissions(Permissions::from_mode(0o700))
                    .tempdir_in(above)
            };
            let made = make(&self.above)
                .or_else(|_| make(&std::env::temp_dir()))
                .map_err(KustomizeError::file(&self.above))?;
            let real = made.path().canonicalize().map_err(KustomizeError::file(made.path()))?;
            self.private.set((made, real)).expect("it is not set yet");
        }
        let (_, path) = self.private.get().expect("it was just set");
        Ok(path)
    }

    /// Runs a client to its end. With `in_group` it and all that it starts end with mlplat; a program that may ask for a
    /// password must stay in the terminal's group.
    pub(super) fn run(&self, mut command: Command, program: &Path, in_group: bool) -> Result<Output, KustomizeError> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        command.kill_on_drop(true);
        if in_group {
            command.process_group(0);
        }
        let mut signals = self.signals.borrow_mut();
        self.runtime.block_on(async {
            let mut child = command.spawn().map_err(KustomizeError::file(program))?;
            let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
            let ended = {
                let work = async { tokio::try_join!(all(stdout), all(stderr), child.wait()) };
                tokio::select! {
                    ended = work => Ok(ended),
                    name = signals.next() => Err(name),
                }
            };
            match ended {
                Ok(ended) => {
                    let (stdout, stderr, status) = ended.map_err(KustomizeError::file(program))?;
                    Ok(Output { status, stdout, stderr })
                }
                Err(name) => {
                    // It may have ended meanwhile: then there is nothing to end.
                    let _ = pid.map(|pid| match in_group {
                        true => kill_process_group(pid, Kill::KILL),
                        false => kill_process(pid, Kill::KILL),
                    });
                    let _ = child.wait().await;
                    Err(KustomizeError::Stopped(name))
                }
            }
        })
    }
}

async fn all(pipe: Option<impl AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut pipe) = pipe {
        pipe.read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}
