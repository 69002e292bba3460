//! Looking at processes (Linux: /proc) and ending those that a test started.

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use std::fs;
use std::net::TcpStream;
use std::path::Path;

/// Whether the process runs (a zombie does not).
pub fn alive(pid: u32) -> bool {
    let Some(known) = identify(pid) else { return false };
    if test_kill_process(known).is_err() {
        return false;
    }
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .trim_start()
        .starts_with('Z')
}

/// Sends SIGKILL.
pub fn kill(pid: u32) {
    kill_process(identify(pid).expect("a process id is positive"), Signal::KILL)
        .unwrap_or_else(|error| panic!("killing process {pid}: {error}"));
}

/// Sends SIGTERM: an orderly end.
pub fn terminate(pid: u32) {
    kill_process(identify(pid).expect("a process id is positive"), Signal::TERM)
        .unwrap_or_else(|error| panic!("terminating process {pid}: {error}"));
}

/// Sends SIGINT to a process and all of its group, as Ctrl-C in a terminal does.
pub fn interrupt(pid: u32) {
    kill_process_group(identify(pid).expect("a process id is positive"), Signal::INT)
        .unwrap_or_else(|error| panic!("interrupting the group of process {pid}: {error}"));
}

fn identify(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Whether somebody accepts connections on this port of 127.0.0.1.
pub fn listening(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
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
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()
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
