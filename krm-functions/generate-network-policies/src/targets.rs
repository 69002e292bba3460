//! The workloads that get a policy, and the labels by which it finds their pods.

use std::borrow::Cow;
use std::collections::BTreeSet;

use krm_fn::selector::{Candidates, OnNoMatch, Selection};
use krm_fn::workload::{Container, Kinds, Places, Pod};
use krm_fn::{Error, Finding, Findings, Node, Object, Position, Severity, Stream};

/// The annotation of workloads that ask for the endpoints.
const INJECT: &str = "mlplat.dev/inject";

/// Variables that say where an endpoint is. Others, such as AWS_REGION, are set for other reasons too.
#[rustfmt::skip]
pub(crate) const ADDRESSES: [&str; 18] = [
    "PGHOST", "DATABASE_URL", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "MLFLOW_BACKEND_STORE_URI",
    "SPRING_DATASOURCE_URL", "REDIS_HOST", "REDIS_URL", "CELERY_BROKER_URL", "CELERY_RESULT_BACKEND",
    "AIRFLOW__CELERY__BROKER_URL", "SPRING_DATA_REDIS_HOST", "S3_ENDPOINT", "AWS_ENDPOINT_URL_S3",
    "MLFLOW_S3_ENDPOINT_URL", "FSSPEC_S3_ENDPOINT_URL", "AWS_ENDPOINT", "RCLONE_S3_ENDPOINT", "AWS_S3_ENDPOINT",
];

/// Key and value.
pub(crate) type Label = (String, String);

/// A workload that gets a policy.
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) object: Object<'a>,
    places: Places<'a>,
}

/// The workloads that the selectors mean; without selectors, those that are given the endpoints.
pub(crate) fn find<'a>(
    stream: &'a Stream,
    kinds: &Kinds,
    mut selection: Selection<'_>,
    policy: OnNoMatch,
    findings: &mut Findings,
) -> Result<Vec<Target<'a>>, Error> {
    let workloads = || {
        let objects = stream.objects().filter(|object| kinds.is_workload(*object));
        objects.map(|object| Target {
            object,
            places: kinds.places(object),
        })
    };
    if selection.is_empty() {
        let made = injected(stream);
        let found: Vec<Target<'_>> = workloads().filter(|target| target.has_endpoints(&made)).collect();
        if found.is_empty() {
            return Err(Error::refused(
                format!(
                    "no workload in the stream is given the endpoints: none has the annotation {INJECT}, and no \
                     container has one of the variables {}",
                    ADDRESSES.join(", ")
                ),
                "list this function after inject-endpoints, annotate the workloads, or name them in `spec.selectors`",
            ));
        }
        return Ok(found);
    }
    let takes = |target: &Target<'_>| {
        let taken = selection.takes_containers(target.object, &target.places.containers);
        taken.contains(&true)
    };
    let found = workloads().filter(takes).collect();
    let candidates = || {
        let mut candidates = Candidates::default();
        workloads().for_each(|target| candidates.add(target.object, &target.places.containers));
        candidates
    };
    for problem in selection.problems(policy, "container of any workload", candidates) {
        findings.push(problem);
    }
    Ok(found)
}

/// Namespace and name of the ConfigMaps that inject-endpoints has made.
fn injected(stream: &Stream) -> BTreeSet<(Option<Cow<'_, str>>, Cow<'_, str>)> {
    stream
        .objects()
        .filter(|object| {
            object.kind() == "ConfigMap"
                && object
                    .annotation("mlplat.dev/made-by")
                    .is_some_and(|by| by == "inject-endpoints")
        })
        .map(|object| (object.namespace(), object.name()))
        .collect()
}

impl<'a> Target<'a> {
    /// Its containers, init containers first.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &Container<'a>> {
        self.places.containers.iter()
    }

    /// Whether the workload asks for the endpoints, or has them already.
    fn has_endpoints(&self, made: &BTreeSet<(Option<Cow<'a, str>>, Cow<'a, str>)>) -> bool {
        let list = |container: &Container<'a>, key: &str| {
            let list = container.holder.and_then(|holder| holder.at(&[key]));
            list.into_iter().flat_map(Node::items).map(Node::resolve)
        };
        let has_variable = |container: &Container<'a>| {
            list(container, &container.key)
                .any(|entry| entry.text_at(&["name"]).is_some_and(|name| ADDRESSES.contains(&&*name)))
        };
        let has_config_map = |container: &Container<'a>| {
            list(container, "envFrom").any(|entry| {
                let name = entry.text_at(&["configMapRef", "name"]);
                name.is_some_and(|name| made.contains(&(self.object.namespace(), name)))
            })
        };
        self.object.annotation(INJECT).is_some()
            || self
                .containers()
                .any(|container| has_variable(container) || has_config_map(container))
    }

    /// The template of its pods; `None` where there is more than one, or where a controller decides on the labels.
    pub(crate) fn pod(&self) -> Option<&Pod<'a>> {
        match self.places.pods.as_slice() {
            [pod] => Some(pod).filter(|pod| pod.template.is_some()),
            _ => None,
        }
    }

    /// The labels of its pods, sorted; at least one.
    pub(crate) fn pod_labels(&self, pod: &Pod<'a>) -> Result<Vec<Label>, Problem> {
        let field = format!("{}metadata.labels", pod.path.strip_suffix("spec").unwrap_or_default());
        let labels = pod.template.and_then(|template| template.at(&["metadata", "labels"]));
        let Some(node) = labels.filter(|node| !node.is_null() && node.entries().next().is_some()) else {
            return match self.label_of_controller() {
                Some(label) => Ok(vec![label]),
                None => Err(Problem::no_label(field, self.object.position())),
            };
        };
        let mut labels = Vec::new();
        for (key, value) in node.entries() {
            let text = value.resolve().text().filter(|_| !value.resolve().is_null());
            match (key.text(), text) {
                (Some(key), Some(text)) => labels.push((key.into_owned(), text.into_owned())),
                (key, _) => {
                    return Err(Problem {
                        message: "the value of this label is no text. To fix: write the label out, in quotes"
                            .to_owned(),
                        field: format!("{field}[{}]", key.unwrap_or_default()),
                        position: value.position(),
                    });
                }
            }
        }
        labels.sort();
        Ok(labels)
    }

    /// The label that the Job controller gives the pods of a Job; `None` for other kinds, for a Job whose selector is its
    /// author's, and for a name that is too long for a label.
    fn label_of_controller(&self) -> Option<Label> {
        let (object, name) = (self.object, self.object.name());
        let by_hand = object
            .root()
            .text_at(&["spec", "manualSelector"])
            .is_some_and(|text| text == "true");
        let is_job = object.kind() == "Job" && object.group() == "batch" && !by_hand;
        (is_job && (1..=63).contains(&name.len()))
            .then(|| ("batch.kubernetes.io/job-name".to_owned(), name.into_owned()))
    }

    /// The labels by which to find its pods: of all that they have only the ones that the workload's own selector names,
    /// where it has one. The others may change from release to release, and the pods of the old release must stay
    /// selected while the new one comes.
    pub(crate) fn selecting(&self, labels: &[Label]) -> Vec<Label> {
        let own = self.object.root().at(&["spec", "selector", "matchLabels"]);
        let named = |(key, value): &&Label| {
            own.is_some_and(|own| own.text_at(&[key.as_str()]).is_some_and(|text| text == *value))
        };
        let stable: Vec<Label> = labels.iter().filter(named).cloned().collect();
        if stable.is_empty() { labels.to_vec() } else { stable }
    }
}

/// Why there can be no policy for a workload.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) field: String,
    pub(crate) position: Position,
}

impl Problem {
    /// The problem as one of this workload.
    pub(crate) fn of(self, workload: Object<'_>) -> Finding {
        Finding::new(Severity::Error, self.message)
            .of(workload)
            .field(self.field)
            .at(self.position)
    }

    fn no_label(field: String, position: Position) -> Self {
        let message = "the pods have no label, and a policy without one selects every pod of the namespace. To fix: give \
                       the pod template a label, such as app.kubernetes.io/name";
        Self {
            message: message.to_owned(),
            field,
            position,
        }
    }
}

#[cfg(test)]
mod tests {
    use endpoint_contract::{
        Endpoints, HostPort, Origin, Postgres, PostgresCredentials, Profile, Protocol, Redis, S3, SslMode, View,
    };

    use super::ADDRESSES;

    #[test]
    fn the_variables_that_mark_a_workload_are_those_of_the_contract() {
        let at = || HostPort {
            address: "10.0.0.5".to_owned(),
            port: 1234,
        };
        let url = "http://10.0.0.5:1234".to_owned();
        let endpoints = Endpoints {
            postgres: Some(Postgres {
                host: at(),
                cluster: None,
                database: "artefacts".to_owned(),
                ssl_mode: SslMode::Disable,
                credentials: PostgresCredentials::in_secret("secret"),
            }),
            redis: Some(Redis {
                host: at(),
                cluster: None,
                database: 0,
                tls: false,
                credentials: None,
            }),
            s3: Some(S3 {
                host: Origin { url },
                cluster: None,
                region: "us-east-1".to_owned(),
                force_path_style: true,
                buckets: Vec::new(),
                credentials: None,
            }),
        };
        let variables = endpoints
            .variables_of(&Protocol::ALL, &Profile::ALL, View::Host)
            .unwrap();
        let with_address = variables
            .iter()
            .filter(|variable| format!("{:?}", variable.value).contains("10.0.0.5"));
        assert_eq!(
            with_address.map(|variable| variable.name).collect::<Vec<_>>(),
            ADDRESSES
        );
    }

    #[test]
    fn the_guide_lists_the_variables_that_mark_a_workload() {
        let guide = include_str!("../../../docs/guides/generate-network-policies.md");
        let (_, section) = guide.split_once("\n## Which workloads\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        for name in ADDRESSES {
            assert!(section.contains(&format!("`{name}`")), "{name}");
        }
    }
}
