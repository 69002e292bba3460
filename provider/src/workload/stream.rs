//! Rendered manifests, as `kustomize build` prints them: found by kind, namespace and name.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Deserialize;
use serde_json::Value;

use super::error::StreamError;
use super::manifest::{ConfigMapData, ContainerSpec, Metadata};
use super::reference::{Kind, Reference};
use super::secrets::{self, MadeSecret};

/// What an object without `metadata.namespace` is in.
const DEFAULT_NAMESPACE: &str = "default";
/// Says which container kubectl means when none is named.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The objects of one or more rendered files.
#[derive(Default)]
pub struct Stream {
    workloads: Vec<Workload>,
    config_maps: BTreeMap<Key, BTreeMap<String, String>>,
    secrets: BTreeMap<Key, BTreeMap<String, String>>,
    /// Secrets that controllers make from other objects.
    made_secrets: BTreeMap<Key, MadeSecret>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    namespace: String,
    name: String,
}

/// An object with a pod template.
pub struct Workload {
    reference: Reference,
    namespace: String,
    pub(super) template: Template,
}

pub(super) struct Template {
    pub(super) metadata: Metadata,
    pub(super) service_account: Option<String>,
    containers: Vec<Container>,
}

/// One container of a pod template.
pub struct Container {
    name: String,
    init: bool,
    pub(super) spec: ContainerSpec,
}

impl Stream {
    /// Adds the documents of one file. `file` is only for messages.
    pub fn read(&mut self, file: &str, text: &str) -> Result<(), StreamError> {
        // Limits guard a service against strangers; this is the user's own render, however large.
        // No snippet: a message must not show a line of a Secret.
        let options = serde_saphyr::options! {
            with_snippet: false,
            budget: serde_saphyr::budget! {
                max_events: usize::MAX,
                max_nodes: usize::MAX,
                max_documents: usize::MAX,
                max_total_scalar_bytes: usize::MAX,
            },
        };
        let documents: Vec<Value> =
            serde_saphyr::from_multiple_with_options(text, options).map_err(|error| StreamError::Syntax {
                file: file.to_owned(),
                reason: error.to_string(),
            })?;
        documents
            .into_iter()
            .filter(|document| !document.is_null())
            .try_for_each(|document| self.add(file, document))
    }

    fn add(&mut self, file: &str, mut object: Value) -> Result<(), StreamError> {
        let text = |field: &str| object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let fail = |object: String, reason: String| StreamError::Object {
            file: file.to_owned(),
            object,
            reason,
        };
        if api_version.is_empty() || kind.is_empty() {
            return Err(fail(
                "a document".to_owned(),
                "it has no `apiVersion` and `kind`".to_owned(),
            ));
        }
        if api_version == "v1" && kind == "List" {
            let items = object.get_mut("items").map(Value::take).unwrap_or_default();
            let items = Option::<Vec<Value>>::deserialize(items).map_err(|error| fail(kind, error.to_string()))?;
            return items
                .unwrap_or_default()
                .into_iter()
                .try_for_each(|item| self.add(file, item));
        }
        let metadata = metadata(&object).map_err(|reason| fail(kind.clone(), reason))?;
        let Some(name) = metadata.name else {
            return Ok(()); // `generateName`: nothing can refer to it
        };
        let key = Key {
            namespace: metadata.namespace.unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned()),
            name,
        };
        let title = format!("{kind} {}", key.name);
        let twice = |title| StreamError::Twice {
            file: file.to_owned(),
            object: title,
            namespace: key.namespace.clone(),
        };
        match (api_version.as_str(), kind.as_str()) {
            ("v1", "ConfigMap") => {
                let content =
                    ConfigMapData::deserialize(&object).map_err(|error| fail(title.clone(), error.to_string()))?;
                insert(&mut self.config_maps, key.clone(), content.data.unwrap_or_default()).map_err(|()| twice(title))
            }
            ("v1", "Secret") => {
                let content = secrets::content(&object).map_err(|reason| fail(title.clone(), reason))?;
                insert(&mut self.secrets, key.clone(), content).map_err(|()| twice(title))
            }
            _ => {
                if let Some(made) = secrets::made(&api_version, &kind, &key.name, &object) {
                    let name = made.name.clone();
                    self.made_secrets.insert(Key { name, ..key }, made);
                    return Ok(());
                }
                let Some(kind) = Kind::of_manifest(&api_version, &kind) else {
                    return Ok(());
                };
                let template = template(kind, &object).map_err(|reason| fail(title.clone(), reason))?;
                let reference = Reference {
                    kind,
                    name: key.name.clone(),
                };
                if self
                    .workloads
                    .iter()
                    .any(|other| other.reference == reference && other.namespace == key.namespace)
                {
                    return Err(twice(title));
                }
                self.workloads.push(Workload {
                    reference,
                    namespace: key.namespace,
                    template,
                });
                Ok(())
            }
        }
    }

    /// Finds a workload; without a namespace, in whichever it is, as long as that is only one.
    pub fn workload(&self, wanted: &Reference, namespace: Option<&str>) -> Result<&Workload, StreamError> {
        let found: Vec<&Workload> = self
            .workloads
            .iter()
            .filter(|workload| workload.reference == *wanted)
            .filter(|workload| namespace.is_none_or(|namespace| workload.namespace == namespace))
            .collect();
        match found.as_slice() {
            [one] => Ok(one),
            [] if self.workloads.is_empty() => Err(StreamError::NoWorkloads {
                wanted: wanted.to_string(),
            }),
            [] => Err(StreamError::NoWorkload {
                wanted: wanted.to_string(),
                place: namespace
                    .map(|namespace| format!(" in namespace `{namespace}`"))
                    .unwrap_or_default(),
                there: listed(self.workloads.iter().map(|workload| workload.reference.to_string())),
            }),
            several => Err(StreamError::Ambiguous {
                wanted: wanted.to_string(),
                namespaces: listed(several.iter().map(|workload| workload.namespace.clone())),
            }),
        }
    }

    pub(super) fn config_map(&self, namespace: &str, name: &str) -> Option<&BTreeMap<String, String>> {
        self.config_maps.get(&Key {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(super) fn made_secret(&self, namespace: &str, name: &str) -> Option<&MadeSecret> {
        self.made_secrets.get(&Key {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }

    pub(super) fn secret(&self, namespace: &str, name: &str) -> Option<&BTreeMap<String, String>> {
        self.secrets.get(&Key {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}

impl Workload {
    /// Kind and name, for messages.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// Where its ConfigMaps and Secrets are looked for; `default` when the manifest names none.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Finds a container or init container. Without a name: the one that the annotation
    /// `kubectl.kubernetes.io/default-container` names, or the only one that is no init container.
    pub fn container(&self, name: Option<&str>) -> Result<&Container, StreamError> {
        let containers = &self.template.containers;
        let annotated = || {
            self.template
                .metadata
                .annotations
                .as_ref()?
                .get(DEFAULT_CONTAINER)
                .map(String::as_str)
        };
        let there = || listed(containers.iter().map(|container| container.name.clone()));
        if let Some(wanted) = name.or_else(annotated) {
            return containers
                .iter()
                .find(|container| container.name == wanted)
                .ok_or_else(|| StreamError::NoContainer {
                    workload: self.reference.to_string(),
                    wanted: wanted.to_owned(),
                    there: there(),
                });
        }
        let mut main = containers.iter().filter(|container| !container.init);
        match (main.next(), main.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(StreamError::WhichContainer {
                workload: self.reference.to_string(),
                there: there(),
            }),
        }
    }
}

impl Container {
    /// As the pod template names it.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        "none is there".to_owned()
    } else {
        names.join(", ")
    }
}

fn insert<V>(map: &mut BTreeMap<Key, V>, key: Key, value: V) -> Result<(), ()> {
    match map.entry(key) {
        Entry::Occupied(_) => Err(()),
        Entry::Vacant(place) => {
            place.insert(value);
            Ok(())
        }
    }
}

fn metadata(object: &Value) -> Result<Metadata, String> {
    let metadata = object.get("metadata").filter(|metadata| !metadata.is_null());
    metadata.map_or_else(
        || Ok(Metadata::default()),
        |it| Metadata::deserialize(it).map_err(|e| format!("metadata: {e}")),
    )
}

fn template(kind: &Kind, object: &Value) -> Result<Template, String> {
    let path = kind.template.join(".");
    let template = kind
        .template
        .iter()
        .try_fold(object, |value, field| value.get(field))
        .ok_or_else(|| format!("it has no `{path}`"))?;
    let spec = template
        .get("spec")
        .ok_or_else(|| "its pod template has no `spec`".to_owned())?;
    let mut containers = Vec::new();
    for (field, init) in [("containers", false), ("initContainers", true)] {
        let Some(list) = spec.get(field).filter(|list| !list.is_null()) else {
            continue;
        };
        for (index, value) in list
            .as_array()
            .ok_or_else(|| format!("`{field}` is not a list"))?
            .iter()
            .enumerate()
        {
            let name = value
                .get("name")
                .and_then(Value::as_str)
                .ok_or_else(|| format!("{field}[{index}] has no name"))?;
            let spec = ContainerSpec::deserialize(value).map_err(|error| format!("container {name}: {error}"))?;
            containers.push(Container {
                name: name.to_owned(),
                init,
                spec,
            });
        }
    }
    let service_account = spec
        .get("serviceAccountName")
        .and_then(Value::as_str)
        .map(str::to_owned);
    Ok(Template {
        metadata: metadata(template)?,
        service_account,
        containers,
    })
}
