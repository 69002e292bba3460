//! What the rules look at: the objects to check, the workloads among them, and everything around them.

use krm_fn::workload::{self, Container, ContainerType, Pod};
use krm_fn::{Context, Node, Object};

use crate::config::Config;
use crate::labels::{self, Labels};

/// An object to check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'a> {
    /// Its place in the stream, by which findings are sorted.
    pub(crate) number: usize,
    pub(crate) object: Object<'a>,
}

/// An object that runs pods; one of several kinds of pods is several workloads.
#[derive(Debug)]
pub(crate) struct Workload<'a> {
    pub(crate) subject: Subject<'a>,
    /// The path to the pod's specification.
    pub(crate) path: String,
    /// The pod's specification.
    pub(crate) spec: Node<'a>,
    /// The pod's labels; `None` where a controller decides on them.
    pub(crate) labels: Option<Labels>,
    /// Init containers first.
    pub(crate) containers: Vec<Container<'a>>,
}

/// All that is known of the cluster to be.
#[derive(Debug)]
pub(crate) struct Cluster<'a> {
    /// The objects to check. What is for tools only is none of them.
    pub(crate) subjects: Vec<Subject<'a>>,
    /// Those of them that run pods.
    pub(crate) workloads: Vec<Workload<'a>>,
    /// Containers that stand in no pod's specification, such as the steps of a Tekton Task.
    pub(crate) loose: Vec<(Subject<'a>, Container<'a>)>,
    /// The objects to check and those to read beside them.
    around: Vec<Object<'a>>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn of(context: &Context<'a, Config>) -> Self {
        let applied = |object: &Object<'_>| !object.is_local_config();
        let subjects: Vec<Subject<'a>> = (0..)
            .zip(context.stream.objects().filter(applied))
            .map(|(number, object)| Subject { number, object })
            .collect();
        Self {
            workloads: subjects.iter().flat_map(|&subject| Workload::all_of(subject)).collect(),
            loose: subjects.iter().flat_map(|&subject| loose(subject)).collect(),
            around: context.all_objects().filter(applied).collect(),
            subjects,
        }
    }

    /// The objects of a kind, those beside the stream included.
    pub(crate) fn all_of(&self, group: &str, kind: &str) -> impl Iterator<Item = Object<'a>> {
        self.around
            .iter()
            .copied()
            .filter(move |object| object.kind() == kind && object.group() == group)
    }
}

impl<'a> Workload<'a> {
    fn all_of(subject: Subject<'a>) -> Vec<Self> {
        let of = |pod: Pod<'a>| Self {
            subject,
            labels: pod
                .template
                .map(|template| labels::labels(template.at(&["metadata", "labels"]))),
            containers: pod.containers(),
            spec: pod.spec,
            path: pod.path,
        };
        workload::pods(subject.object).into_iter().map(of).collect()
    }

    pub(crate) fn namespace(&self) -> String {
        namespace(self.subject.object)
    }

    /// Whether the pods go on as long as nobody stops them, and nobody else gives them probes.
    fn stays(&self) -> bool {
        let restarts = || self.spec.text_at(&["restartPolicy"]);
        match self.subject.object.kind().as_ref() {
            "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Rollout" => true,
            "Pod" | "PodTemplate" => restarts().is_none_or(|policy| policy == "Always"),
            _ => false,
        }
    }

    /// The containers that go on running as long as nobody stops them: native sidecars too, but nothing of a job.
    pub(crate) fn long_running(&self) -> impl Iterator<Item = &Container<'a>> {
        let stays = self.stays();
        self.containers
            .iter()
            .filter(move |container| stays && container.kind != ContainerType::InitContainer)
    }
}

fn loose(subject: Subject<'_>) -> Vec<(Subject<'_>, Container<'_>)> {
    let pods = workload::pods(subject.object);
    let of_pod = |container: &Container<'_>| {
        let lists = pods.iter().flat_map(|pod| {
            let list = |list: &str| format!("{}.{list}[", pod.path);
            [list("containers"), list("initContainers")]
        });
        lists.into_iter().any(|list| container.path.starts_with(&list))
    };
    workload::containers(subject.object)
        .into_iter()
        .filter(|container| !of_pod(container))
        .map(|container| (subject, container))
        .collect()
}

/// The namespace that an object goes into; what names none goes where the others do that name none.
pub(crate) fn namespace(object: Object<'_>) -> String {
    object.namespace().unwrap_or("default".into()).into_owned()
}

/// Whether a field is there.
pub(crate) fn is_set(node: Option<Node<'_>>) -> bool {
    node.is_some_and(|node| !node.is_null())
}

/// Whether a field is the boolean `true`. What only some readers take for one, such as `yes`, is not.
pub(crate) fn says_true(node: Option<Node<'_>>) -> bool {
    says(node, "true")
}

/// Whether a field is the boolean `false`.
pub(crate) fn says_false(node: Option<Node<'_>>) -> bool {
    says(node, "false")
}

fn says(node: Option<Node<'_>>, word: &str) -> bool {
    node.is_some_and(|node| node.as_str().is_none() && node.text().is_some_and(|text| text.eq_ignore_ascii_case(word)))
}
