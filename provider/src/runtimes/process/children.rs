//! Starting programs so that they outlive everything, and learning how they ended.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::process::{WaitOptions, wait};

/// The log of a component, below its folder.
pub(super) const LOG: &str = "log";

/// How a program is started.
pub(super) struct Program<'a> {
    /// Its working folder, where its log is too.
    pub(super) dir: &'a Path,
    pub(super) file: &'a Path,
    pub(super) args: &'a [String],
    pub(super) refuses_root: bool,
}

/// Starts it: own process group, nothing inherited but a log file, an environment that is the same everywhere.
pub(super) fn start(program: &Program<'_>) -> io::Result<u32> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(program.dir.join(LOG))?;
    let mut command = if program.refuses_root && rustix::process::geteuid().is_root() {
        unprivileged(program.file)?
    } else {
        Command::new(program.file)
    };
    let child = command
        .args(program.args)
        .current_dir(program.dir)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", program.dir)
        .env("LC_ALL", "C")
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    // Its end is seen by its pidfd and asked for by `Children`; a `Child` does not wait when it is dropped.
    Ok(child.id())
}

/// In a user namespace of its own, where the superuser is called nobody. To the kernel the owner stays the same, so that
/// every folder can be reached and no other user of the machine is involved.
fn unprivileged(file: &Path) -> io::Result<Command> {
    let unshare = ["/usr/bin/unshare", "/bin/unshare"]
        .map(PathBuf::from)
        .into_iter()
        .find(|path| path.is_file());
    let unshare = unshare.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            "it refuses to run as root, and there is no `unshare` to hide that. To fix: run as another user, or install util-linux",
        )
    })?;
    let mut command = Command::new(unshare);
    command
        .args(["--user", "--map-user=65534", "--map-group=65534", "--"])
        .arg(file);
    Ok(command)
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// With status 0.
    pub(super) well: bool,
    /// For people: "it exited with status 1".
    pub(super) words: String,
}

/// The exit statuses of processes that ended, by pid.
#[derive(Debug, Default)]
pub(super) struct Children {
    ended: Mutex<HashMap<u32, End>>,
}

impl Children {
    /// Takes the statuses of all that ended, so that none stays a zombie. Adopted orphans are among them.
    pub(super) fn reap(&self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            let words = match (status.exit_status(), status.terminating_signal()) {
                (Some(0), _) => "it exited without an error".to_owned(),
                (Some(code), _) => format!("it exited with status {code}"),
                (None, Some(signal)) => format!("it was killed by signal {signal}"),
                (None, None) => continue,
            };
            let end = End {
                well: status.exit_status() == Some(0),
                words,
            };
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody asks for the statuses of orphans.
            if ended.len() > 1000 {
                ended.clear();
            }
            ended.insert(pid.as_raw_pid().unsigned_abs(), end);
        }
    }

    /// How `pid` ended. Only its parent learns that.
    pub(super) fn how_ended(&self, pid: u32) -> End {
        self.reap();
        let end = self.ended.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
        end.unwrap_or_else(|| End {
            well: false,
            words: "it ended".to_owned(),
        })
    }
}
