//! What a node could leave on a machine, and its removal.

use super::network;
use super::site::Site;
use crate::wait;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What only a node that runs, or its folder, can tell.
pub(super) struct Traces {
    site: Site,
    /// The ids of its containers, which are the names of their control groups.
    containers: Vec<String>,
}

impl Traces {
    /// Takes down what must be looked at after the end.
    pub(super) fn of(site: &Site) -> Self {
        let tasks = site
            .folder()
            .join("run/containerd/io.containerd.runtime.v2.task/k8s.io");
        Self {
            site: site.clone(),
            containers: names(&tasks),
        }
    }

    /// Removes the control groups and the folder of a node that has ended; its link goes with its namespace, which takes
    /// the kernel a moment. What is gone already is fine.
    pub(super) fn remove(&self) {
        wait::within(Duration::from_secs(60), || (!network::exists(&self.site)).then_some(()));
        wait::within(Duration::from_secs(60), || {
            for group in self.groups().into_iter().rev() {
                // Busy as long as a killed process is not gone; the next round takes it.
                let _ = fs::remove_dir(group);
            }
            self.groups().is_empty().then_some(())
        });
        for shared in hierarchies().map(|hierarchy| hierarchy.join("k8s.io")) {
            // Another node's containers keep it.
            let _ = fs::remove_dir(shared);
        }
        // What cannot be removed is seen by `left`.
        let _ = fs::remove_dir_all(self.site.folder());
    }

    /// What is left, in words; empty after a clean stop.
    pub(super) fn left(&self) -> Vec<String> {
        let groups = self
            .groups()
            .into_iter()
            .map(|group| format!("control group {}", group.display()));
        let mut left: Vec<String> = groups.collect();
        if network::exists(&self.site) {
            left.push(format!("link {}", self.site.link()));
        }
        if self.site.folder().exists() {
            left.push(format!("folder {}", self.site.folder().display()));
        }
        left
    }

    /// The control groups of its containers in every hierarchy, parents first.
    fn groups(&self) -> Vec<PathBuf> {
        let of_containers =
            |hierarchy: PathBuf| self.containers.iter().map(move |id| hierarchy.join("k8s.io").join(id));
        let mut found: Vec<PathBuf> = hierarchies()
            .flat_map(of_containers)
            .filter(|group| group.is_dir())
            .collect();
        let mut next = 0;
        while let Some(group) = found.get(next) {
            let below: Vec<PathBuf> = names(group)
                .iter()
                .map(|name| group.join(name))
                .filter(|path| path.is_dir())
                .collect();
            found.extend(below);
            next += 1;
        }
        found
    }
}

/// The one hierarchy of cgroup v2, or every one of v1.
fn hierarchies() -> impl Iterator<Item = PathBuf> {
    let top = PathBuf::from("/sys/fs/cgroup");
    let below = names(&top)
        .into_iter()
        .map(|name| Path::new("/sys/fs/cgroup").join(name));
    std::iter::once(top).chain(below).filter(|path| !path.is_symlink())
}

/// The names in a folder; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
