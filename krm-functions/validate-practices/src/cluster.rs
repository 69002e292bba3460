//! What the rules look at: the objects to check, the workloads among them, and everything around them.

use krm_fn::workload::{Around, Container, ContainerType, Image, Kinds, Places, Pod};
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

/// A container, and what holds for it where it does not say otherwise.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) subject: Subject<'a>,
    pub(crate) container: Container<'a>,
    /// The nearest first.
    pub(crate) around: Vec<Around<'a>>,
    /// Whether a pod's specification lists it.
    pub(crate) in_pod: bool,
    /// Whether it runs, or only gives others their fields, as a step template does.
    pub(crate) runs: bool,
}

/// All that is known of the cluster to be.
#[derive(Debug)]
pub(crate) struct Cluster<'a> {
    /// The objects to check. What is for tools only is none of them.
    pub(crate) subjects: Vec<Subject<'a>>,
    /// Those of them that run pods.
    pub(crate) workloads: Vec<Workload<'a>>,
    /// Every container, whether it stands in a pod's specification or not, as the steps of a Tekton Task do not.
    pub(crate) places: Vec<Place<'a>>,
    /// Everything that holds for containers around it: the pods' specifications, and what stands for one.
    pub(crate) around: Vec<(Subject<'a>, Around<'a>)>,
    /// Images that stand in no container.
    pub(crate) images: Vec<(Subject<'a>, Image<'a>)>,
    /// The objects to check and those to read beside them.
    all: Vec<Object<'a>>,
}

impl<'a> Cluster<'a> {
    pub(crate) fn of(context: &Context<'a, Config>, kinds: &Kinds) -> Self {
        let applied = |object: &Object<'_>| !object.is_local_config();
        let subjects: Vec<Subject<'a>> = (0..)
            .zip(context.stream.objects().filter(applied))
            .map(|(number, object)| Subject { number, object })
            .collect();
        let mut cluster = Self {
            workloads: Vec::new(),
            places: Vec::new(),
            around: Vec::new(),
            images: Vec::new(),
            all: context.all_objects().filter(applied).collect(),
            subjects: Vec::new(),
        };
        for &subject in &subjects {
            cluster.note(subject, kinds.places(subject.object));
        }
        cluster.subjects = subjects;
        cluster
    }

    /// Whether a container stands at this path of an object.
    pub(crate) fn is_container(&self, subject: Subject<'_>, path: &str) -> bool {
        let mut of_object = self
            .places
            .iter()
            .filter(|place| place.subject.number == subject.number);
        of_object.any(|place| place.container.path == path)
    }

    fn note(&mut self, subject: Subject<'a>, places: Places<'a>) {
        let in_pod = |container: &Container<'_>| {
            places.pods.iter().any(|pod| {
                ["containers[", "initContainers["].iter().any(|list| {
                    let rest = container.path.strip_prefix(pod.path.as_str());
                    rest.is_some_and(|rest| rest.trim_start_matches('.').starts_with(list))
                })
            })
        };
        let running = places.containers.iter().map(|container| (container, true));
        for (container, runs) in running.chain(places.defaults.iter().map(|one| (one, false))) {
            // What gives others its fields is none of those.
            let is_itself = |around: &Around<'_>| around.is_container && around.path == container.path;
            let covers = |around: &&Around<'_>| around.covers(&container.path) && !is_itself(around);
            self.places.push(Place {
                subject,
                around: places.around.iter().filter(covers).cloned().collect(),
                in_pod: in_pod(container),
                container: container.clone(),
                runs,
            });
        }
        let of_container = |image: &Image<'_>| {
            let mut all = places.containers.iter().chain(&places.defaults);
            all.any(|container| container.path == image.path)
        };
        let bare = places.images.iter().filter(|image| !of_container(image));
        self.images.extend(bare.map(|image| (subject, image.clone())));
        self.around
            .extend(places.around.iter().map(|around| (subject, around.clone())));
        self.workloads
            .extend(places.pods.iter().map(|pod| Workload::of(subject, pod)));
    }

    /// The objects of a kind, those beside the stream included.
    pub(crate) fn all_of(&self, group: &str, kind: &str) -> impl Iterator<Item = Object<'a>> {
        self.all
            .iter()
            .copied()
            .filter(move |object| object.kind() == kind && object.group() == group)
    }
}

impl<'a> Workload<'a> {
    fn of(subject: Subject<'a>, pod: &Pod<'a>) -> Self {
        Self {
            subject,
            labels: pod.template.map(|template| {
                let mut labels = labels::labels(template.at(&["metadata", "labels"]));
                labels.extend(of_controller(subject.object));
                labels
            }),
            containers: pod.containers(),
            spec: pod.spec,
            path: pod.path.clone(),
        }
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

impl<'a> Place<'a> {
    /// A field of the security context: its own, or the nearest around it.
    pub(crate) fn security(&self, field: &str) -> Option<Node<'a>> {
        let own = self.container.node.at(&["securityContext", field]);
        let around = || {
            let fields = self.around.iter().flat_map(|around| {
                // Spark calls that of the pod so, beside that of the container.
                let contexts = ["podSecurityContext", "securityContext"];
                contexts.map(|context| around.node.at(&[context, field]))
            });
            fields.flatten().find(|node| !node.is_null())
        };
        if is_set(own) { own } else { around() }
    }

    /// A field of the security context that only containers have.
    pub(crate) fn container_security(&self, path: &[&str]) -> Option<Node<'a>> {
        let of = |node: Node<'a>| node.at(&["securityContext"]).and_then(|context| context.at(path));
        let own = of(self.container.node);
        let defaults = self.around.iter().filter(|around| around.is_container);
        if is_set(own) {
            own
        } else {
            defaults
                .filter_map(|around| of(around.node))
                .find(|node| !node.is_null())
        }
    }
}

/// The label that the Job controller gives the pods of a Job, unless the Job's selector is its author's.
fn of_controller(object: Object<'_>) -> Option<(String, String)> {
    let is_job = object.kind() == "Job" && object.group() == "batch" && !object.name().is_empty();
    let by_hand = says_true(object.root().at(&["spec", "manualSelector"]));
    (is_job && !by_hand).then(|| ("batch.kubernetes.io/job-name".to_owned(), object.name().into_owned()))
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
