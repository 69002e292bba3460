//! Whether the Secrets and ConfigMaps that are referred to are there.

use std::collections::{BTreeMap, BTreeSet};

use krm_fn::{Finding, Node, Object, Severity};

use crate::config::OnMissingRef;
use crate::variables::Reference;

/// The Secrets and ConfigMaps of the stream, by kind and name.
#[derive(Debug, Default)]
pub(crate) struct Known(BTreeMap<(&'static str, String), Vec<Source>>);

#[derive(Debug)]
struct Source {
    namespace: Option<String>,
    /// `None` where a controller fills it.
    keys: Option<BTreeSet<String>>,
}

impl Known {
    /// Those among the objects.
    pub(crate) fn among<'a>(objects: impl Iterator<Item = Object<'a>>) -> Self {
        let mut known = Self::default();
        for object in objects {
            let (kind, name, keys) = match (object.kind().as_ref(), object.group().as_ref()) {
                ("ConfigMap", "") => ("ConfigMap", None, Some(keys(object, &["data", "binaryData"]))),
                ("Secret", "") => ("Secret", None, Some(keys(object, &["data", "stringData"]))),
                ("ExternalSecret", "external-secrets.io") => {
                    ("Secret", object.root().text_at(&["spec", "target", "name"]), None)
                }
                ("SealedSecret", "bitnami.com") => ("Secret", None, None),
                _ => continue,
            };
            let name = name.filter(|name| !name.is_empty()).unwrap_or_else(|| object.name());
            let source = || Source {
                namespace: object.namespace().map(std::borrow::Cow::into_owned),
                keys: keys.clone(),
            };
            let previous = object.annotation("internal.config.kubernetes.io/previousNames");
            let previous = previous.iter().flat_map(|names| names.split(','));
            let names: BTreeSet<String> = previous.map(str::to_owned).chain([name.into_owned()]).collect();
            for name in names {
                known.0.entry((kind, name)).or_default().push(source());
            }
        }
        known
    }

    /// What is wrong with a reference from a namespace; a namespace that is left to the client may be any.
    fn problem(&self, namespace: Option<&str>, reference: &Reference) -> Option<(bool, String)> {
        let Reference { kind, name, key, .. } = reference;
        let near = |source: &&Source| match (source.namespace.as_deref(), namespace) {
            (Some(there), Some(here)) => there == here,
            _ => true,
        };
        let sources = self.0.get(&(*kind, name.clone()));
        let mut found = sources.into_iter().flatten().filter(near).peekable();
        if found.peek().is_none() {
            return Some((false, format!("{kind} {name} is not in the stream")));
        }
        let key = key.as_ref()?;
        let has_key = |source: &Source| source.keys.as_ref().is_none_or(|keys| keys.contains(key));
        (!found.any(has_key)).then(|| (true, format!("{kind} {name} has no key {key:?}")))
    }

    /// Notes what is missing for the workloads of these namespaces.
    pub(crate) fn check<'r>(
        &self,
        policy: OnMissingRef,
        namespaces: &BTreeSet<Option<String>>,
        references: impl Iterator<Item = (&'r str, &'r Reference)> + Clone,
    ) -> Vec<Finding> {
        let mut found = Vec::new();
        for namespace in namespaces {
            for (who, reference) in references.clone().filter(|(_, reference)| !reference.optional) {
                let Some((certain, problem)) = self.problem(namespace.as_deref(), reference) else {
                    continue;
                };
                let severity = match policy {
                    OnMissingRef::Error => Severity::Error,
                    OnMissingRef::Warn => Severity::Warning,
                    OnMissingRef::Auto if certain => Severity::Error,
                    OnMissingRef::Auto | OnMissingRef::Ignore => continue,
                };
                let place = match namespace {
                    Some(namespace) => format!(" (namespace {namespace})"),
                    None => String::new(),
                };
                let message = format!(
                    "{who}: {problem}{place}, so the pods do not start. To fix: add it to the stream, give it by `--with \
                     FILE`, or set `spec.onMissingRef: Ignore` where it is made later"
                );
                found.push(Finding::new(severity, message));
            }
        }
        found
    }
}

fn keys(object: Object<'_>, fields: &[&str]) -> BTreeSet<String> {
    let data = fields.iter().filter_map(|field| object.root().at(&[field]));
    data.flat_map(Node::entries)
        .filter_map(|(key, _)| key.text().map(std::borrow::Cow::into_owned))
        .collect()
}
