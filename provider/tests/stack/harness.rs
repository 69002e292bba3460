//! A stack in a folder of its own that is ended by pid when the test is over, however it ends.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use terraform_provider_mlplat::config::Config;
use terraform_provider_mlplat::engines::Engines;
use terraform_provider_mlplat::runtimes::process::{
    ComponentStatus, Credentials, Health, Stack, StackError, Status, credentials,
};
use terraform_provider_mlplat::services::{Component, ObjectStore, Postgres, Redis, StackSpec};
use terraform_provider_mlplat::wait::{self, Look};
use tokio_util::sync::CancellationToken;

/// Every wait of a test ends after this.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// The engines of this machine and user.
pub(crate) fn engines() -> Engines {
    Engines::new(&Config::from_env().unwrap())
}

pub(crate) struct TestStack {
    pub(crate) stack: Stack,
    pub(crate) dir: PathBuf,
    folder: tempfile::TempDir,
}

impl TestStack {
    pub(crate) fn new() -> Self {
        // Deep and long: no path of ours may be limited to what a socket's may.
        Self::at("a-folder-with-a-rather-long-name/and-another-one-that-makes-it-longer/stack")
    }

    /// The stack of a folder below a new one.
    pub(crate) fn at(below: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join(below);
        Self {
            stack: open(&dir),
            dir,
            folder,
        }
    }

    /// The folder above the stack's.
    pub(crate) fn parent(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn apply(&self, spec: &StackSpec) -> Result<Status, StackError> {
        self.stack.apply(spec, &CancellationToken::new()).await
    }

    /// Destroys it; what a service made outside of its folder goes too.
    pub(crate) async fn destroy(&self) {
        let sockets = self.stray_sockets();
        self.stack.destroy(&CancellationToken::new()).await.unwrap();
        // Where somebody answers, another test's stack has the port by now.
        let is_dead = |path: &&PathBuf| path.exists() && UnixStream::connect(path).is_err();
        let left: Vec<_> = sockets.iter().filter(is_dead).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Sockets of the services outside of the stack's folder.
    pub(crate) fn stray_sockets(&self) -> Vec<PathBuf> {
        let state = self.state();
        let units = state["units"].as_object().cloned().unwrap_or_default();
        let sockets = units
            .values()
            .filter_map(|unit| unit["unit"]["stray_sockets"].as_array());
        sockets.flatten().filter_map(Value::as_str).map(PathBuf::from).collect()
    }

    pub(crate) async fn status(&self) -> Status {
        self.stack.status().await.unwrap().unwrap()
    }

    pub(crate) fn credentials(&self) -> Credentials {
        credentials(&self.dir).unwrap()
    }

    /// `state.json`, as the supervisor left it.
    pub(crate) fn state(&self) -> Value {
        let text = fs::read(self.dir.join("state.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    pub(crate) fn supervisor(&self) -> Option<u32> {
        pid_of(&self.state()["supervisor"])
    }

    /// The main process of each component.
    pub(crate) fn pids(&self) -> BTreeMap<String, u32> {
        let state = self.state();
        let units = state["units"].as_object().cloned().unwrap_or_default();
        units
            .iter()
            .filter_map(|(name, unit)| Some((name.clone(), pid_of(&unit["process"])?)))
            .collect()
    }

    /// Kills the supervisor and waits until it has ended; nobody looks after the services then.
    pub(crate) async fn kill_supervisor(&self) -> u32 {
        let supervisor = self.supervisor().unwrap();
        kill(supervisor, Signal::KILL);
        until("the supervisor to end", || !is_alive(supervisor)).await;
        supervisor
    }

    /// Kills the component's service, waits until it answers again, and returns the pid that it has then.
    pub(crate) async fn kill_and_await(&self, component: Component) -> u32 {
        let killed = self.pids()[component.as_str()];
        kill(killed, Signal::KILL);
        let seen = self.seen(component, |seen| {
            seen.health == Health::Running && seen.pid.is_some_and(|pid| pid != killed)
        });
        seen.await.pid.unwrap()
    }

    /// Waits until the component is like this: what is asked once may have met a busy machine.
    pub(crate) async fn is(&self, component: Component, health: Health) -> ComponentStatus {
        self.seen(component, |seen| seen.health == health).await
    }

    async fn seen(&self, component: Component, wanted: impl Fn(&ComponentStatus) -> bool) -> ComponentStatus {
        wait::until("the component's status", SOON, &CancellationToken::new(), || async {
            let seen = self.status().await.components.remove(&component).unwrap();
            Ok::<_, String>(if wanted(&seen) {
                Look::Done(seen)
            } else {
                Look::NotYet(format!("{:?}", (seen.health, seen.pid, seen.problem)))
            })
        })
        .await
        .unwrap()
    }
}

impl Drop for TestStack {
    /// What the test did not end is killed: the supervisor first, so that it starts nothing again.
    fn drop(&mut self) {
        let pids: Vec<_> = self.supervisor().into_iter().chain(self.pids().into_values()).collect();
        for pid in pids.into_iter().filter(|pid| is_in(*pid, self.folder.path())) {
            kill(pid, Signal::KILL);
        }
        // The workers of a killed server, and servers that the state does not name.
        for pid in processes().into_iter().filter(|pid| works_in(*pid, self.folder.path())) {
            kill(pid, Signal::KILL);
        }
    }
}

pub(crate) fn open(dir: &Path) -> Stack {
    open_as(dir, Path::new(PROGRAM))
}

/// The stack as another file of the provider sees it.
pub(crate) fn open_as(dir: &Path, program: &Path) -> Stack {
    Stack::open(dir, engines(), program)
}

/// The provider.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_terraform-provider-mlplat");

fn pid_of(identity: &Value) -> Option<u32> {
    u32::try_from(identity["pid"].as_u64()?).ok()
}

/// Whether the process has to do with `folder`: its command line or its working folder names it.
fn is_in(pid: u32, folder: &Path) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&line).contains(&*folder.to_string_lossy()) || works_in(pid, folder)
}

fn works_in(pid: u32, folder: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(folder))
}

pub(crate) fn processes() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// Processes that have to do with `folder`.
pub(crate) fn processes_of(folder: &Path) -> Vec<u32> {
    processes()
        .into_iter()
        .filter(|pid| *pid != std::process::id() && is_in(*pid, folder))
        .collect()
}

pub(crate) fn kill(pid: u32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(i32::try_from(pid).unwrap()).unwrap(), signal);
}

/// Whether the process runs, rather than being gone or waiting to be reaped.
pub(crate) fn is_alive(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

/// Deletes a folder in which services still write: a file made between the listing and the last step makes the kernel
/// refuse it.
pub(crate) async fn delete(folder: &Path) {
    until("a folder in use to be deleted", || match fs::remove_dir_all(folder) {
        Ok(()) => true,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => true,
            io::ErrorKind::DirectoryNotEmpty => false,
            _ => panic!("{}: {error}", folder.display()),
        },
    })
    .await;
}

pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    wait::until(what, SOON, &CancellationToken::new(), || {
        let look = if is_so() {
            Look::Done(())
        } else {
            Look::NotYet(String::new())
        };
        async { Ok::<_, String>(look) }
    })
    .await
    .unwrap();
}

pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// Waits until a port that we held can be listened on: a process that another test is just starting has all that is open
/// here for a moment, and a process that has ended closes its sockets a moment later.
pub(crate) async fn is_let_go(port: u16) {
    until("a port to be let go", || is_free(port)).await;
}

/// A free port that nobody takes by chance: neither the operating system, which serves connections above, nor a stack that
/// chooses, nor another test.
pub(crate) fn spare_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).unwrap() * 20;
    let next = || 10_000 + (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % 5_000;
    std::iter::repeat_with(next).find(|port| is_free(*port)).unwrap()
}

/// Every component.
pub(crate) fn whole() -> StackSpec {
    StackSpec {
        postgres: Some(postgres()),
        object_store: Some(store(&["models", "reports"])),
        ..cache()
    }
}

/// The one that starts fastest.
pub(crate) fn cache() -> StackSpec {
    StackSpec {
        name: "test".into(),
        credentials_secret_name: "mlplat-credentials".into(),
        redis: Some(Redis::default()),
        ..StackSpec::default()
    }
}

pub(crate) fn database() -> StackSpec {
    StackSpec {
        postgres: Some(postgres()),
        redis: None,
        ..cache()
    }
}

pub(crate) fn postgres() -> Postgres {
    Postgres {
        database: "artefacts".into(),
        ..Postgres::default()
    }
}

pub(crate) fn store(buckets: &[&str]) -> ObjectStore {
    ObjectStore {
        buckets: buckets.iter().map(|name| (*name).to_owned()).collect(),
        ..ObjectStore::default()
    }
}

/// Speaks SQL as the application.
pub(crate) async fn sql(stack: &TestStack, database: &str, statement: &str) -> Result<String, tokio_postgres::Error> {
    sql_at(stack, "127.0.0.1", database, statement).await
}

/// Speaks SQL as the application, to this address.
pub(crate) async fn sql_at(
    stack: &TestStack,
    address: &str,
    database: &str,
    statement: &str,
) -> Result<String, tokio_postgres::Error> {
    let login = stack.credentials().postgres.unwrap();
    let port = stack.status().await.components[&Component::Postgres].port;
    let mut config = tokio_postgres::Config::new();
    config
        .host(address)
        .port(port)
        .user(&login.user)
        .password(login.secret.expose())
        .dbname(database);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    let rows = client.simple_query(statement).await?;
    let first = rows.iter().find_map(|row| match row {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(first.unwrap_or_default())
}
