//! Which containers get variables: selectors, exclusions, and whether each of their parts has met anything.

use krm_fn::selector::{Candidates, Selection};
use krm_fn::workload::{Container, Kinds};
use krm_fn::{Error, Finding, Object, Stream};

use crate::config::Config;

/// The selectors and exclusions, and what they have met.
pub(crate) struct Meant<'c> {
    selectors: Selection<'c>,
    exclude: Selection<'c>,
    pub(crate) kinds: Kinds,
}

/// What becomes of an object.
pub(crate) struct Chosen<'a> {
    /// The containers that get variables.
    pub(crate) containers: Vec<Container<'a>>,
    /// Whether an exclusion has taken any.
    pub(crate) is_excluded: bool,
}

impl<'c> Meant<'c> {
    pub(crate) fn read(config: &'c Config) -> Result<Self, Error> {
        Ok(Self {
            selectors: Selection::read("spec.selectors", &config.selectors)?,
            exclude: Selection::read("spec.exclude", &config.exclude)?,
            kinds: Kinds::read("spec.workloads", &config.workloads)?,
        })
    }

    /// The containers of a workload that a selector means, all of them without selectors, but for the excluded ones.
    pub(crate) fn choose<'a>(&mut self, object: Object<'a>) -> Chosen<'a> {
        let mut containers = candidates(&self.kinds, object);
        if !self.selectors.is_empty() {
            let taken = self.selectors.takes_containers(object, &containers);
            retain(&mut containers, |at| taken[at]);
        }
        let mut is_excluded = false;
        if !self.exclude.is_empty() {
            let taken = self.exclude.takes_containers(object, &containers);
            is_excluded = taken.contains(&true);
            retain(&mut containers, |at| !taken[at]);
        }
        Chosen {
            containers,
            is_excluded,
        }
    }

    /// Whether a selector names an object whose containers are not known.
    pub(crate) fn asks(&mut self, object: Object<'_>) -> bool {
        !self.selectors.is_empty() && self.selectors.takes(object)
    }

    /// What there is to say about a run in which something was never met.
    pub(crate) fn problems(&self, config: &Config, stream: &Stream, nothing: bool) -> Vec<Finding> {
        let policy = config.on_no_match;
        let there = || {
            let mut there = Candidates::default();
            for object in stream.objects().filter(|object| self.kinds.is_workload(*object)) {
                there.add(object, &candidates(&self.kinds, object));
            }
            there
        };
        let what = "container of any workload";
        let mut problems = self.selectors.problems(policy, what, there);
        problems.extend(self.exclude.problems(policy, what, there));
        problems.extend(self.kinds.problems(stream, policy));
        if let (true, true, Some(severity)) = (nothing, problems.is_empty(), policy.severity()) {
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

/// The containers of an object that can have variables.
fn candidates<'a>(kinds: &Kinds, object: Object<'a>) -> Vec<Container<'a>> {
    let containers = kinds.places(object).containers;
    containers
        .into_iter()
        .filter(|container| container.fields.env)
        .collect()
}

fn retain(containers: &mut Vec<Container<'_>>, stays: impl Fn(usize) -> bool) {
    let mut at = 0;
    containers.retain(|_| {
        at += 1;
        stays(at - 1)
    });
}
