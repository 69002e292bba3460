//! The node's first process: it starts the parts, starts a part again that ended, and takes everything away at its end.
//! It runs in PID, mount and network namespaces of its own, so that nothing of the node outlives it: the kernel ends the
//! processes, and drops the mounts, links and rules, even when it is killed.
#![allow(clippy::print_stderr, reason = "its log")]

use super::network::{self, run};
use super::parts::{self, Part};
use super::site::Site;
use super::traces::Traces;
use crate::{process, wait};
use rustix::process::{Pid, Signal, WaitOptions, kill_process};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long whoever started the node may take to connect it.
const CONNECTED_WITHIN: Duration = Duration::from_secs(60);

/// Runs a node until it is asked to stop: by a file `stop` in its folder, by the end of the folder or, unless it is
/// `detached`, by the end of its standard input, which comes when whoever started it ends in any way.
pub fn run_node(folder: &Path, detached: bool) -> Result<(), String> {
    let orphaned = Arc::new(AtomicBool::new(false));
    if !detached {
        let orphaned = Arc::clone(&orphaned);
        thread::spawn(move || {
            let _ = io::stdin().read_to_end(&mut Vec::new());
            orphaned.store(true, Ordering::Relaxed);
        });
    }
    // A folder that is gone was taken away while this process was only just starting.
    let stopping = || orphaned.load(Ordering::Relaxed) || folder.join("stop").exists() || !folder.exists();
    let site = wait::until("this node's addresses", CONNECTED_WITHIN, || {
        Site::read(folder).map(Some).or_else(|| stopping().then_some(None))
    });
    if let Some(site) = site {
        mount(folder)?;
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").map_err(|error| format!("forwarding: {error}"))?;
        keep(&site, stopping);
        take_away(&site);
    }
    Ok(())
}

/// Where programs write without asking.
const FIXED_PLACES: [&str; 3] = ["/var/log", "/var/lib", "/run"];

/// What programs have fixed places for lies in the node's folder: nothing of it is seen on, or left to, this machine.
fn mount(folder: &Path) -> Result<(), String> {
    let inside = |name: &str| folder.join(name).display().to_string();
    run(Command::new("mount").args(["--bind", &inside("var/log"), "/var/log"]))?;
    let layers = format!(
        "lowerdir=/var/lib,upperdir={},workdir={}",
        inside("var/lib"),
        inside("var/work")
    );
    run(Command::new("mount").args(["-t", "overlay", "overlay", "-o", &layers, "/var/lib"]))?;
    run(Command::new("mount").args(["--bind", &inside("run"), "/run"]))?;
    SETTINGS_OF_THE_MACHINE
        .iter()
        .try_for_each(|setting| shield(folder, Path::new(setting)))
}

/// What kubelet sets for the whole machine, in the place of who looks after it: no namespace holds these.
const SETTINGS_OF_THE_MACHINE: [&str; 6] = [
    "/proc/sys/kernel/keys/root_maxbytes",
    "/proc/sys/kernel/keys/root_maxkeys",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/panic_on_oops",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/panic_on_oom",
];

/// Lays a file of the node over a setting: kubelet writes there, and the machine keeps what it had.
fn shield(folder: &Path, setting: &Path) -> Result<(), String> {
    let Ok(value) = fs::read(setting) else {
        // This kernel has no such setting.
        return Ok(());
    };
    let name = setting.display().to_string().replace('/', "-");
    let copy = folder.join("var").join(&name[1..]);
    fs::write(&copy, value).map_err(|error| format!("{}: {error}", copy.display()))?;
    run(Command::new("mount").arg("--bind").arg(&copy).arg(setting)).map(drop)
}

/// A part, and when it may start next.
struct Kept {
    part: Part,
    process: Option<Pid>,
    started: Instant,
    pause: Duration,
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

fn keep(site: &Site, stopping: impl Fn() -> bool) {
    let mut kept: Vec<Kept> = parts::all(site)
        .into_iter()
        .map(|part| Kept {
            part,
            process: None,
            started: Instant::now(),
            pause: Duration::ZERO,
        })
        .collect();
    while !stopping() {
        let ended = reap();
        for one in &mut kept {
            if let Some(status) = one.process.and_then(|process| ended.get(&process)) {
                eprintln!("{} ended: {status}", one.part.name);
                one.process = None;
                let lasted = one.started.elapsed() > LONGEST_PAUSE;
                one.pause = if lasted {
                    FIRST_PAUSE
                } else {
                    (one.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE)
                };
                one.started = Instant::now();
            }
            if one.process.is_none() && one.started.elapsed() >= one.pause && one.part.may_start(site) {
                match start(site, &one.part) {
                    Ok(process) => one.process = Some(process),
                    Err(error) => eprintln!("{} does not start: {error}", one.part.name),
                }
                one.started = Instant::now();
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    for one in kept.iter().rev() {
        if let Some(process) = one.process {
            // It may have ended by itself just now.
            let _ = kill_process(process, Signal::KILL);
        }
    }
}

fn start(site: &Site, part: &Part) -> io::Result<Pid> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(site.folder().join("logs").join(part.name).with_extension("log"))?;
    let errors = log.try_clone()?;
    let child = Command::new(part.name)
        .args(&part.arguments)
        .current_dir("/")
        .env("HOME", "/run")
        .env_remove("KUBECONFIG")
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(errors)
        .spawn()?;
    Ok(Pid::from_child(&child))
}

/// Every process that ended: the parts, and what the kernel handed to the first process of its namespace.
fn reap() -> HashMap<Pid, String> {
    let mut ended = HashMap::new();
    while let Ok(Some((process, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        let how = match status.terminating_signal() {
            Some(signal) => format!("signal {signal}"),
            None => format!("exit code {}", status.exit_status().unwrap_or_default()),
        };
        ended.insert(process, how);
    }
    ended
}

/// Ends what still runs and removes what the kernel would not: control groups and the folder.
fn take_away(site: &Site) {
    let traces = Traces::of(site);
    let own = std::process::id();
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        reap();
        let others: Vec<u32> = process::all().into_iter().filter(|&pid| pid != own).collect();
        if others.is_empty() || Instant::now() > deadline {
            break;
        }
        for other in others
            .into_iter()
            .filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?))
        {
            // It may have ended by itself just now.
            let _ = kill_process(other, Signal::KILL);
        }
        thread::sleep(Duration::from_millis(20));
    }
    network::disconnect();
    unmount(site.folder());
    traces.remove();
}

/// Mounts in the folder, and those that lie over the machine's own folders.
fn unmount(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let places: Vec<&str> = mounts.lines().filter_map(|line| line.split(' ').nth(1)).collect();
    let of_node = |place: &Path| place.starts_with(folder) || FIXED_PLACES.iter().any(|fixed| place.starts_with(fixed));
    for place in places.into_iter().rev().filter(|place| of_node(Path::new(place))) {
        // Mounts of the machine itself are seen there too; they are this namespace's own copies.
        let _ = run(Command::new("umount").args(["--lazy", place]));
    }
}
