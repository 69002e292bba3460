//! Walks the schemas of CRDs for what looks like a pod, a container or an image.

use std::path::Path;

use super::super::fields::{Fields, ResourceFields};
use super::facts::{Facts, Found, Versions, What};
use crate::{Node, Stream};

/// Deeper schemas describe no pod.
const DEPTH: usize = 40;

/// Keys of a pod's specification below which nothing new is found.
const OF_PODS: [&str; 8] = [
    "affinity",
    "containers",
    "dnsConfig",
    "ephemeralContainers",
    "initContainers",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
];

/// Keys of a container below which nothing new is found.
const OF_CONTAINERS: [&str; 11] = [
    "env",
    "envFrom",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "volumeMounts",
    "volumes",
];

/// Keys that promise containers, and are opaque in some CRDs.
const PROMISES: [&str; 8] = [
    "inline",
    "job",
    "jobTemplate",
    "pipelineSpec",
    "podTemplate",
    "taskSpec",
    "template",
    "trialSpec",
];

/// What all CRDs in a folder say.
pub(super) fn derive(folder: &Path) -> Facts {
    let mut versions = Versions::new();
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder of CRDs can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml" || end == "yml"))
        .collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a CRD is text");
        // A chart's template is none.
        let Ok(stream) = Stream::parse(text) else { continue };
        for object in stream
            .objects()
            .filter(|object| object.kind() == "CustomResourceDefinition")
        {
            let text = |path: &[&str]| object.root().text_at(path).unwrap_or_default().into_owned();
            let (group, kind) = (text(&["spec", "group"]), text(&["spec", "names", "kind"]));
            let list = object
                .root()
                .at(&["spec", "versions"])
                .into_iter()
                .flat_map(Node::items);
            for version in list {
                let Some(schema) = version.at(&["schema", "openAPIV3Schema"]) else {
                    continue;
                };
                let mut found = Found::new();
                walk(schema, "", DEPTH, &mut found);
                let runs = |(what, _): &(What, String)| matches!(what, What::Pod | What::Container | What::Opaque);
                if found.keys().any(runs) {
                    let name = version.text_at(&["name"]).unwrap_or_default().into_owned();
                    let known = versions.entry((group.clone(), kind.clone(), name)).or_default();
                    for (place, fields) in found {
                        known
                            .entry(place)
                            .and_modify(|all| *all = add(*all, fields))
                            .or_insert(fields);
                    }
                }
            }
        }
    }
    Facts::of(versions)
}

fn walk(schema: Node<'_>, path: &str, depth: usize, found: &mut Found) {
    let Some(depth) = depth.checked_sub(1) else { return };
    let below = |key: &str| super::join(path, key);
    let mut skip: &[&str] = &[];
    let has = |key: &str| property(schema, key).is_some();
    let is_pod = property(schema, "containers").is_some_and(is_list);
    if is_pod {
        found.insert((What::Pod, path.to_owned()), Fields::FULL);
        skip = &OF_PODS;
    } else if let Some(fields) = container(schema) {
        found.insert((What::Container, path.to_owned()), fields);
        skip = &OF_CONTAINERS;
    } else if is_text(property(schema, "image")) && !has("pool") && !has("monitors") {
        found.insert((What::Image, below("image")), Fields::NONE);
    }
    if !is_pod && is_around(schema) {
        found.insert((What::Around, path.to_owned()), Fields::NONE);
    }
    for (key, value) in schema.at(&["properties"]).into_iter().flat_map(Node::entries) {
        let (key, value) = (key.text().unwrap_or_default(), value.resolve());
        if key == "status" || (path.is_empty() && key == "metadata") || skip.contains(&key.as_ref()) {
            continue;
        }
        let is_opaque = value.at(&["properties"]).is_none() && value.at(&["items"]).is_none();
        if is_opaque && PROMISES.contains(&key.as_ref()) && !is_text(Some(value)) {
            found.insert((What::Opaque, below(&key)), Fields::NONE);
        }
        walk(value, &below(&key), depth, found);
    }
    if let Some(items) = schema.at(&["items"]) {
        walk(items, &format!("{path}[*]"), depth, found);
    }
    if let Some(values) = schema.at(&["additionalProperties"]) {
        walk(values, &below("*"), depth, found);
    }
}

fn property<'a>(schema: Node<'a>, key: &str) -> Option<Node<'a>> {
    schema.at(&["properties", key])
}

fn is_list(schema: Node<'_>) -> bool {
    schema.text_at(&["type"]).is_some_and(|text| text == "array")
}

fn is_text(schema: Option<Node<'_>>) -> bool {
    schema
        .and_then(|schema| schema.text_at(&["type"]))
        .is_some_and(|text| text == "string")
}

/// The fields of what looks like a container.
fn container(schema: Node<'_>) -> Option<Fields> {
    let has = |key: &str| property(schema, key).is_some();
    let variables = property(schema, "env").is_some_and(|env| {
        let entry = |key: &str| env.at(&["items", "properties", key]).is_some();
        is_list(env) && entry("name") && (entry("value") || entry("valueFrom"))
    });
    let runs = is_text(property(schema, "image")) && (has("command") || has("args"));
    let requirements = ["resources", "computeResources", "resourcesPerNode"]
        .into_iter()
        .find(|key| property(schema, key).is_some_and(|one| property(one, "limits").is_some()));
    let resources = match requirements {
        Some(key) => Some(ResourceFields::Requirements(key)),
        None if has("coreRequest") => Some(ResourceFields::Spark),
        None => None,
    };
    // A claim has resources, too.
    let sized = resources.is_some() && !has("accessModes");
    (variables || runs || sized).then(|| Fields {
        image: is_text(property(schema, "image")),
        env: variables,
        env_from: property(schema, "envFrom").is_some_and(is_list),
        resources,
        security_context: has("securityContext"),
        probes: has("livenessProbe"),
    })
}

/// Whether it has fields that only pods have.
fn is_around(schema: Node<'_>) -> bool {
    let has = |key: &str| property(schema, key).is_some();
    let volumes = property(schema, "volumes").is_some_and(|volumes| {
        let of_items = volumes.at(&["items", "properties"]);
        // Some CRDs do not describe them.
        of_items.is_none_or(|volume| volume.at(&["emptyDir"]).is_some() || volume.at(&["hostPath"]).is_some())
    });
    has("hostNetwork") || volumes
}

fn add(one: Fields, other: Fields) -> Fields {
    Fields {
        image: one.image || other.image,
        env: one.env || other.env,
        env_from: one.env_from || other.env_from,
        resources: one.resources.or(other.resources),
        security_context: one.security_context || other.security_context,
        probes: one.probes || other.probes,
    }
}
