//! Workloads as the user describes them: in the words of servicebinding.io's ClusterWorkloadResourceMapping, or by their
//! pod templates.

use serde::Deserialize;

use super::path::{self, Step};
use super::places::Places;
use super::{Container, ContainerType, Fields};
use crate::{Error, Object};

/// A kind of workload and where its containers are, beside what is known of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// The group of its `apiVersion`; empty for the core group.
    #[serde(default)]
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// From the object to its pod templates, as JSONPath without conditions: `.spec.template`. Their containers, volumes
    /// and labels are then known.
    #[serde(default)]
    pub pod_templates: Vec<String>,
    /// Where containers are that stand in no pod template.
    #[serde(default)]
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

/// A mapping whose paths are understood.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) group: String,
    pub(super) kind: String,
    templates: Vec<Vec<Step>>,
    places: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    path: Vec<Step>,
    name: Vec<String>,
    env: Vec<String>,
}

impl Mapping {
    /// Reads one that stands at a place of the configuration, such as `spec.workloads[0]`.
    pub(super) fn read(place: &str, spec: &Spec) -> Result<Self, Error> {
        let steps = |field: String, text: &str, what: &str, example: &str| {
            path::parse(text).filter(|steps| !steps.is_empty()).ok_or_else(|| {
                Error::refused(
                    format!("{field}: {text:?} is no path to {what}"),
                    format!("write keys and `[*]`, as in `{example}`"),
                )
            })
        };
        let mut templates = Vec::with_capacity(spec.pod_templates.len());
        for (at, text) in spec.pod_templates.iter().enumerate() {
            let field = format!("{place}.podTemplates[{at}]");
            templates.push(steps(field, text, "pod templates", ".spec.template")?);
        }
        let mut places = Vec::with_capacity(spec.containers.len());
        for (at, one) in spec.containers.iter().enumerate() {
            let field = format!("{place}.containers[{at}]");
            places.push(Place {
                path: steps(
                    format!("{field}.path"),
                    &one.path,
                    "containers",
                    ".spec.template.spec.containers[*]",
                )?,
                name: fixed(&format!("{field}.name"), &one.name)?,
                env: fixed(&format!("{field}.env"), &one.env)?,
            });
        }
        if places.is_empty() && templates.is_empty() {
            return Err(Error::refused(
                format!("{place} names no place of containers"),
                "add one to `podTemplates`, such as `.spec.template`, or to `containers`: \
                 `{path: .spec.template.spec.containers[*]}`",
            ));
        }
        Ok(Self {
            group: spec.group.clone(),
            kind: spec.kind.clone(),
            templates,
            places,
        })
    }

    /// Whether it is about this object.
    pub(super) fn is_of(&self, object: Object<'_>) -> bool {
        object.kind() == self.kind && object.group() == self.group
    }

    /// Adds its places to those that are known already.
    pub(super) fn add_to<'a>(&self, places: &mut Places<'a>, object: Object<'a>) {
        for steps in &self.templates {
            let mut nodes = Vec::new();
            path::walk(object.root(), steps, "", &mut nodes);
            for (template, path) in nodes {
                places.add_template(template, &path);
            }
        }
        for place in &self.places {
            let mut nodes = Vec::new();
            path::walk(object.root(), &place.path, "", &mut nodes);
            let (key, above) = place.env.split_last().expect("a path has a step");
            let above: Vec<&str> = above.iter().map(String::as_str).collect();
            let name: Vec<&str> = place.name.iter().map(String::as_str).collect();
            for (node, path) in nodes {
                if places.containers.iter().any(|one| one.path == path) {
                    continue;
                }
                places.add(Container {
                    node,
                    name: node.text_at(&name).unwrap_or_default().into_owned(),
                    path,
                    kind: ContainerType::Container,
                    holder: if above.is_empty() { Some(node) } else { node.at(&above) },
                    key: key.clone().into(),
                    fields: Fields::FULL,
                });
            }
        }
        places.note_pods_around(object);
    }

    /// The first of its paths that leads nowhere in any of these objects: its field.
    pub(super) fn unused<'a>(&self, objects: &[Object<'a>]) -> Option<String> {
        let leads = |steps: &Vec<Step>| {
            objects.iter().any(|object| {
                let mut nodes = Vec::new();
                path::walk(object.root(), steps, "", &mut nodes);
                !nodes.is_empty()
            })
        };
        let template = self.templates.iter().position(|steps| !leads(steps));
        let place = self.places.iter().position(|place| !leads(&place.path));
        template
            .map(|at| format!(".podTemplates[{at}]"))
            .or_else(|| place.map(|at| format!(".containers[{at}].path")))
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
