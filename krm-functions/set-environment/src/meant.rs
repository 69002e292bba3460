//! Which objects an entry of the configuration takes, and that every entry has an effect: a misspelt name must not
//! pass for success.

use std::collections::HashSet;

use krm_fn::selector::{Candidates, OnNoMatch, Selection};
use krm_fn::workload::Container;
use krm_fn::{Error, Finding, Object, selector};

/// The selectors of one entry, and what they have met.
#[derive(Debug)]
pub(crate) struct Meant<'c> {
    /// `spec.services[0]`.
    pub(crate) place: String,
    selection: Selection<'c>,
    any: bool,
    /// Whether it was the last one for anything that it took; what it says is dead otherwise.
    pub(crate) decides: bool,
}

impl<'c> Meant<'c> {
    /// Selectors of workloads and their containers.
    pub(crate) fn of_containers(place: String, selectors: &'c [selector::Spec]) -> Result<Self, Error> {
        Ok(Self {
            selection: Selection::read(&format!("{place}.selectors"), selectors)?,
            place,
            any: false,
            decides: false,
        })
    }

    /// Selectors of objects, which have no containers.
    pub(crate) fn of_objects(place: String, selectors: &'c [selector::Spec]) -> Result<Self, Error> {
        let of_containers = |one: &selector::Spec| !one.containers.is_empty() || !one.container_types.is_empty();
        if let Some(at) = selectors.iter().position(of_containers) {
            let types = selectors[at].containers.is_empty();
            let field = if types { "containerTypes" } else { "containers" };
            return Err(Error::refused(
                format!("{place}.selectors[{at}].{field} has no meaning here: whole objects are taken"),
                format!("remove `{field}`"),
            ));
        }
        Self::of_containers(place, selectors)
    }

    /// Whether nothing is said about which objects are meant.
    pub(crate) fn is_all(&self) -> bool {
        self.selection.is_empty()
    }

    /// Whether a selector names containers.
    pub(crate) fn is_of_containers(&self) -> bool {
        self.selection.is_of_containers()
    }

    /// Whether anything was taken so far.
    pub(crate) fn takes_any(&self) -> bool {
        self.any
    }

    /// Whether the object is taken.
    pub(crate) fn takes(&mut self, object: Object<'_>) -> bool {
        let taken = self.is_all() || self.selection.takes(object);
        self.any |= taken;
        taken
    }

    /// The paths of those containers of a workload that are taken.
    pub(crate) fn containers(&mut self, object: Object<'_>, all: &[Container<'_>]) -> HashSet<String> {
        let taken = match self.is_all() {
            true => vec![true; all.len()],
            false => self.selection.takes_containers(object, all),
        };
        let taken: HashSet<String> = all
            .iter()
            .zip(taken)
            .filter(|(_, taken)| *taken)
            .map(|(container, _)| container.path.clone())
            .collect();
        self.any |= !taken.is_empty();
        taken
    }

    /// What is wrong with an entry or a part of its selectors that took nothing; `what` it looked for: `Service`.
    pub(crate) fn problems(
        &self,
        policy: OnNoMatch,
        what: &str,
        candidates: impl FnOnce() -> Candidates,
    ) -> Vec<Finding> {
        let problems = self.selection.problems(policy, what, candidates);
        let Some(severity) = policy.severity().filter(|_| problems.is_empty()) else {
            return problems;
        };
        let place = &self.place;
        let message = if !self.any {
            format!(
                "{place} matches no {what} in the stream. To fix: remove the entry, or list the bases under `resources:` of \
                 the same kustomization{}",
                policy.hint()
            )
        } else if !self.decides {
            format!(
                "{place} has no effect: later entries take all that it takes. To fix: put it after them, or remove it"
            )
        } else {
            return Vec::new();
        };
        vec![Finding::new(severity, message)]
    }
}
