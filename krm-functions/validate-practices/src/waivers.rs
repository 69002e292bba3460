//! Who is excused from which rule, and until when.

use krm_fn::selector::{Candidates, Selection};
use krm_fn::workload::{Container, Kinds};
use krm_fn::{Error, Finding, Object, Selector, Severity, selector};

use crate::cluster::Cluster;
use crate::config::{Config, Waiver};
use crate::date::Date;
use crate::rules::Violation;

/// A waiver that is understood.
#[derive(Debug)]
pub(crate) struct Exception<'c> {
    waiver: &'c Waiver,
    selectors: Vec<Selector<'c>>,
    /// Whether it has met a violation.
    used: bool,
}

/// Reads the waivers of a configuration.
pub(crate) fn read(waivers: &[Waiver]) -> Result<Vec<Exception<'_>>, Error> {
    waivers
        .iter()
        .enumerate()
        .map(|(at, waiver)| Exception::read(at, waiver))
        .collect()
}

/// Whether a selector says nothing of the object.
fn is_empty(selector: &selector::Spec) -> bool {
    let selector::Spec {
        kinds,
        names,
        namespaces,
        label_selector,
        annotation_selector,
        containers: _,
        container_types: _,
    } = selector;
    kinds.is_empty()
        && names.is_empty()
        && namespaces.is_empty()
        && label_selector.is_none()
        && annotation_selector.is_none()
}

/// The waiver that excuses a violation today, if there is one.
pub(crate) fn excuse<'c>(
    exceptions: &mut [Exception<'c>],
    violation: &Violation<'_>,
    today: Date,
) -> Option<&'c Waiver> {
    let mut excused = None;
    for exception in exceptions.iter_mut().filter(|exception| exception.means(violation)) {
        exception.used = true;
        if exception.waiver.expires >= today {
            excused = excused.or(Some(exception.waiver));
        }
    }
    excused
}

/// What there is to say of the waivers themselves, once all violations have been seen.
pub(crate) fn findings(exceptions: &[Exception<'_>], today: Date) -> Vec<Finding> {
    let finding = |(at, Exception { waiver, used, .. }): (usize, &Exception<'_>)| {
        let (rule, expires) = (waiver.rule.as_str(), waiver.expires);
        let (severity, message) = if expires < today {
            let message = format!(
                "this waiver of {rule} expired: its last day was {expires}. To fix: meet the rule and remove the \
                 waiver, or set a later day if its reason still holds"
            );
            (Severity::Error, message)
        } else if *used {
            return None;
        } else {
            let message = format!(
                "this waiver excuses nothing: no object that it means violates {rule}. To fix: remove it, or correct \
                 its selectors"
            );
            (Severity::Warning, message)
        };
        Some(Finding::new(severity, message).field(format!("spec.waivers[{at}]")))
    };
    exceptions.iter().enumerate().filter_map(finding).collect()
}

/// The names in waivers' selectors that no object has: of objects that are checked, whether they violate the rule or not.
pub(crate) fn unmatched(config: &Config, cluster: &Cluster<'_>, kinds: &Kinds) -> Result<Vec<Finding>, Error> {
    let mut found = Vec::new();
    if config.waivers.is_empty() {
        return Ok(found);
    }
    let candidates = || {
        let mut candidates = Candidates::default();
        for subject in &cluster.subjects {
            candidates.add(subject.object, &containers_of(subject.object, kinds));
        }
        candidates
    };
    for (at, waiver) in config.waivers.iter().enumerate() {
        let mut selection = Selection::read(&format!("spec.waivers[{at}].selectors"), &waiver.selectors)?;
        for subject in &cluster.subjects {
            if selection.takes(subject.object) && selection.is_of_containers() {
                selection.takes_containers(subject.object, &containers_of(subject.object, kinds));
            }
        }
        found.extend(selection.problems(config.on_no_match, "object", candidates));
    }
    Ok(found)
}

fn containers_of<'a>(object: Object<'a>, kinds: &Kinds) -> Vec<Container<'a>> {
    let places = kinds.places(object);
    places.containers.into_iter().chain(places.defaults).collect()
}

impl<'c> Exception<'c> {
    fn read(at: usize, waiver: &'c Waiver) -> Result<Self, Error> {
        if waiver.reason.trim().is_empty() {
            return Err(Error::refused(
                format!("spec.waivers[{at}].reason is empty"),
                "say why the rule cannot be met, for the next reader",
            ));
        }
        if !waiver.variables.is_empty() && !waiver.rule.is_of_variables() {
            let rule = waiver.rule.as_str();
            return Err(Error::refused(
                format!("spec.waivers[{at}].variables has no meaning here: {rule} is not about variables"),
                "remove `variables`",
            ));
        }
        let place = format!("spec.waivers[{at}].selectors");
        if waiver.selectors.is_empty() || waiver.selectors.iter().any(is_empty) {
            return Err(Error::refused(
                format!("{place} means every object"),
                format!(
                    "name the objects by kinds, names, namespaces, labels or annotations; to excuse everybody, set \
                     `spec.rules.{}`",
                    waiver.rule.as_str()
                ),
            ));
        }
        Ok(Self {
            waiver,
            selectors: Selector::all_of(&place, &waiver.selectors)?,
            used: false,
        })
    }

    fn means(&self, violation: &Violation<'_>) -> bool {
        let variables = &self.waiver.variables;
        let of_variable = |name: &String| variables.iter().any(|pattern| selector::matches(pattern, name));
        self.waiver.rule == violation.rule
            && (variables.is_empty() || violation.variable.as_ref().is_some_and(of_variable))
            && self.selectors.iter().any(|selector| {
                let container = match &violation.container {
                    Some(container) => selector.takes_container(container),
                    None => !selector.is_of_containers(),
                };
                container && selector.takes(violation.subject.object)
            })
    }
}
