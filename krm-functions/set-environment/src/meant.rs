//! Which objects an entry of the configuration takes, and that every entry has an effect: a misspelt name must not
//! pass for success.

use krm_fn::workload::{self, Container};
use krm_fn::{Error, Finding, Object, Selector, Severity, selector};

/// The selectors of one entry, and what they have met.
#[derive(Debug)]
pub(crate) struct Meant<'c> {
    /// `spec.services[0]`.
    pub(crate) place: String,
    selectors: Vec<Selector<'c>>,
    used: Vec<bool>,
    any: bool,
    /// Whether it was the last one for anything that it took; what it says is dead otherwise.
    pub(crate) decides: bool,
}

impl<'c> Meant<'c> {
    /// Selectors of workloads and their containers.
    pub(crate) fn of_containers(place: String, selectors: &'c [selector::Spec]) -> Result<Self, Error> {
        let read = Selector::all_of(&format!("{place}.selectors"), selectors)?;
        Ok(Self {
            place,
            used: vec![false; read.len()],
            selectors: read,
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
        self.selectors.is_empty()
    }

    /// Whether anything was taken so far.
    pub(crate) fn takes_any(&self) -> bool {
        self.any
    }

    /// Whether the object is taken.
    pub(crate) fn takes(&mut self, object: Object<'_>) -> bool {
        let mut taken = self.is_all();
        for (selector, used) in self.selectors.iter().zip(&mut self.used) {
            let takes = selector.takes(object);
            *used |= takes;
            taken |= takes;
        }
        self.any |= taken;
        taken
    }

    /// The containers of a workload that are taken.
    pub(crate) fn containers<'a>(&mut self, object: Object<'a>) -> Vec<Container<'a>> {
        let all = workload::containers(object);
        let taken: Vec<usize> = (0..self.selectors.len())
            .filter(|&at| self.selectors[at].takes(object))
            .collect();
        let mut takes = |container: &Container<'a>| {
            let mut any = self.selectors.is_empty();
            for &at in &taken {
                let takes = self.selectors[at].takes_container(container);
                self.used[at] |= takes;
                any |= takes;
            }
            self.any |= any;
            any
        };
        all.into_iter().filter(|container| takes(container)).collect()
    }

    /// What is wrong with an entry or a selector that took nothing; `what` it looked for: `Service`.
    pub(crate) fn problem(&self, what: &str) -> Option<Finding> {
        let (place, fix) = match self.used.iter().position(|used| !used) {
            Some(at) => (
                format!("{}.selectors[{at}]", self.place),
                "correct the selector, or remove it; kinds are written as in the manifests (`Deployment`)",
            ),
            None if !self.any => (
                self.place.clone(),
                "remove the entry, or list the bases under `resources:` of the same kustomization",
            ),
            None if !self.decides => {
                let message = format!(
                    "{} has no effect: later entries take all that it takes. To fix: put it after them, or remove it",
                    self.place
                );
                return Some(Finding::new(Severity::Error, message));
            }
            None => return None,
        };
        let message = format!("{place} matches no {what} in the stream. To fix: {fix}");
        Some(Finding::new(Severity::Error, message))
    }
}
