//! Who is excused from which rule, and until when.

use krm_fn::{Error, Finding, Selector, Severity, selector};

use crate::config::Waiver;
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

impl<'c> Exception<'c> {
    fn read(at: usize, waiver: &'c Waiver) -> Result<Self, Error> {
        if waiver.reason.trim().is_empty() {
            return Err(Error::refused(
                format!("spec.waivers[{at}].reason is empty"),
                "say why the rule cannot be met, for the next reader",
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
        self.waiver.rule == violation.rule
            && self.selectors.iter().any(|selector| {
                let container = match &violation.container {
                    Some(container) => selector.takes_container(container),
                    None => !selector.is_of_containers(),
                };
                container && selector.takes(violation.subject.object)
            })
    }
}
