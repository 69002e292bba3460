//! The selectors of one place of the configuration, and what each of their parts has met: a misspelt name must not pass
//! for success.

use std::collections::BTreeSet;

use super::requirement::Requirement;
use super::{OnNoMatch, Selector, Spec, is_kind, matches, namespace};
use crate::workload::{Container, ContainerType};
use crate::{Error, Finding, Object, nearest, suggestion};

/// Selectors, and which of their parts have met something.
#[derive(Debug)]
pub struct Selection<'c> {
    place: String,
    selectors: Vec<Selector<'c>>,
    used: Vec<Used>,
}

/// What a selector has met.
#[derive(Clone, Debug)]
struct Used {
    any: bool,
    /// Of its parts, in the order of [`Selector::parts`].
    parts: Vec<bool>,
}

/// One name of a selector.
#[derive(Clone, Copy, Debug)]
enum Part<'c> {
    Kind(&'c str),
    Name(&'c str),
    Namespace(&'c str),
    /// A requirement and one of its values; `None` is the key.
    Label(&'c Requirement, Option<&'c str>),
    Annotation(&'c Requirement, Option<&'c str>),
    Container(&'c str),
    Type(ContainerType),
}

/// What selectors choose from, for messages.
#[derive(Debug, Default)]
pub struct Candidates {
    kinds: BTreeSet<String>,
    /// With their groups.
    kinds_of_groups: BTreeSet<String>,
    names: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    containers: BTreeSet<String>,
    labels: BTreeSet<(String, String)>,
    annotations: BTreeSet<(String, String)>,
}

impl Candidates {
    /// The kinds in the form of this one: with their groups or without.
    fn kinds_like(&self, kind: &str) -> &BTreeSet<String> {
        if kind.contains('.') {
            &self.kinds_of_groups
        } else {
            &self.kinds
        }
    }

    /// Notes an object and its containers.
    pub fn add(&mut self, object: Object<'_>, containers: &[Container<'_>]) {
        self.kinds.insert(object.kind().into_owned());
        self.kinds_of_groups
            .insert(format!("{}.{}", object.kind(), object.group()));
        self.names.insert(object.name().into_owned());
        self.namespaces.insert(namespace(object).into_owned());
        self.containers.extend(containers.iter().map(|one| one.name.clone()));
        for (field, pairs) in [("labels", &mut self.labels), ("annotations", &mut self.annotations)] {
            let entries = object.root().at(&["metadata", field]);
            let entries = entries.into_iter().flat_map(crate::Node::entries);
            pairs.extend(
                entries
                    .filter_map(|(key, value)| Some((key.text()?.into_owned(), value.resolve().text()?.into_owned()))),
            );
        }
    }
}

impl<'c> Selection<'c> {
    /// Reads the selectors at a place of the configuration, such as `spec.services[0].selectors`.
    ///
    /// # Errors
    /// For a label or annotation selector that is none; the error names its place.
    pub fn read(place: &str, selectors: &'c [Spec]) -> Result<Self, Error> {
        let selectors = Selector::all_of(place, selectors)?;
        let used = |selector: &Selector<'c>| Used {
            any: false,
            parts: vec![false; selector.parts().len()],
        };
        Ok(Self {
            place: place.to_owned(),
            used: selectors.iter().map(used).collect(),
            selectors,
        })
    }

    /// Whether there is no selector.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.selectors.is_empty()
    }

    /// Whether one of the selectors names containers.
    #[must_use]
    pub fn is_of_containers(&self) -> bool {
        self.selectors.iter().any(Selector::is_of_containers)
    }

    /// Whether one of the selectors takes the object.
    pub fn takes(&mut self, object: Object<'_>) -> bool {
        let mut taken = false;
        for (selector, used) in self.selectors.iter().zip(&mut self.used) {
            if selector.takes(object) {
                taken = true;
                used.any = true;
                used.note(selector, |part| part.meets(object));
            }
            used.note(selector, |part| part.excludes(object));
        }
        taken
    }

    /// For each container of an object, whether one of the selectors takes it.
    pub fn takes_containers(&mut self, object: Object<'_>, containers: &[Container<'_>]) -> Vec<bool> {
        let mut taken = vec![false; containers.len()];
        if containers.is_empty() {
            return taken;
        }
        for (selector, used) in self.selectors.iter().zip(&mut self.used) {
            used.note(selector, |part| part.excludes(object));
            if !selector.takes(object) {
                continue;
            }
            for (container, taken) in containers.iter().zip(&mut taken) {
                if selector.takes_container(container) {
                    *taken = true;
                    used.any = true;
                    used.note(selector, |part| part.meets(object) || part.meets_container(container));
                }
                used.note(selector, |part| part.excludes_container(container));
            }
        }
        taken
    }

    /// What to say of selectors, and of names in them, that have met nothing. `what` they choose from: `Service`.
    pub fn problems(&self, policy: OnNoMatch, what: &str, candidates: impl FnOnce() -> Candidates) -> Vec<Finding> {
        let all_used = self
            .used
            .iter()
            .all(|used| used.any && used.parts.iter().all(|part| *part));
        let Some(severity) = policy.severity().filter(|_| !all_used) else {
            return Vec::new();
        };
        let candidates = candidates();
        let mut problems = Vec::new();
        for (at, (selector, used)) in self.selectors.iter().zip(&self.used).enumerate() {
            let place = format!("{}[{at}]", self.place);
            let parts: Vec<(String, Part<'_>)> = selector.fields().into_iter().zip(selector.parts()).collect();
            let mut say = |message: String| problems.push(Finding::new(severity, message + policy.hint()));
            if !used.any {
                let unknown: Vec<String> = parts
                    .iter()
                    .filter(|(_, part)| !part.is_among(&candidates) && part.must_match(&candidates))
                    .map(|(field, part)| part.unknown(field, &candidates))
                    .collect();
                let detail = match unknown.is_empty() {
                    true => String::new(),
                    false => format!(": {}", unknown.join("; ")),
                };
                say(format!(
                    "{place} matches no {what} in the stream{detail}. To fix: correct the selector, or remove it; kinds \
                     are written as in the manifests (`Deployment`)"
                ));
                continue;
            }
            let unused = parts.iter().zip(&used.parts).filter(|(_, used)| !**used);
            for ((field, part), _) in unused.filter(|((_, part), _)| part.must_match(&candidates)) {
                let problem = if part.is_among(&candidates) {
                    format!("{part} is there, but in no {what} that the rest of the selector takes")
                } else {
                    part.unknown("", &candidates)
                };
                say(format!("{place}.{field}: {problem}. To fix: correct it, or remove it"));
            }
        }
        problems
    }
}

impl Used {
    fn note(&mut self, selector: &Selector<'_>, met: impl Fn(&Part<'_>) -> bool) {
        if self.parts.iter().all(|part| *part) {
            return;
        }
        for (part, used) in selector.parts().iter().zip(&mut self.parts) {
            *used = *used || met(part);
        }
    }
}

impl<'c> Selector<'c> {
    /// Everything in it that names something.
    fn parts(&self) -> Vec<Part<'_>> {
        let spec = self.spec;
        let names = |one: &'_ Requirement| one.names().len();
        let labels: usize = self.labels.iter().chain(&self.annotations).map(names).sum();
        let mut parts = Vec::with_capacity(spec.kinds.len() + spec.names.len() + spec.containers.len() + labels + 4);
        parts.extend(spec.kinds.iter().map(|text| Part::Kind(text)));
        parts.extend(spec.names.iter().map(|text| Part::Name(text)));
        parts.extend(spec.namespaces.iter().map(|text| Part::Namespace(text)));
        for one in &self.labels {
            parts.extend(one.names().into_iter().map(|value| Part::Label(one, value)));
        }
        for one in &self.annotations {
            parts.extend(one.names().into_iter().map(|value| Part::Annotation(one, value)));
        }
        parts.extend(spec.containers.iter().map(|text| Part::Container(text)));
        parts.extend(spec.container_types.iter().map(|one| Part::Type(*one)));
        parts
    }

    /// The field of each of the parts: `names[0]`.
    fn fields(&self) -> Vec<String> {
        let spec = self.spec;
        let lists = [
            ("kinds", spec.kinds.len()),
            ("names", spec.names.len()),
            ("namespaces", spec.namespaces.len()),
        ];
        let ends = [
            ("containers", spec.containers.len()),
            ("containerTypes", spec.container_types.len()),
        ];
        let entries =
            |(field, count): (&str, usize)| (0..count).map(move |at| format!("{field}[{at}]")).collect::<Vec<_>>();
        let count = |of: &[Requirement]| of.iter().map(|one| one.names().len()).sum();
        let mut fields: Vec<String> = lists.into_iter().flat_map(entries).collect();
        fields.extend(vec!["labelSelector".to_owned(); count(&self.labels)]);
        fields.extend(vec!["annotationSelector".to_owned(); count(&self.annotations)]);
        fields.extend(ends.into_iter().flat_map(entries));
        fields
    }
}

impl Part<'_> {
    /// Whether an object that is taken is one of those that the part names.
    fn meets(&self, object: Object<'_>) -> bool {
        let says = |found: Option<std::borrow::Cow<'_, str>>, value: &Option<&str>| match (found, value) {
            (Some(found), Some(value)) => found == *value,
            (found, None) => found.is_some(),
            (None, Some(_)) => false,
        };
        match self {
            Self::Kind(kind) => is_kind(kind, object),
            Self::Name(pattern) => matches(pattern, &object.name()),
            Self::Namespace(pattern) => matches(pattern, &namespace(object)),
            Self::Label(one, value) => !one.excludes() && says(object.label(one.key()), value),
            Self::Annotation(one, value) => !one.excludes() && says(object.annotation(one.key()), value),
            Self::Container(_) | Self::Type(_) => false,
        }
    }

    /// Whether an object is one of those that the part leaves out.
    fn excludes(&self, object: Object<'_>) -> bool {
        let found = match self {
            Self::Label(one, _) if one.excludes() => object.label(one.key()),
            Self::Annotation(one, _) if one.excludes() => object.annotation(one.key()),
            _ => return false,
        };
        match self {
            Self::Label(_, Some(value)) | Self::Annotation(_, Some(value)) => {
                found.is_some_and(|found| found == *value)
            }
            _ => found.is_some(),
        }
    }

    fn meets_container(&self, container: &Container<'_>) -> bool {
        match self {
            Self::Container(pattern) => !pattern.starts_with('!') && matches(pattern, &container.name),
            Self::Type(kind) => *kind == container.kind,
            _ => false,
        }
    }

    fn excludes_container(&self, container: &Container<'_>) -> bool {
        let Self::Container(pattern) = self else { return false };
        pattern
            .strip_prefix('!')
            .is_some_and(|pattern| matches(pattern, &container.name))
    }

    /// Whether there is such a thing at all.
    fn is_among(&self, candidates: &Candidates) -> bool {
        let any = |of: &BTreeSet<String>, pattern: &str| of.iter().any(|one| matches(pattern, one));
        let pair = |of: &BTreeSet<(String, String)>, key: &str, value: &Option<&str>| {
            of.iter()
                .any(|(name, text)| name == key && value.is_none_or(|value| value == text))
        };
        match self {
            Self::Kind(kind) => candidates.kinds_like(kind).contains(*kind),
            Self::Name(pattern) => any(&candidates.names, pattern),
            Self::Namespace(pattern) => any(&candidates.namespaces, pattern),
            Self::Label(one, value) => pair(&candidates.labels, one.key(), value),
            Self::Annotation(one, value) => pair(&candidates.annotations, one.key(), value),
            Self::Container(pattern) => any(&candidates.containers, pattern.trim_start_matches('!')),
            Self::Type(_) => true,
        }
    }

    /// Whether it is wrong that it has met nothing. What leaves out may do so in case: a sidecar that the cluster adds
    /// later, a label that some release has. It is wrong where it looks like a misspelt name of something that is there.
    fn must_match(&self, candidates: &Candidates) -> bool {
        let pairs = |of: &BTreeSet<(String, String)>, key: &str, value: &Option<&str>| {
            let keys = of.iter().map(|(name, _)| name.as_str());
            let values = of.iter().filter(|(name, _)| name == key).map(|(_, text)| text.as_str());
            match value {
                Some(value) if values.clone().next().is_some() => nearest(value, values).is_some(),
                _ => nearest(key, keys).is_some_and(|near| near != key),
            }
        };
        match self {
            Self::Label(one, value) if one.excludes() => pairs(&candidates.labels, one.key(), value),
            Self::Annotation(one, value) if one.excludes() => pairs(&candidates.annotations, one.key(), value),
            Self::Container(pattern) => pattern.strip_prefix('!').is_none_or(|name| {
                let names = candidates.containers.iter().map(String::as_str);
                !name.contains(['*', '?']) && nearest(name, names).is_some()
            }),
            _ => true,
        }
    }

    /// That there is none, and what there is; the field is left out where it is empty.
    fn unknown(&self, field: &str, candidates: &Candidates) -> String {
        let names = |of: &BTreeSet<String>, text: &str| suggestion(text, of.iter().map(String::as_str));
        let pairs = |of: &BTreeSet<(String, String)>, key: &str, value: &Option<&str>| {
            let of_key: Vec<&str> = of
                .iter()
                .filter(|(name, _)| name == key)
                .map(|(_, text)| text.as_str())
                .collect();
            match value {
                Some(value) if !of_key.is_empty() => suggestion(value, of_key),
                _ => suggestion(key, of.iter().map(|(name, _)| name.as_str())),
            }
        };
        let fix = match self {
            Self::Kind(kind) => names(candidates.kinds_like(kind), kind),
            Self::Name(name) => names(&candidates.names, name),
            Self::Namespace(name) => names(&candidates.namespaces, name),
            Self::Label(one, value) => pairs(&candidates.labels, one.key(), value),
            Self::Annotation(one, value) => pairs(&candidates.annotations, one.key(), value),
            Self::Container(name) => names(&candidates.containers, name.trim_start_matches('!')),
            Self::Type(_) => "there is none of that type".to_owned(),
        };
        let separator = if field.is_empty() { "" } else { ": " };
        format!("{field}{separator}{self} matches nothing ({fix})")
    }
}

impl std::fmt::Display for Part<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kind(text) | Self::Name(text) | Self::Namespace(text) | Self::Container(text) => {
                write!(f, "`{text}`")
            }
            Self::Label(one, Some(value)) | Self::Annotation(one, Some(value)) => write!(f, "`{}={value}`", one.key()),
            Self::Label(one, None) | Self::Annotation(one, None) => write!(f, "`{}`", one.key()),
            Self::Type(kind) => write!(f, "{kind:?}"),
        }
    }
}
