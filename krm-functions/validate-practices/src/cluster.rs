//! What the rules look at: the objects to check, the workloads among them, and everything around them.

use krm_fn::workload::{self, Container};
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

/// An object that runs pods.
#[derive(Debug)]
pub(crate) struct Workload<'a> {
    pub(crate) subject: Subject<'a>,
    /// The path to the pod's specification.
    pub(crate) path: &'static [&'static str],
    /// The pod's specification.
    pub(crate) spec: Node<'a>,
    /// The pod's labels.
    pub(crate) labels: Labels,
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
            workloads: subjects.iter().filter_map(|&subject| Workload::of(subject)).collect(),
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
    fn of(subject: Subject<'a>) -> Option<Self> {
        let object = subject.object;
        let path = workload::pod_spec(object)?;
        let template = object.root().at(&path[..path.len() - 1])?;
        Some(Self {
            spec: template.at(&["spec"])?,
            labels: labels::labels(template.at(&["metadata", "labels"])),
            containers: workload::containers(object, path).collect(),
            subject,
            path,
        })
    }

    pub(crate) fn namespace(&self) -> String {
        namespace(self.subject.object)
    }

    /// Whether the pods are meant to end.
    fn ends(&self) -> bool {
        let restarts = || self.spec.text_at(&["restartPolicy"]);
        match self.subject.object.kind().as_ref() {
            "Job" | "CronJob" => true,
            "Pod" | "PodTemplate" => restarts().is_some_and(|policy| policy != "Always"),
            _ => false,
        }
    }

    /// The containers that go on running as long as nobody stops them: native sidecars too, but nothing of a job.
    pub(crate) fn long_running(&self) -> impl Iterator<Item = &Container<'a>> {
        let stays = |container: &&Container<'a>| {
            !is_init(container)
                || container
                    .node
                    .text_at(&["restartPolicy"])
                    .is_some_and(|policy| policy == "Always")
        };
        let none = self.ends();
        self.containers
            .iter()
            .filter(move |container| !none && stays(container))
    }
}

fn is_init(container: &Container<'_>) -> bool {
    container.path.contains(".initContainers[")
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
