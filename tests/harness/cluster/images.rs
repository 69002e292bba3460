//! Images without a registry: archives, read by containerd.

use super::Cluster;
use super::network::run;
use super::programs::Programs;
use crate::program::binary;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Reads an archive into containerd.
pub(super) fn import(cluster: &Cluster, archive: &Path) -> Result<(), String> {
    run(ctr(cluster).args(["images", "import"]).arg(archive)).map(drop)
}

/// Gives an image one more name; both are full ones.
pub(super) fn name(cluster: &Cluster, image: &str, name: &str) -> Result<(), String> {
    run(ctr(cluster).args(["images", "tag", "--force", image, name])).map(drop)
}

fn ctr(cluster: &Cluster) -> Command {
    // It waits for ever for a containerd that has gone: it must not outlive the one who asked.
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "KILL", "ctr"])
        .env("PATH", &cluster.programs.path)
        .arg("--address")
        .arg(socket(cluster))
        .args(["--namespace", "k8s.io"]);
    command
}

/// containerd's socket, seen through the node's own root folder.
pub(super) fn socket(cluster: &Cluster) -> PathBuf {
    format!("/proc/{}/root/run/containerd/containerd.sock", cluster.first_process).into()
}

/// The archive of the stage's own image.
pub(super) fn pod(folder: &Path, programs: &Programs) -> Result<PathBuf, String> {
    run(Command::new(binary("images"))
        .arg("--out")
        .arg(folder.join("images"))
        .arg(format!("mlplat-pod={}", programs.pod.display())))?;
    Ok(folder.join("images/mlplat-pod.tar"))
}
