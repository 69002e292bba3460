//! Which workloads and containers are meant.

mod pattern;
mod policy;
mod requirement;
mod selection;

use serde::Deserialize;

pub use self::pattern::matches;
pub use self::policy::OnNoMatch;
use self::requirement::Requirement;
pub use self::selection::{Candidates, Selection};
use crate::workload::{Container, ContainerType};
use crate::{Error, Object};

/// A selector as the user writes it. A workload must meet all that is set. Lists are of alternatives; `*` and `?` match
/// as in a shell.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Spec {
    /// Kinds as they are written in the manifests (`Deployment`), or with their group (`Rollout.argoproj.io`,
    /// `Service.serving.knative.dev`); `Service.` is the one of the core group.
    pub kinds: Vec<String>,
    /// Names.
    pub names: Vec<String>,
    /// Namespaces; a workload that names none is in `default`.
    pub namespaces: Vec<String>,
    /// Labels of the workload itself, in the words of `kubectl --selector`.
    pub label_selector: Option<String>,
    /// Annotations of the workload itself, in the same words.
    pub annotation_selector: Option<String>,
    /// Containers and init containers; `!name` leaves one out.
    pub containers: Vec<String>,
    /// When the containers run: `Container`, `InitContainer`, `Sidecar` (an init container that always restarts).
    pub container_types: Vec<ContainerType>,
}

/// A selector whose parts are understood.
#[derive(Debug)]
pub struct Selector<'c> {
    spec: &'c Spec,
    labels: Vec<Requirement>,
    annotations: Vec<Requirement>,
}

impl<'c> Selector<'c> {
    /// Reads the selectors of a configuration's `spec.selectors`.
    ///
    /// # Errors
    /// For a label or annotation selector that is none; the error names its place.
    pub fn all(selectors: &'c [Spec]) -> Result<Vec<Self>, Error> {
        Self::all_of("spec.selectors", selectors)
    }

    /// Reads the selectors that stand at another place of the configuration, such as `spec.services[0].selectors`.
    ///
    /// # Errors
    /// As [`Selector::all`].
    pub fn all_of(place: &str, selectors: &'c [Spec]) -> Result<Vec<Self>, Error> {
        let read = |(at, spec)| Self::read(&format!("{place}[{at}]"), spec);
        selectors.iter().enumerate().map(read).collect()
    }

    fn read(place: &str, spec: &'c Spec) -> Result<Self, Error> {
        let requirements = |field: &str, text: &Option<String>| {
            requirement::parse(text.as_deref().unwrap_or_default()).map_err(|part| {
                Error::refused(
                    format!("{place}.{field}: {part:?} is no requirement"),
                    "write it as for `kubectl --selector`: `app=web,tier in (front, back),!batch`",
                )
            })
        };
        Ok(Self {
            spec,
            labels: requirements("labelSelector", &spec.label_selector)?,
            annotations: requirements("annotationSelector", &spec.annotation_selector)?,
        })
    }

    /// Whether the workload is meant.
    pub fn takes(&self, workload: Object<'_>) -> bool {
        let one_of = |patterns: &[String], text: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, text))
        };
        let Self {
            spec,
            labels,
            annotations,
        } = self;
        (spec.kinds.is_empty() || spec.kinds.iter().any(|kind| is_kind(kind, workload)))
            && one_of(&spec.names, &workload.name())
            && one_of(&spec.namespaces, namespace(workload).as_ref())
            && labels
                .iter()
                .all(|requirement| requirement.met_by(workload.label(requirement.key()).as_deref()))
            && annotations
                .iter()
                .all(|requirement| requirement.met_by(workload.annotation(requirement.key()).as_deref()))
    }

    /// Whether only some of a workload's containers are meant.
    pub fn is_of_containers(&self) -> bool {
        !self.spec.containers.is_empty() || !self.spec.container_types.is_empty()
    }

    /// Whether the container is meant, in a workload that is.
    pub fn takes_container(&self, container: &Container<'_>) -> bool {
        let (spec, name) = (self.spec, container.name.as_str());
        if !spec.container_types.is_empty() && !spec.container_types.contains(&container.kind) {
            return false;
        }
        let mut wanted = spec.containers.iter().all(|pattern| pattern.starts_with('!'));
        for pattern in &spec.containers {
            match pattern.strip_prefix('!') {
                Some(pattern) if matches(pattern, name) => return false,
                Some(_) => {}
                None => wanted |= matches(pattern, name),
            }
        }
        wanted
    }
}

/// The namespace of an object; one that names none is in `default`.
fn namespace(object: Object<'_>) -> std::borrow::Cow<'_, str> {
    object.namespace().unwrap_or("default".into())
}

/// Whether an object is of a kind as a user writes it: `Kind` or `Kind.group`.
fn is_kind(kind: &str, object: Object<'_>) -> bool {
    match kind.split_once('.') {
        None => kind == object.kind(),
        Some((kind, group)) => kind == object.kind() && group == object.group(),
    }
}
