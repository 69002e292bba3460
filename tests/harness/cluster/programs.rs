//! What the machine must give: root on Linux, and the parts that `.ci/tools kubernetes` brings.

use crate::program::{binary, repository};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Found programs.
pub(super) struct Programs {
    /// PATH with the parts in front.
    pub(super) path: OsString,
    pub(super) kubectl: PathBuf,
    /// The program of the stage's own image.
    pub(super) pod: PathBuf,
    /// The folder of the CNI plugins.
    pub(super) cni: PathBuf,
    /// The program whose `node` command is the node's first process.
    pub(super) cluster: PathBuf,
}

impl Programs {
    /// Installs what is missing, where it can.
    pub(super) fn find() -> Result<Self, String> {
        if !cfg!(target_os = "linux") {
            return Err("a node runs on Linux alone. To fix: use a Linux machine, or kind".to_owned());
        }
        if !rustix::process::geteuid().is_root() {
            return Err(
                "a node needs root, for namespaces, mounts and containers. To fix: sudo -E env \"PATH=$PATH\" make cluster \
                 (or make test-kubernetes)"
                    .to_owned(),
            );
        }
        let output = Command::new(repository().join(".ci/tools"))
            .arg("kubernetes")
            .output()
            .map_err(|error| format!("bash, which runs .ci/tools, does not start: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let built = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let rest = env::var_os("PATH").unwrap_or_default();
        let folders = env::split_paths(&built)
            .chain(env::split_paths(&rest))
            .chain(["/usr/sbin".into(), "/sbin".into()]);
        let path = env::join_paths(folders).map_err(|error| format!("PATH cannot be extended: {error}"))?;
        let find = |name: &str| {
            env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|file| file.is_file())
                .ok_or_else(|| format!("{name} is not installed. To fix: .ci/tools kubernetes (as root)"))
        };
        for name in [
            "containerd",
            "ctr",
            "runc",
            "etcd",
            "iptables",
            "ipset",
            "kube-router",
            "ip",
            "unshare",
            "nsenter",
            "setsid",
            "mount",
        ] {
            find(name)?;
        }
        let cni = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"]
            .map(Path::new)
            .into_iter()
            .find(|folder| folder.join("ptp").is_file())
            .ok_or("the CNI plugins are not installed. To fix: .ci/tools kubernetes (as root)")?
            .to_path_buf();
        Ok(Self {
            kubectl: find("kubectl")?,
            pod: find("pod")?,
            cni,
            cluster: binary("cluster"),
            path,
        })
    }
}
