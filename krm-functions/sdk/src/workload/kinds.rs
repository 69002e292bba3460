//! All kinds of workloads that a function knows: those of the table, and those that its configuration describes.

use super::mapping::{Mapping, Spec};
use super::places::{self, Places};
use super::table;
use super::unknown::{self, Unknown};
use crate::selector::OnNoMatch;
use crate::{Error, Finding, Findings, Object, Severity, Stream};

/// The kinds. What a configuration says of a kind adds to what the table says of it.
#[derive(Debug, Default)]
pub struct Kinds {
    place: String,
    mappings: Vec<Mapping>,
}

impl Kinds {
    /// The table, and the mappings at a place of the configuration, such as `spec.workloads`.
    ///
    /// # Errors
    /// For a path that is none; the error names its place.
    pub fn read(place: &str, specs: &[Spec]) -> Result<Self, Error> {
        let read = |(at, spec)| Mapping::read(&format!("{place}[{at}]"), spec);
        Ok(Self {
            place: place.to_owned(),
            mappings: specs.iter().enumerate().map(read).collect::<Result<_, _>>()?,
        })
    }

    /// The field of the configuration that adds kinds.
    fn place(&self) -> &str {
        match self.place.as_str() {
            "" => "spec.workloads",
            place => place,
        }
    }

    /// Whether objects of this kind run containers.
    #[must_use]
    pub fn is_workload(&self, object: Object<'_>) -> bool {
        places::row(object).is_some() || self.mappings.iter().any(|mapping| mapping.is_of(object))
    }

    /// The places of an object; of an unknown kind, none.
    #[must_use]
    pub fn places<'a>(&self, object: Object<'a>) -> Places<'a> {
        let mut places = Places::of(object);
        for mapping in self.mappings.iter().filter(|mapping| mapping.is_of(object)) {
            mapping.add_to(&mut places, object);
        }
        places
    }

    /// The pod templates of an object that neither the table nor the configuration knows.
    #[must_use]
    pub fn unknown<'a>(&self, object: Object<'a>) -> Vec<Unknown<'a>> {
        // The kinds of the core group are all known.
        if object.group().is_empty() || places::row(object).is_some_and(table::is_core) {
            return Vec::new();
        }
        unknown::find(object, self.place(), || self.places(object))
    }

    /// Warns of every pod template that is not known; `what` then happens to its containers: `they are not checked`.
    pub fn warn_unknown(&self, stream: &Stream, what: &str, findings: &mut Findings) {
        for object in stream.objects().filter(|object| !object.is_local_config()) {
            for unknown in self.unknown(object) {
                findings.push(unknown.finding(Severity::Warning, what));
            }
        }
    }

    /// The mappings that are about no object, and their paths that lead nowhere.
    #[must_use]
    pub fn problems(&self, stream: &Stream, policy: OnNoMatch) -> Vec<Finding> {
        let Some(severity) = policy.severity() else {
            return Vec::new();
        };
        let problem = |(at, mapping): (usize, &Mapping)| {
            let place = format!("{}[{at}]", self.place);
            let objects: Vec<Object<'_>> = stream.objects().filter(|object| mapping.is_of(*object)).collect();
            let message = if objects.is_empty() {
                let kind = match mapping.group.as_str() {
                    "" => mapping.kind.clone(),
                    group => format!("{}.{group}", mapping.kind),
                };
                format!(
                    "{place}: there is no {kind} in the stream. To fix: correct `kind` and `group`, or remove the entry"
                )
            } else {
                let field = mapping.unused(&objects)?;
                let kind = &mapping.kind;
                format!(
                    "{place}{field} leads nowhere in any {kind} of the stream. To fix: correct the path, or remove it"
                )
            };
            Some(Finding::new(severity, message + policy.hint()))
        };
        self.mappings.iter().enumerate().filter_map(problem).collect()
    }
}
