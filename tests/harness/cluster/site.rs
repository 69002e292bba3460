//! Where one node has its files and its addresses. Pure: nothing is looked up here.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

/// The node's name, and that of the context in its kubeconfig.
pub const NODE: &str = "mlplat";

/// So many nodes can run on one machine at a time, each in addresses of its own.
pub(super) const SLOTS: u8 = 16;

/// A node's folder and, from the number of its slot, its addresses:
/// `10.214.SLOT.1` is this machine as pods see it, `.2` the node, `.128/25` the pods, `10.215.SLOT.0/24` the services.
#[derive(Clone, Debug)]
pub struct Site {
    folder: PathBuf,
    slot: u8,
}

impl Site {
    pub(super) fn new(folder: &Path, slot: u8) -> Self {
        Self {
            folder: folder.to_path_buf(),
            slot,
        }
    }

    /// The site whose slot was written into this folder; `None` before that.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(folder.join("slot")).ok()?;
        Some(Self::new(folder, text.trim().parse().ok()?))
    }

    pub(super) fn slot(&self) -> u8 {
        self.slot
    }

    /// The folder of everything that the node writes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of the link to the node on this machine.
    pub fn link(&self) -> String {
        format!("mlplat-k{}", self.slot)
    }

    /// This machine, as pods reach it; nothing else does.
    pub fn host(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 214, self.slot, 1)
    }

    /// The node, as this machine and pods reach it.
    pub fn node(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 214, self.slot, 2)
    }

    /// The network of the pods.
    pub fn pods(&self) -> String {
        format!("10.214.{}.128/25", self.slot)
    }

    /// The network of the Services, which this machine reaches too.
    pub fn services(&self) -> String {
        format!("10.215.{}.0/24", self.slot)
    }

    pub(super) fn first_service(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 215, self.slot, 1)
    }

    pub(super) fn dns(&self) -> Ipv4Addr {
        Ipv4Addr::new(10, 215, self.slot, 10)
    }

    /// An administrator's way in.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.join("kubeconfig")
    }
}
