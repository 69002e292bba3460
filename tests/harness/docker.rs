//! A real Docker engine for one test: its socket, its data and its containerd lie in a temporary folder. It makes no bridge
//! and no firewall rule; containers that need no network are all that it runs.

use crate::program::{pinned, tool};
use crate::{process, wait};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const INSTALL: &str = ".ci/tools docker (Debian's docker.io, as root), or run the tests where a Docker engine can run";

/// A running engine; ended when it is dropped.
pub struct Docker {
    folder: TempDir,
    engine: Child,
}

impl Docker {
    /// Starts one.
    ///
    /// # Panics
    /// When no engine is installed, or it does not come up here; the message says what to do.
    pub fn start() -> Self {
        let dockerd = pinned("docker");
        let folder = tempfile::Builder::new()
            .prefix("mlplat-docker-")
            .tempdir()
            .expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        let log = File::create(at("log")).expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        let engine = Command::new(dockerd)
            .arg("--host")
            .arg(format!("unix://{}", at("docker.sock").display()))
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("dockerd.pid"))
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("dockerd starts");
        let mut docker = Self { folder, engine };
        wait::until("the Docker engine to answer", Duration::from_secs(180), || {
            if let Some(status) = docker.engine.try_wait().expect("its state can be asked") {
                panic!(
                    "the Docker engine ended with {status}:\n{}To fix: {INSTALL}",
                    docker.log()
                );
            }
            docker
                .command(&["version"])
                .output()
                .ok()?
                .status
                .success()
                .then_some(())
        });
        docker
    }

    /// What `DOCKER_HOST` must be for a client of this engine.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// The socket of the engine's containerd.
    pub fn containerd(&self) -> PathBuf {
        self.folder.path().join("exec/containerd/containerd.sock")
    }

    /// The docker client, talking to this engine.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tool("docker", INSTALL));
        command.args(arguments).env("DOCKER_HOST", self.host());
        command
    }

    /// Loads an image.
    ///
    /// # Panics
    /// When the engine does not take it.
    pub fn load(&self, archive: &Path) {
        let output = self
            .command(&["load", "--quiet", "--input"])
            .arg(archive)
            .output()
            .expect("docker runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn log(&self) -> String {
        let text = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n") + "\n"
    }
}

impl Drop for Docker {
    /// On SIGTERM the engine ends its containerd and unmounts what it mounted.
    fn drop(&mut self) {
        if self.engine.try_wait().is_ok_and(|ended| ended.is_none()) {
            process::terminate(self.engine.id());
        }
        let _ = self.engine.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_ended_by_itself_is_left_alone() {
        let mut engine = Command::new("true").spawn().expect("a program that ends");
        engine.wait().expect("it ended");
        drop(Docker {
            folder: tempfile::tempdir().expect("a temporary folder"),
            engine,
        });
    }
}
