//! What CRDs say of places, as text: a line for each kind, and one for each place below it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::fields::{Fields, ResourceFields};
use super::words;

/// What a place is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A mapping with a list of containers.
    Pod,
    /// A mapping with a list of variables, or with an image and a command.
    Container,
    /// A bare image.
    Image,
    /// A mapping with fields of a pod, but without containers.
    Around,
    /// What the CRD does not describe, under a key that promises containers.
    Opaque,
}

const WORDS: [(What, &str); 5] = [
    (What::Pod, "pod"),
    (What::Container, "container"),
    (What::Image, "image"),
    (What::Around, "around"),
    (What::Opaque, "opaque"),
];

/// One place of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    pub(super) what: What,
    pub(super) path: String,
    /// Of a container.
    pub(super) fields: Fields,
}

/// A kind in some of its versions, which say the same.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) versions: BTreeSet<String>,
    pub(super) facts: Vec<Fact>,
}

/// The places of one version.
pub(super) type Found = BTreeMap<(What, String), Fields>;

/// By group, kind and version.
pub(super) type Versions = BTreeMap<(String, String, String), Found>;

/// All kinds.
#[derive(Debug, Default)]
pub(super) struct Facts(Vec<Kind>);

impl Facts {
    pub(super) fn read(text: &str) -> Self {
        let mut kinds: Vec<Kind> = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut words = line.split_whitespace();
            let mut next = || words.next().expect("a line has its words").to_owned();
            if !line.starts_with(' ') {
                kinds.push(Kind {
                    group: next(),
                    kind: next(),
                    versions: words.map(str::to_owned).collect(),
                    facts: Vec::new(),
                });
                continue;
            }
            let (what, path) = (next(), next());
            let what = WORDS.iter().find(|(_, word)| *word == what).expect("a known word").0;
            let fields = fields(words);
            let kind = kinds.last_mut().expect("a kind stands before its places");
            kind.facts.push(Fact { what, path, fields });
        }
        Self(kinds)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.0.iter()
    }

    /// Adds what a CRD says of one version; what another says of the same adds up.
    pub(super) fn of(versions: Versions) -> Self {
        let mut kinds: Vec<Kind> = Vec::new();
        for ((group, kind, version), found) in versions {
            let facts: Vec<Fact> = found
                .into_iter()
                .map(|((what, path), fields)| Fact { what, path, fields })
                .collect();
            let same = |one: &&mut Kind| one.group == group && one.kind == kind && one.facts == facts;
            match kinds.iter_mut().find(same) {
                Some(known) => drop(known.versions.insert(version)),
                None => kinds.push(Kind {
                    group,
                    kind,
                    versions: BTreeSet::from([version]),
                    facts,
                }),
            }
        }
        Self(kinds)
    }
}

fn fields<'a>(words: impl Iterator<Item = &'a str>) -> Fields {
    let mut fields = Fields::NONE;
    for word in words {
        match word {
            "image" => fields.image = true,
            "env" => fields.env = true,
            "envFrom" => fields.env_from = true,
            "securityContext" => fields.security_context = true,
            "probes" => fields.probes = true,
            "coreRequest" => fields.resources = Some(ResourceFields::Spark),
            "resources" => fields.resources = Some(ResourceFields::Requirements("resources")),
            "computeResources" => fields.resources = Some(ResourceFields::Requirements("computeResources")),
            "resourcesPerNode" => fields.resources = Some(ResourceFields::Requirements("resourcesPerNode")),
            other => panic!("{other} is no field"),
        }
    }
    fields
}

impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Where published CRDs have containers: written by `CRDS=folder UPDATE=1 cargo test -p krm-fn crds`."
        )?;
        for kind in &self.0 {
            let versions: Vec<&str> = kind.versions.iter().map(String::as_str).collect();
            writeln!(f, "{} {} {}", kind.group, kind.kind, versions.join(" "))?;
            for fact in &kind.facts {
                let word = WORDS
                    .iter()
                    .find(|(what, _)| *what == fact.what)
                    .map_or("", |(_, word)| word);
                let fields = if fact.what == What::Container {
                    words(fact.fields)
                } else {
                    Vec::new()
                };
                let fields: String = fields.iter().map(|word| format!(" {word}")).collect();
                writeln!(f, "  {word} {}{fields}", fact.path)?;
            }
        }
        Ok(())
    }
}
