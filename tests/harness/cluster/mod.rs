//! A whole Kubernetes on one node, from real parts: etcd, API server, controller-manager, scheduler, containerd, kubelet,
//! kube-proxy and CoreDNS. It lives in namespaces of its own; what runs on this machine meets it on one link.

mod files;
mod images;
mod network;
mod node;
mod parts;
mod programs;
mod ready;
mod site;
mod traces;

pub use node::run_node;
pub use site::{NODE, Site};

use crate::process::{self, Known};
use crate::project::{Output, run};
use crate::wait;
use programs::Programs;
use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};
use traces::Traces;

/// A running node. One that a test started ends with the test, however that ends.
pub struct Cluster {
    site: Site,
    programs: Programs,
    first_process: u32,
    /// How long it took until the node was ready.
    pub ready_after: Duration,
    outer: Option<Child>,
    /// Its end is the end of the node.
    life: Option<ChildStdin>,
}

impl Cluster {
    /// A node for a test, in a temporary folder.
    ///
    /// # Panics
    /// When the machine cannot give it; the message says what can.
    pub fn start() -> Self {
        Self::try_start().unwrap_or_else(|error| panic!("no Kubernetes for this test: {error}"))
    }

    /// The same, where the machine can give it.
    pub fn try_start() -> Result<Self, String> {
        Self::must_be_possible()?;
        let folder = tempfile::Builder::new()
            .prefix("mlplat-node-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        Self::begin(&folder, false)
    }

    /// An error that says what would help, where this machine cannot give a node.
    pub fn must_be_possible() -> Result<(), String> {
        Programs::find().map(drop)
    }

    /// A node that goes on until `stop`, in this folder.
    pub fn up(folder: &Path) -> Result<Self, String> {
        if let Some(running) = Self::open(folder)? {
            return Ok(running);
        }
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let folder = fs::canonicalize(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Self::begin(&folder, true)
    }

    /// A node in this folder that ends with the caller, whatever ends that.
    pub fn hold(folder: &Path) -> Result<Self, String> {
        Self::begin(folder, false)
    }

    /// The node that runs in this folder; `None` when none does, and then what one left is removed.
    pub fn open(folder: &Path) -> Result<Option<Self>, String> {
        let Ok(folder) = fs::canonicalize(folder) else {
            return Ok(None);
        };
        match (first_process_of(&folder), Site::read(&folder)) {
            (Some(first_process), Some(site)) => {
                return Ok(Some(Self {
                    site,
                    programs: Programs::find()?,
                    first_process,
                    ready_after: Duration::ZERO,
                    outer: None,
                    life: None,
                }));
            }
            (None, Some(site)) => Traces::of(&site).remove(),
            // A start that was cut off before the node had an address: nothing runs in it yet.
            (Some(first_process), None) => process::kill(first_process),
            (None, None) => {}
        }
        if folder.join("logs").exists() {
            fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        // Made and not filled; what holds anything else stays.
        let _ = fs::remove_dir(&folder);
        Ok(None)
    }

    fn begin(folder: &Path, detached: bool) -> Result<Self, String> {
        let began = Instant::now();
        let programs = Programs::find()?;
        files::folders(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut outer = spawn(folder, &programs, detached)?;
        let life = outer.stdin.take();
        let connected = wait::within(Duration::from_secs(60), || first_process_of(folder))
            .ok_or_else(|| format!(
                    "the node's first process does not start; root of a container may lack the right to make namespaces. \
                     To fix: run it on a machine, or in a container that may{}",
                    last_words(folder, "node")
                ))
            .and_then(|first_process| Ok((first_process, network::claim(folder, first_process)?)));
        let (first_process, site) = match connected {
            Ok(both) => both,
            Err(error) => {
                // The namespaces, and with them what was made in them, end with the outermost process.
                let _ = outer.kill();
                let _ = outer.wait();
                let _ = fs::remove_dir_all(folder);
                return Err(error);
            }
        };
        let mut cluster = Self {
            site,
            programs,
            first_process,
            ready_after: Duration::ZERO,
            outer: Some(outer),
            life,
        };
        let ready = files::write(&cluster.site, &cluster.programs).and_then(|()| ready::wait_for(&cluster));
        if let Err(error) = ready {
            cluster.end();
            return Err(error);
        }
        cluster.ready_after = began.elapsed();
        Ok(cluster)
    }

    /// Its addresses and files.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The kubectl of the node's own version, as its administrator.
    pub fn kubectl(&self) -> Command {
        let mut command = Command::new(&self.programs.kubectl);
        command
            .env("KUBECONFIG", self.site.kubeconfig())
            .env("KUBECACHEDIR", self.site.folder().join("cache"))
            .stdin(Stdio::null());
        command
    }

    /// Runs kubectl to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(self.kubectl().args(arguments))
    }

    /// Runs kubectl with this input to its end; `-f -` reads it.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(input.as_bytes())
            .and_then(|()| file.rewind())
            .expect("a file of ours");
        run(self.kubectl().args(arguments).stdin(file))
    }

    /// Makes images of these archives known to the node: OCI layouts or docker-archives, as `make images` writes them.
    pub fn import(&self, archives: &[PathBuf]) -> Result<(), String> {
        archives.iter().try_for_each(|archive| images::import(self, archive))
    }

    /// Gives an image one more name, such as that of an image which cannot be pulled here. Both are full names.
    pub fn name_image(&self, image: &str, name: &str) -> Result<(), String> {
        images::name(self, image, name)
    }

    /// Makes NetworkPolicies effective from now on, by kube-router's firewall.
    pub fn enforce_policies(&self) -> Result<(), String> {
        let asked = self.site.folder().join(parts::ENFORCE_POLICIES);
        File::create(&asked).map_err(|error| format!("{}: {error}", asked.display()))?;
        ready::enforcing(self)
    }

    /// The process of a part, as this machine numbers it.
    pub fn process_of(&self, part: &str) -> Option<u32> {
        let is_part = |pid: &u32| {
            let line = process::command_line(*pid);
            let program = line.split_whitespace().next().unwrap_or_default();
            program.rsplit('/').next() == Some(part)
        };
        self.processes().into_iter().map(|process| process.pid).find(is_part)
    }

    /// Every process of the node, those in its pods included.
    pub fn processes(&self) -> Vec<Known> {
        let of_node = |pid: &u32| *pid == self.first_process || inside(*pid, self.first_process);
        let pids = process::all().into_iter().filter(of_node);
        pids.filter_map(Known::by).collect()
    }

    /// Ends the node.
    ///
    /// # Panics
    /// When something of it is left.
    pub fn stop(mut self) {
        let left = self.end();
        assert!(left.is_empty(), "the node left {left:?}");
    }

    /// Ends the node; what is left of it, in words.
    fn end(&mut self) -> Vec<String> {
        let traces = Traces::of(&self.site);
        let processes = self.processes();
        let first = processes.iter().find(|process| process.pid == self.first_process);
        // Where the folder is gone, the node took itself away.
        let _ = File::create(self.site.folder().join("stop"));
        drop(self.life.take());
        let gone = || first.is_none_or(|first| !first.alive()).then_some(());
        if wait::within(Duration::from_secs(60), gone).is_none() {
            process::kill(self.first_process);
            wait::until("a killed node to end", Duration::from_secs(60), gone);
        }
        if let Some(mut outer) = self.outer.take() {
            let _ = outer.wait();
        }
        traces.remove();
        let alive = processes.into_iter().filter(Known::alive);
        let mut left: Vec<String> = alive
            .map(|Known { pid, .. }| format!("process {pid}: {}", process::command_line(pid)))
            .collect();
        left.extend(traces.left());
        left
    }

    fn last_words(&self, part: &str) -> String {
        last_words(self.site.folder(), part)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.life.is_some() {
            self.end();
        }
    }
}

/// Starts the node's first process in namespaces of its own. A session of its own keeps Ctrl-C from it: it ends in order,
/// when its standard input does.
fn spawn(folder: &Path, programs: &Programs, detached: bool) -> Result<Child, String> {
    let log = File::create(folder.join("logs/node.log")).map_err(|error| format!("{}: {error}", folder.display()))?;
    let errors = log.try_clone().map_err(|error| format!("the node's log: {error}"))?;
    Command::new("setsid")
        .args([
            "unshare",
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .arg(&programs.cluster)
        .arg("node")
        .arg(folder)
        .args(detached.then_some("--detached"))
        .env("PATH", &programs.path)
        .current_dir("/")
        .stdin(if detached { Stdio::null() } else { Stdio::piped() })
        .stdout(log)
        .stderr(errors)
        .spawn()
        .map_err(|error| format!("setsid does not start: {error}. To fix: install util-linux"))
}

/// The node's first process, as this machine numbers it: the one with the command line that is number 1 in a namespace.
fn first_process_of(folder: &Path) -> Option<u32> {
    let ends = format!("node {}", folder.display());
    process::all().into_iter().find(|&pid| {
        let line = process::command_line(pid);
        line.trim_end_matches(" --detached").ends_with(&ends) && numbers(pid).last() == Some(&1) && process::alive(pid)
    })
}

/// The numbers of a process, from this machine's namespace inwards.
fn numbers(pid: u32) -> Vec<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    line.unwrap_or_default()
        .split_whitespace()
        .filter_map(|number| number.parse().ok())
        .collect()
}

/// Whether one of its ancestors is this process.
fn inside(pid: u32, ancestor: u32) -> bool {
    let parent = |pid: u32| -> Option<u32> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        status
            .lines()
            .find_map(|line| line.strip_prefix("PPid:"))?
            .trim()
            .parse()
            .ok()
    };
    std::iter::successors(parent(pid), |&above| parent(above)).any(|above| above == ancestor)
}

/// The end of a part's log, for an error.
fn last_words(folder: &Path, part: &str) -> String {
    let path = folder.join("logs").join(part).with_extension("log");
    let log = fs::read_to_string(&path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().rev().take(8).collect();
    let tail: Vec<&str> = lines.into_iter().rev().collect();
    format!("; the end of {}:\n{}", path.display(), tail.join("\n"))
}
