//! Which containers get variables: selectors, exclusions, and whether each of them has met anything.

use krm_fn::workload::{self, Container, Mappings};
use krm_fn::{Error, Finding, Object, Selector, Severity};

use crate::config::{Config, OnNoMatch};

/// The selectors and exclusions, and which of them have met a container.
pub(crate) struct Meant<'c> {
    selectors: Vec<Selector<'c>>,
    exclude: Vec<Selector<'c>>,
    used: Vec<bool>,
    excluded: Vec<bool>,
    mappings: Mappings,
}

impl<'c> Meant<'c> {
    pub(crate) fn read(config: &'c Config) -> Result<Self, Error> {
        let selectors = Selector::all(&config.selectors)?;
        let exclude = Selector::all_of("spec.exclude", &config.exclude)?;
        Ok(Self {
            used: vec![false; selectors.len()],
            excluded: vec![false; exclude.len()],
            selectors,
            exclude,
            mappings: Mappings::read("spec.workloads", &config.workloads)?,
        })
    }

    /// The containers of a workload that a selector means, all of them without selectors, but for the excluded ones.
    pub(crate) fn containers<'a>(&mut self, object: Object<'a>) -> Vec<Container<'a>> {
        let mut containers = match self.mappings.containers(object) {
            Some(containers) => containers,
            None => workload::containers(object),
        };
        if containers.is_empty() {
            return containers;
        }
        if !self.selectors.is_empty() {
            retain(&self.selectors, &mut self.used, object, &mut containers, true);
        }
        if !self.exclude.is_empty() {
            retain(&self.exclude, &mut self.excluded, object, &mut containers, false);
        }
        containers
    }

    /// What there is to say about a run in which something was never met.
    pub(crate) fn problems(&self, policy: OnNoMatch, nothing: bool) -> Vec<Finding> {
        let severity = match policy {
            OnNoMatch::Error => Severity::Error,
            OnNoMatch::Warn => Severity::Warning,
            OnNoMatch::Ignore => return Vec::new(),
        };
        let unused = |place: &str, used: &[bool]| -> Vec<Finding> {
            let message = |at: usize| {
                format!(
                    "{place}[{at}] matches no container of any workload in the stream. To fix: correct the selector, or \
                     remove it; kinds are written as in the manifests (`Deployment`)"
                )
            };
            let unused = used.iter().enumerate().filter(|(_, used)| !**used);
            unused.map(|(at, _)| Finding::new(severity, message(at))).collect()
        };
        let mut problems = unused("spec.selectors", &self.used);
        problems.extend(unused("spec.exclude", &self.excluded));
        if nothing && problems.is_empty() {
            let message = if self.exclude.is_empty() {
                "there is no workload in the stream: nothing to give the endpoints to. To fix: list the bases with the \
                 workloads under `resources:` of the same kustomization"
            } else {
                "every container is excluded: nothing to give the endpoints to. To fix: correct `spec.exclude`"
            };
            problems.push(Finding::new(severity, message));
        }
        problems
    }
}

/// Keeps the containers that one of the selectors takes, or those that none takes, and notes which selectors did.
fn retain<'a>(
    selectors: &[Selector<'_>],
    used: &mut [bool],
    object: Object<'a>,
    containers: &mut Vec<Container<'a>>,
    taken: bool,
) {
    let of_object: Vec<usize> = (0..selectors.len()).filter(|&at| selectors[at].takes(object)).collect();
    containers.retain(|container| {
        let mut any = false;
        for &at in &of_object {
            let takes = selectors[at].takes_container(container);
            used[at] |= takes;
            any |= takes;
        }
        any == taken
    });
}
