//! Kubernetes itself.

use super::Place::Template;
use super::{TEMPLATE, Workload, below, workload};

const APPS: &[&str] = &["apps", "extensions"];

pub(super) const WORKLOADS: &[Workload] = &[
    workload(&[""], "Pod", &[below(&[""], &[Template("")])]),
    workload(&[""], "PodTemplate", &[below(&[""], &[Template("template")])]),
    workload(&[""], "ReplicationController", TEMPLATE),
    workload(APPS, "Deployment", TEMPLATE),
    workload(&["apps"], "StatefulSet", TEMPLATE),
    workload(APPS, "DaemonSet", TEMPLATE),
    workload(APPS, "ReplicaSet", TEMPLATE),
    workload(&["batch"], "Job", TEMPLATE),
    workload(
        &["batch"],
        "CronJob",
        &[below(&["spec.jobTemplate.spec"], &[Template("template")])],
    ),
];
