//! The table of workloads: groups, kinds and versions, and where their containers stand. It is checked against the CRDs
//! that the ecosystem publishes: see `crds`.

mod core;
mod machine_learning;
mod workflows;

use super::fields::Fields;

/// A kind of workload.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) groups: &'static [&'static str],
    pub(super) kind: &'static str,
    /// Empty = any that no other row names.
    pub(super) versions: &'static [&'static str],
    pub(super) parts: &'static [Part],
}

/// Places that stand together below one or several roots. Paths as in [`super::path::of_table`].
#[derive(Debug)]
pub(super) struct Part {
    pub(super) roots: &'static [&'static str],
    /// From a root to further ones of the same shape, which may hold further ones in turn.
    pub(super) nested: &'static [&'static str],
    pub(super) places: &'static [Place],
}

/// Where something stands, from a root.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    /// Pod templates: `metadata` with the labels of the pods, and `spec`.
    Template(&'static str),
    /// Specifications of pods whose labels a controller decides on.
    Spec(&'static str),
    /// Pod templates whose containers change those of another object, and have no field but these.
    Patch(&'static str, Fields),
    /// Containers beside no pod specification, and what they are called where they have no `name`.
    Container(&'static str, &'static str, Fields),
    /// Containers as before, which run beside what they belong to.
    Sidecar(&'static str, &'static str, Fields),
    /// Containers as before, which run first.
    Init(&'static str, &'static str, Fields),
    /// A container that does not run, but whose fields hold for those below the same parent that do not set them.
    Defaults(&'static str, Fields),
    /// A mapping with fields of a pod's specification, such as `volumes` and `hostNetwork`; they hold for the containers
    /// below the mapping that many keys above it.
    Around(&'static str, usize),
    /// A bare image.
    Image(&'static str),
    /// A whole object, of whatever kind.
    Object(&'static str),
}

impl Place {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Template(path)
            | Self::Spec(path)
            | Self::Patch(path, _)
            | Self::Container(path, ..)
            | Self::Sidecar(path, ..)
            | Self::Init(path, ..)
            | Self::Defaults(path, _)
            | Self::Around(path, _)
            | Self::Image(path)
            | Self::Object(path) => path,
        }
    }
}

/// Any version.
const fn workload(groups: &'static [&'static str], kind: &'static str, parts: &'static [Part]) -> Workload {
    Workload {
        groups,
        kind,
        versions: &[],
        parts,
    }
}

/// Places below one root.
const fn below(root: &'static [&'static str; 1], places: &'static [Place]) -> Part {
    Part {
        roots: root,
        nested: &[],
        places,
    }
}

/// A pod template at the usual place.
const TEMPLATE: &[Part] = &[below(&["spec"], &[Place::Template("template")])];

/// All rows: a row with versions stands before one for any.
pub(super) fn workloads() -> impl Iterator<Item = &'static Workload> {
    core::WORKLOADS
        .iter()
        .chain(machine_learning::WORKLOADS)
        .chain(workflows::WORKLOADS)
}

/// Whether a row is one of Kubernetes itself, whose schema has no place that the table does not know.
pub(super) fn is_core(workload: &Workload) -> bool {
    core::WORKLOADS
        .iter()
        .any(|row| row.groups == workload.groups && row.kind == workload.kind)
}
