//! Workloads that the table does not know, as the user describes them: in the words of servicebinding.io's
//! ClusterWorkloadResourceMapping.

use serde::Deserialize;

use super::path::{self, Step};
use super::{Container, ContainerType};
use crate::{Error, Object};

/// A kind of workload and where its containers are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The group of its `apiVersion`; empty for the core group.
    #[serde(default)]
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Where its containers are.
    pub containers: Vec<ContainerPath>,
}

/// One place of containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerPath {
    /// From the object to the containers, as JSONPath without conditions: `.spec.workers[*].container`.
    pub path: String,
    /// From a container to its name.
    #[serde(default = "name")]
    pub name: String,
    /// From a container to its list of variables.
    #[serde(default = "env")]
    pub env: String,
}

fn name() -> String {
    ".name".to_owned()
}

fn env() -> String {
    ".env".to_owned()
}

/// Mappings whose paths are understood.
#[derive(Debug, Default)]
pub struct Mappings(Vec<Mapping>);

#[derive(Debug)]
struct Mapping {
    group: String,
    kind: String,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    path: Vec<Step>,
    name: Vec<String>,
    env: Vec<String>,
}

impl Mappings {
    /// Reads the mappings at a place of the configuration, such as `spec.workloads`.
    ///
    /// # Errors
    /// For a path that is none; the error names its place.
    pub fn read(place: &str, specs: &[Spec]) -> Result<Self, Error> {
        let mut mappings = Vec::with_capacity(specs.len());
        for (at, spec) in specs.iter().enumerate() {
            let mut places = Vec::with_capacity(spec.containers.len());
            for (inner, one) in spec.containers.iter().enumerate() {
                let place = format!("{place}[{at}].containers[{inner}]");
                let path = path::parse(&one.path)
                    .filter(|steps| !steps.is_empty())
                    .ok_or_else(|| {
                        Error::refused(
                            format!("{place}.path: {:?} is no path to containers", one.path),
                            "write keys and `[*]`, as in `.spec.template.spec.containers[*]`",
                        )
                    })?;
                places.push(Place {
                    path,
                    name: fixed(&format!("{place}.name"), &one.name)?,
                    env: fixed(&format!("{place}.env"), &one.env)?,
                });
            }
            if places.is_empty() {
                return Err(Error::refused(
                    format!("{place}[{at}] names no place of containers"),
                    "add one to `containers`: `{path: .spec.template.spec.containers[*]}`",
                ));
            }
            mappings.push(Mapping {
                group: spec.group.clone(),
                kind: spec.kind.clone(),
                places,
            });
        }
        Ok(Self(mappings))
    }

    /// The containers of an object of a kind that is described here; `None` for any other.
    pub fn containers<'a>(&self, object: Object<'a>) -> Option<Vec<Container<'a>>> {
        let (kind, group) = (object.kind(), object.group());
        let mapping = self.0.iter().find(|one| one.kind == kind && one.group == group)?;
        let mut found = Vec::new();
        for place in &mapping.places {
            let mut nodes = Vec::new();
            path::walk(object.root(), &place.path, "", &mut nodes);
            let (key, above) = place.env.split_last().expect("a path has a step");
            let above: Vec<&str> = above.iter().map(String::as_str).collect();
            let name: Vec<&str> = place.name.iter().map(String::as_str).collect();
            for (node, path) in nodes {
                found.push(Container {
                    node,
                    name: node.text_at(&name).unwrap_or_default().into_owned(),
                    path,
                    kind: ContainerType::Container,
                    holder: if above.is_empty() { Some(node) } else { node.at(&above) },
                    key: key.clone().into(),
                });
            }
        }
        Some(found)
    }
}

/// The keys of a path to one place.
fn fixed(place: &str, text: &str) -> Result<Vec<String>, Error> {
    let keys: Option<Vec<String>> = path::parse(text).and_then(|steps| {
        let keys = steps.into_iter().map(|step| match step {
            Step::Key(key) => Some(key.into_owned()),
            Step::Every => None,
        });
        keys.collect()
    });
    keys.filter(|keys| !keys.is_empty()).ok_or_else(|| {
        Error::refused(
            format!("{place}: {text:?} names no single place"),
            "write keys alone, as in `.env`",
        )
    })
}
