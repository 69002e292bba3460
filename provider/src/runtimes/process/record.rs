//! What was last asked for and what was chosen for it: `stack.json`. Written before anything starts, so that ports and
//! engines stay what they are whatever happens next.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::owner::Owner;
use super::store;
use crate::engines::Found;
use crate::services::{Component, PUBLISHED, Ports, StackSpec};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// What was last asked for.
    pub(super) spec: StackSpec,
    /// What an apply last came to its end with; `None`: as `spec`, or no apply has ended yet.
    #[serde(default)]
    pub(super) reached: Option<StackSpec>,
    pub(super) parts: BTreeMap<Component, Part>,
    /// Buckets that were made, or were about to be, and not deleted since.
    pub(super) buckets: BTreeSet<String>,
    /// Who has it; `None`: made by a version that did not note it, or not by Terraform.
    #[serde(default)]
    pub(super) owner: Option<Owner>,
    /// Folders above the stack's that were made for it, from the outside in.
    #[serde(default)]
    pub(super) made_parents: Vec<PathBuf>,
}

/// What was chosen for one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) engine: Found,
    pub(super) ports: Ports,
}

impl Record {
    pub(super) fn path(stack: &Path) -> PathBuf {
        stack.join("stack.json")
    }

    pub(super) fn read(stack: &Path) -> io::Result<Option<Self>> {
        store::read(&Self::path(stack))
    }

    pub(super) fn write(&self, stack: &Path) -> io::Result<()> {
        store::write(&Self::path(stack), self)
    }

    /// Lets a component be as it was `before`: it cannot be as it is asked for.
    pub(super) fn keep(&mut self, component: Component, before: Option<&Self>) {
        let spec = std::mem::take(&mut self.spec);
        self.spec = spec.with_component_of(component, before.map(|before| &before.spec));
        match before.and_then(|before| before.parts.get(&component)) {
            Some(part) => drop(self.parts.insert(component, part.clone())),
            None => drop(self.parts.remove(&component)),
        }
    }

    /// The settings with which an apply last came to its end; those that were asked for while none did.
    pub(super) fn reached(&self) -> &StackSpec {
        self.reached.as_ref().unwrap_or(&self.spec)
    }

    /// The published port of each component.
    pub(super) fn published(&self) -> BTreeMap<Component, u16> {
        let port = |(component, part): (&Component, &Part)| Some((*component, *part.ports.get(PUBLISHED)?));
        self.parts.iter().filter_map(port).collect()
    }
}
