//! Looking at processes (Linux: /proc) and ending those that a test started.

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU16, Ordering};

/// Whether the process runs (a zombie does not).
pub fn alive(pid: u32) -> bool {
    let Some(known) = identify(pid) else { return false };
    test_kill_process(known).is_ok() && field(pid, 0).is_some_and(|state| state != "Z")
}

/// One process for all time: its number is given to a stranger some time after its end.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its number, for as long as it lives.
    pub pid: u32,
    started: String,
}

impl Known {
    /// The process that has this number now.
    pub fn by(pid: u32) -> Option<Self> {
        let started = field(pid, 19)?;
        Some(Self { pid, started })
    }

    /// Whether it runs.
    pub fn alive(&self) -> bool {
        alive(self.pid) && field(self.pid, 19).as_ref() == Some(&self.started)
    }
}

/// What `/proc/PID/stat` says, counted from behind the program's name: 0 is the state.
fn field(pid: u32, number: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')')
        .next()?
        .split_whitespace()
        .nth(number)
        .map(str::to_owned)
}

/// Sends SIGKILL. A process that has ended by itself just now takes none.
pub fn kill(pid: u32) {
    send(pid, Signal::KILL);
}

/// Sends SIGTERM: an orderly end.
pub fn terminate(pid: u32) {
    send(pid, Signal::TERM);
}

fn send(pid: u32, signal: Signal) {
    match kill_process(identify(pid).expect("a process id is positive"), signal) {
        Ok(()) | Err(Errno::SRCH) => {}
        Err(error) => panic!("{signal:?} to process {pid}: {error}"),
    }
}

/// Sends SIGINT to a process and all of its group, as Ctrl-C in a terminal does.
pub fn interrupt(pid: u32) {
    send_group(pid, Signal::INT);
}

/// Sends SIGHUP to a process and all of its group, as a terminal does that is closed.
pub fn hang_up(pid: u32) {
    send_group(pid, Signal::HUP);
}

fn send_group(pid: u32, signal: Signal) {
    kill_process_group(identify(pid).expect("a process id is positive"), signal)
        .unwrap_or_else(|error| panic!("{signal:?} to the group of process {pid}: {error}"));
}

fn identify(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Whether somebody accepts connections on this port of 127.0.0.1.
pub fn listening(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Whether it is this process that accepts connections on this port.
pub fn listens(pid: u32, port: u16) -> bool {
    let sockets = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let ends = format!(":{port:04X}");
    let listeners: Vec<String> = sockets
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|fields| fields.len() > 9 && fields[1].ends_with(&ends) && fields[3] == "0A")
        .map(|fields| format!("socket:[{}]", fields[9]))
        .collect();
    let open = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    open.filter_map(|descriptor| fs::read_link(descriptor.path()).ok())
        .any(|link| listeners.iter().any(|listener| link == Path::new(listener)))
}

/// Whether this port of 127.0.0.1 can be listened on.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}

/// A free port that nobody takes by chance: neither the operating system, which serves connections above, nor a stack that
/// chooses, nor another test of this process.
pub fn spare_port() -> u16 {
    static GIVEN: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 200).expect("less than 200") * 20;
    let next = || 10_000 + (start + GIVEN.fetch_add(1, Ordering::Relaxed)) % 5_000;
    let mut tried = std::iter::repeat_with(next).take(5_000);
    tried.find(|port| is_free(*port)).expect("5000 ports are not all taken")
}

/// Every running process whose command line or working folder mentions this folder, with its command line.
pub fn mentioning(folder: &Path) -> Vec<(u32, String)> {
    let needle = folder.to_string_lossy().into_owned();
    let own = std::process::id();
    all()
        .into_iter()
        .filter(|&pid| pid != own && alive(pid))
        .filter_map(|pid| {
            let line = command_line(pid);
            let place = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            (line.contains(&needle) || place.to_string_lossy().contains(&needle)).then_some((pid, line))
        })
        .collect()
}

/// The command line, arguments separated by spaces.
pub fn command_line(pid: u32) -> String {
    let raw = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&raw).replace('\0', " ").trim().to_owned()
}

/// The process that started this one.
pub fn parent(pid: u32) -> Option<u32> {
    field(pid, 1)?.parse().ok()
}

/// The running processes that this one started.
pub fn children(of: u32) -> Vec<u32> {
    let started = |&pid: &u32| parent(pid) == Some(of) && alive(pid);
    all().into_iter().filter(started).collect()
}

/// Every process id of this machine.
pub fn all() -> Vec<u32> {
    fs::read_dir("/proc")
        .expect("/proc can be read")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect()
}
