//! `deployment/backend`: how a workload is named on the command line.

use std::fmt;
use std::str::FromStr;

/// A kind whose objects hold a pod template.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind {
    /// As a manifest spells it.
    pub(super) name: &'static str,
    /// API group; empty for the core group.
    pub(super) group: &'static str,
    /// Further spellings that kubectl takes, in lower case.
    aliases: &'static [&'static str],
    /// Where the pod's `metadata` and `spec` stand in an object.
    pub(super) template: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Pod",
        group: "",
        aliases: &["pods", "po"],
        template: &[],
    },
    Kind {
        name: "PodTemplate",
        group: "",
        aliases: &["podtemplates"],
        template: &["template"],
    },
    Kind {
        name: "ReplicationController",
        group: "",
        aliases: &["replicationcontrollers", "rc"],
        template: TEMPLATE,
    },
    Kind {
        name: "Deployment",
        group: "apps",
        aliases: &["deployments", "deploy"],
        template: TEMPLATE,
    },
    Kind {
        name: "StatefulSet",
        group: "apps",
        aliases: &["statefulsets", "sts"],
        template: TEMPLATE,
    },
    Kind {
        name: "DaemonSet",
        group: "apps",
        aliases: &["daemonsets", "ds"],
        template: TEMPLATE,
    },
    Kind {
        name: "ReplicaSet",
        group: "apps",
        aliases: &["replicasets", "rs"],
        template: TEMPLATE,
    },
    Kind {
        name: "Job",
        group: "batch",
        aliases: &["jobs"],
        template: TEMPLATE,
    },
    Kind {
        name: "CronJob",
        group: "batch",
        aliases: &["cronjobs", "cj"],
        template: &["spec", "jobTemplate", "spec", "template"],
    },
];
const TEMPLATE: &[&str] = &["spec", "template"];

impl Kind {
    /// `None` when objects of that kind hold no pod template, or are not Kubernetes' own.
    pub(super) fn of_manifest(api_version: &str, kind: &str) -> Option<&'static Self> {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        KINDS.iter().find(|known| known.name == kind && known.group == group)
    }
}

/// The further spellings of a kind that kubectl takes, in lower case; none for a kind that is not Kubernetes' own.
pub fn aliases(kind: &str) -> &'static [&'static str] {
    let known = KINDS.iter().find(|known| known.name == kind);
    known.map_or(&[], |known| known.aliases)
}

/// A workload by kind and name. Parses from `kind/name`, the kind in any spelling that kubectl takes for Kubernetes'
/// own kinds: `deployment`, `deployments`, `deploy`, `Deployment`, `deployment.apps`.
#[derive(Clone, PartialEq, Eq)]
pub struct Reference {
    pub(super) kind: &'static Kind,
    pub(super) name: String,
}

/// Why a text does not name a workload.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// There is no `/`, or nothing on one of its sides.
    #[error("a workload is named by kind and name. To fix: write it as `deployment/backend`")]
    Shape,
    /// The kind is unknown, or its objects run no containers.
    #[error("objects of kind `{0}` hold no pod template that is known. To fix: use one of {known}", known = known())]
    Kind(String),
}

fn known() -> String {
    KINDS
        .iter()
        .map(|kind| kind.name.to_ascii_lowercase())
        .collect::<Vec<_>>()
        .join(", ")
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (word, name) = text.split_once('/').ok_or(ReferenceError::Shape)?;
        if word.is_empty() || name.is_empty() || name.contains('/') {
            return Err(ReferenceError::Shape);
        }
        let lower = word.to_ascii_lowercase();
        let (plain, group) = lower
            .split_once('.')
            .map_or((lower.as_str(), None), |(kind, group)| (kind, Some(group)));
        let kind = KINDS
            .iter()
            .filter(|kind| group.is_none_or(|group| kind.group == group))
            .find(|kind| kind.name.eq_ignore_ascii_case(plain) || kind.aliases.contains(&plain))
            .ok_or_else(|| ReferenceError::Kind(word.to_owned()))?;
        Ok(Self {
            kind,
            name: name.to_owned(),
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.name.to_ascii_lowercase(), self.name)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{Reference, ReferenceError};

    #[test]
    fn a_kind_is_taken_in_every_spelling_of_kubectl() {
        for text in [
            "deployment/a",
            "Deployment/a",
            "deployments/a",
            "deploy/a",
            "deployment.apps/a",
            "deploy.apps/a",
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), "deployment/a", "{text}");
        }
        assert_eq!("cj/a".parse::<Reference>().unwrap().to_string(), "cronjob/a");
        assert_eq!("po/a".parse::<Reference>().unwrap().to_string(), "pod/a");
    }

    #[test]
    fn what_names_no_workload_is_refused_with_the_fix() {
        for text in ["backend", "/backend", "deployment/", "deployment/a/b", ""] {
            assert_eq!(text.parse::<Reference>(), Err(ReferenceError::Shape), "{text}");
        }
        assert_eq!(
            "service/backend".parse::<Reference>().unwrap_err().to_string(),
            "objects of kind `service` hold no pod template that is known. To fix: use one of pod, podtemplate, \
             replicationcontroller, deployment, statefulset, daemonset, replicaset, job, cronjob"
        );
        assert!("deployment.batch/a".parse::<Reference>().is_err());
    }
}
