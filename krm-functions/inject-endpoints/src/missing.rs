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
    /// Its name so far, where kustomize has changed it or is going to: a hash comes last.
    renamed: Option<String>,
}

/// Annotations by which kustomize knows what gets a hash at the end of its name.
const NEEDS_HASH: [(&str, &str); 2] = [
    ("internal.config.kubernetes.io/needsHashSuffix", "enabled"),
    ("kustomize.config.k8s.io/needs-hash", "true"),
];

/// Kinds in which kustomize changes references to Secrets and ConfigMaps, whatever their group (`nameReference` of
/// kustomize's `builtinpluginconsts`).
#[rustfmt::skip]
const FOLLOWED: [&str; 8] = [
    "Pod", "PodTemplate", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob",
];

/// Workloads whose references kustomize leaves alone, by namespace.
#[derive(Debug, Default)]
pub(crate) struct Unfollowed(BTreeMap<Option<String>, BTreeMap<String, String>>);

impl Unfollowed {
    /// Notes a workload; of each kind the first is named.
    pub(crate) fn note(&mut self, object: Object<'_>) {
        if !FOLLOWED.contains(&object.kind().as_ref()) {
            let namespace = object.namespace().map(std::borrow::Cow::into_owned);
            let kinds = self.0.entry(namespace).or_default();
            kinds
                .entry(object.kind().into_owned())
                .or_insert_with(|| object.to_string());
        }
    }
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
            let is_hashed = NEEDS_HASH
                .iter()
                .any(|(annotation, value)| object.annotation(annotation).is_some_and(|found| found == *value));
            let previous = object.annotation("internal.config.kubernetes.io/previousNames");
            let is_renamed = previous
                .as_ref()
                .is_some_and(|names| names.split(',').any(|one| one != object.name()));
            let source = || Source {
                renamed: (is_hashed || is_renamed).then(|| object.name().into_owned()),
                namespace: object.namespace().map(std::borrow::Cow::into_owned),
                keys: keys.clone(),
            };
            let previous = previous.iter().flat_map(|names| names.split(','));
            let names: BTreeSet<String> = previous.map(str::to_owned).chain([name.into_owned()]).collect();
            for name in names {
                known.0.entry((kind, name)).or_default().push(source());
            }
        }
        known
    }

    /// Notes the workloads whose references would not follow the name that kustomize gives what they refer to.
    pub(crate) fn check_names<'r>(
        &self,
        policy: OnMissingRef,
        workloads: &Unfollowed,
        references: impl Iterator<Item = &'r Reference> + Clone,
    ) -> Vec<Finding> {
        let severity = match policy {
            OnMissingRef::Error => Severity::Error,
            OnMissingRef::Auto | OnMissingRef::Warn => Severity::Warning,
            OnMissingRef::Ignore => return Vec::new(),
        };
        let mut found = BTreeSet::new();
        for (namespace, kinds) in &workloads.0 {
            for Reference { kind, name, .. } in references.clone() {
                let near = |source: &&Source| match (source.namespace.as_deref(), namespace.as_deref()) {
                    (Some(there), Some(here)) => there == here,
                    _ => true,
                };
                let sources = self.0.get(&(*kind, name.clone())).into_iter().flatten();
                if sources.filter(near).all(|source| source.renamed.is_none()) {
                    continue;
                }
                let objects: Vec<&str> = kinds.values().map(String::as_str).collect();
                let kinds: Vec<&str> = kinds.keys().map(String::as_str).collect();
                found.insert(format!(
                    "kustomize gives {kind} {name} another name (a hash, prefix or suffix) and does not by itself change \
                     references to it in kind {} ({}): the pods would not start. To fix: list the fields of these kinds under \
                     `nameReference` in a file of the kustomization's `configurations:`, as the guide of inject-endpoints \
                     shows, and then set `spec.onMissingRef: Ignore`; or set `disableNameSuffixHash: true` for the generator",
                    kinds.join(", "),
                    objects.join(", ")
                ));
            }
        }
        found
            .into_iter()
            .map(|message| Finding::new(severity, message))
            .collect()
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
