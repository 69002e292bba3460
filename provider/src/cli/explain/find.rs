//! The workload that the command line names, and its containers.

use std::collections::BTreeSet;

use krm_fn::workload;
use krm_fn::{Node, NodeKind, Object, Stream};

use crate::workload::aliases;

/// What an object without `metadata.namespace` is in.
const DEFAULT_NAMESPACE: &str = "default";

/// The short names that the custom resources of well-known projects bring to kubectl.
const SHORT_NAMES: &[(&str, &[&str])] = &[
    ("ClusterWorkflowTemplate", &["clusterwftmpl", "cwft"]),
    ("CronWorkflow", &["cwf", "cronwf"]),
    ("InferenceService", &["isvc"]),
    ("LeaderWorkerSet", &["lws"]),
    ("PipelineRun", &["pr", "prs"]),
    ("Rollout", &["ro"]),
    ("ScheduledSparkApplication", &["scheduledsparkapp"]),
    ("Service", &["ksvc", "kservice"]),
    ("SparkApplication", &["sparkapp"]),
    ("TaskRun", &["tr", "trs"]),
    ("Workflow", &["wf"]),
    ("WorkflowTemplate", &["wftmpl"]),
];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FindError {
    #[error("{wanted} not found among these manifests. To fix: name one of {there}")]
    NotFound { wanted: String, there: String },
    #[error(
        "{wanted} not found: these manifests hold no workload. To fix: give rendered manifests that have one \
         (mlplat render OVERLAY | mlplat explain {wanted})"
    )]
    Empty { wanted: String },
    #[error("{wanted} exists in several namespaces: {namespaces}. To fix: choose one by --namespace")]
    Namespaces { wanted: String, namespaces: String },
    #[error("{wanted} exists in several API groups. To fix: name one of {there}")]
    Groups { wanted: String, there: String },
    #[error("{wanted} is defined {times} times in namespace {namespace}. To fix: keep one of them in what is read")]
    Repeated {
        wanted: String,
        times: usize,
        namespace: String,
    },
}

/// A container, of whatever kind the object is.
pub(super) struct Container<'a> {
    pub(super) node: Node<'a>,
    /// Empty where it has none.
    pub(super) name: String,
    pub(super) path: String,
}

/// The one workload of this kind and name.
pub(super) fn workload<'a>(stream: &'a Stream, wanted: &str, namespace: Option<&str>) -> Result<Object<'a>, FindError> {
    let (kind, name) = wanted.split_once('/').unwrap_or(("", wanted));
    let workloads: Vec<Object<'_>> = stream
        .objects()
        .filter(|object| !containers(*object).is_empty())
        .collect();
    let meant: Vec<Object<'_>> = workloads
        .iter()
        .filter(|object| is_of_kind(**object, kind) && object.name() == name)
        .filter(|object| namespace.is_none_or(|namespace| namespace_of(**object) == namespace))
        .copied()
        .collect();
    let wanted = wanted.to_owned();
    let (first, others) = match meant.as_slice() {
        [one] => return Ok(*one),
        [first, others @ ..] => (*first, others),
        [] if workloads.is_empty() => return Err(FindError::Empty { wanted }),
        [] => {
            let there = workloads
                .iter()
                .map(|object| format!("{}/{}", object.kind().to_lowercase(), object.name()));
            return Err(FindError::NotFound {
                wanted,
                there: joined(there),
            });
        }
    };
    Err(if others.iter().any(|one| namespace_of(*one) != namespace_of(first)) {
        FindError::Namespaces {
            wanted,
            namespaces: joined(meant.iter().map(|one| namespace_of(*one))),
        }
    } else if others.iter().any(|one| one.group() != first.group()) {
        FindError::Groups {
            wanted,
            there: joined(meant.iter().map(|one| with_group(*one))),
        }
    } else {
        FindError::Repeated {
            wanted,
            times: meant.len(),
            namespace: namespace_of(first),
        }
    })
}

fn namespace_of(object: Object<'_>) -> String {
    object.namespace().unwrap_or(DEFAULT_NAMESPACE.into()).into_owned()
}

/// `deployment.apps/backend`; of the core group, `pod/backend`.
fn with_group(object: Object<'_>) -> String {
    let (kind, group, name) = (object.kind().to_lowercase(), object.group(), object.name());
    if group.is_empty() {
        format!("{kind}/{name}")
    } else {
        format!("{kind}.{group}/{name}")
    }
}

fn joined(names: impl Iterator<Item = String>) -> String {
    names
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether a word names the object's kind as kubectl takes it: in any case, in the plural, by a short name, and with the
/// group (`deployments.apps`) or version and group (`deployments.v1.apps`) behind it.
fn is_of_kind(object: Object<'_>, word: &str) -> bool {
    let word = word.to_lowercase();
    let (plain, of) = word.split_once('.').unwrap_or((&word, ""));
    let kind = object.kind().to_lowercase();
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    };
    let short = |names: &[&str]| names.contains(&plain);
    let is_kind = plain == kind
        || plain == plural
        || short(aliases(&object.kind()))
        || SHORT_NAMES
            .iter()
            .any(|(kind, names)| object.kind() == *kind && short(names));
    let group = object.group();
    is_kind
        && (of.is_empty()
            || of == group
            || of
                .split_once('.')
                .is_some_and(|(version, of)| of == group && object.api_version().ends_with(&format!("/{version}"))))
}

/// Every container of the object. Of a kind that is not known, what stands in lists of that name.
pub(super) fn containers(object: Object<'_>) -> Vec<Container<'_>> {
    let mut found: Vec<Container<'_>> = workload::containers(object)
        .into_iter()
        .map(|container| Container {
            node: container.node.resolve(),
            name: container.name,
            path: container.path,
        })
        .collect();
    if found.is_empty() {
        search(object.root(), "", &mut found);
    }
    found
}

fn search<'a>(node: Node<'a>, path: &str, found: &mut Vec<Container<'a>>) {
    let node = node.resolve();
    for (at, item) in node.items().enumerate() {
        search(item, &format!("{path}[{at}]"), found);
    }
    for (key, value) in node.entries() {
        let key = key.text().unwrap_or_default();
        let path = if path.is_empty() {
            key.to_string()
        } else {
            format!("{path}.{key}")
        };
        if !matches!(&*key, "containers" | "initContainers") || value.resolve().kind() != NodeKind::Seq {
            search(value, &path, found);
            continue;
        }
        for (at, item) in value.resolve().items().enumerate() {
            let node = item.resolve();
            if let Some(name) = node.text_at(&["name"]) {
                found.push(Container {
                    node,
                    name: name.into_owned(),
                    path: format!("{path}[{at}]"),
                });
            }
        }
    }
}
