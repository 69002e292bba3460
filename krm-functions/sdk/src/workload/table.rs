//! The table of workloads: groups and kinds, of any version, and where their containers stand.

/// A kind of workload.
pub(super) struct Workload {
    pub(super) groups: &'static [&'static str],
    pub(super) kind: &'static str,
    pub(super) places: &'static [Place],
}

/// Where containers stand in an object. Paths as in [`super::path::of_table`].
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Pod templates: `metadata` with the labels of the pods, and `spec`.
    Template(&'static str),
    /// Specifications of pods whose labels are a controller's affair.
    Spec(&'static str),
    /// Mappings with an `env`, and what they are called where they have no `name`.
    Container(&'static str, &'static str),
    /// Mappings as before, which run beside what they belong to.
    Sidecar(&'static str),
    /// Mappings as before, which run first.
    Init(&'static str),
}

use Place::{Container, Init, Sidecar, Spec, Template};

const KUBEFLOW: &[&str] = &["kubeflow.org"];
const ARGO: &[&str] = &["argoproj.io"];
const TEKTON: &[&str] = &["tekton.dev"];
const RAY: &[&str] = &["ray.io"];
const KNATIVE: &[&str] = &["serving.knative.dev"];
const SPARK: &[&str] = &["sparkoperator.k8s.io"];
const KSERVE: &[&str] = &["serving.kserve.io"];

const fn workload(groups: &'static [&'static str], kind: &'static str, places: &'static [Place]) -> Workload {
    Workload { groups, kind, places }
}

const TEMPLATE: &[Place] = &[Template("spec.template")];

/// Templates of Argo Workflows. A template runs one `container`, a `script`, or a set of containers.
const WORKFLOW: &[Place] = &[
    Init("spec.templates[*].initContainers[*]"),
    Container("spec.templates[*].container", "main"),
    Container("spec.templates[*].script", "main"),
    Container("spec.templates[*].containerSet.containers[*]", ""),
    Sidecar("spec.templates[*].sidecars[*]"),
];

const CRON_WORKFLOW: &[Place] = &[
    Init("spec.workflowSpec.templates[*].initContainers[*]"),
    Container("spec.workflowSpec.templates[*].container", "main"),
    Container("spec.workflowSpec.templates[*].script", "main"),
    Container("spec.workflowSpec.templates[*].containerSet.containers[*]", ""),
    Sidecar("spec.workflowSpec.templates[*].sidecars[*]"),
];

/// A predictor, transformer or explainer is a pod's specification; a model server is a container under the name of its
/// framework.
const INFERENCE: &[Place] = &[
    Spec("spec.predictor"),
    Container("spec.predictor.model", "kserve-container"),
    Container("spec.predictor.sklearn", "kserve-container"),
    Container("spec.predictor.xgboost", "kserve-container"),
    Container("spec.predictor.lightgbm", "kserve-container"),
    Container("spec.predictor.tensorflow", "kserve-container"),
    Container("spec.predictor.pytorch", "kserve-container"),
    Container("spec.predictor.triton", "kserve-container"),
    Container("spec.predictor.onnx", "kserve-container"),
    Container("spec.predictor.paddle", "kserve-container"),
    Container("spec.predictor.pmml", "kserve-container"),
    Container("spec.predictor.huggingface", "kserve-container"),
    Spec("spec.transformer"),
    Spec("spec.explainer"),
];

const STEPS: &[Place] = &[Container("spec.steps[*]", ""), Sidecar("spec.sidecars[*]")];

/// By kind; of one kind in several groups, each has its line.
pub(super) const WORKLOADS: &[Workload] = &[
    workload(&[""], "Pod", &[Template("")]),
    workload(&[""], "PodTemplate", &[Template("template")]),
    workload(&[""], "ReplicationController", TEMPLATE),
    workload(&["apps", "extensions"], "Deployment", TEMPLATE),
    workload(&["apps"], "StatefulSet", TEMPLATE),
    workload(&["apps", "extensions"], "DaemonSet", TEMPLATE),
    workload(&["apps", "extensions"], "ReplicaSet", TEMPLATE),
    workload(&["batch"], "Job", TEMPLATE),
    workload(&["batch"], "CronJob", &[Template("spec.jobTemplate.spec.template")]),
    // With a workloadRef it has no template of its own.
    workload(ARGO, "Rollout", TEMPLATE),
    workload(ARGO, "Workflow", WORKFLOW),
    workload(ARGO, "WorkflowTemplate", WORKFLOW),
    workload(ARGO, "ClusterWorkflowTemplate", WORKFLOW),
    workload(ARGO, "CronWorkflow", CRON_WORKFLOW),
    workload(KNATIVE, "Service", TEMPLATE),
    workload(KNATIVE, "Configuration", TEMPLATE),
    workload(
        KUBEFLOW,
        "PyTorchJob",
        &[Template("spec.pytorchReplicaSpecs.*.template")],
    ),
    workload(KUBEFLOW, "TFJob", &[Template("spec.tfReplicaSpecs.*.template")]),
    workload(KUBEFLOW, "MPIJob", &[Template("spec.mpiReplicaSpecs.*.template")]),
    workload(KUBEFLOW, "XGBoostJob", &[Template("spec.xgbReplicaSpecs.*.template")]),
    workload(KUBEFLOW, "PaddleJob", &[Template("spec.paddleReplicaSpecs.*.template")]),
    workload(KUBEFLOW, "JAXJob", &[Template("spec.jaxReplicaSpecs.*.template")]),
    workload(KUBEFLOW, "Notebook", TEMPLATE),
    workload(
        &["trainer.kubeflow.org"],
        "TrainJob",
        &[
            Init("spec.initializer.dataset"),
            Init("spec.initializer.model"),
            Container("spec.trainer", "node"),
        ],
    ),
    workload(KSERVE, "InferenceService", INFERENCE),
    workload(
        RAY,
        "RayCluster",
        &[
            Template("spec.headGroupSpec.template"),
            Template("spec.workerGroupSpecs[*].template"),
        ],
    ),
    workload(
        RAY,
        "RayJob",
        &[
            Template("spec.rayClusterSpec.headGroupSpec.template"),
            Template("spec.rayClusterSpec.workerGroupSpecs[*].template"),
            Template("spec.submitterPodTemplate"),
        ],
    ),
    workload(
        RAY,
        "RayService",
        &[
            Template("spec.rayClusterConfig.headGroupSpec.template"),
            Template("spec.rayClusterConfig.workerGroupSpecs[*].template"),
        ],
    ),
    workload(
        SPARK,
        "SparkApplication",
        &[
            Container("spec.driver", "driver"),
            Sidecar("spec.driver.sidecars[*]"),
            Container("spec.executor", "executor"),
            Sidecar("spec.executor.sidecars[*]"),
        ],
    ),
    workload(
        SPARK,
        "ScheduledSparkApplication",
        &[
            Container("spec.template.driver", "driver"),
            Sidecar("spec.template.driver.sidecars[*]"),
            Container("spec.template.executor", "executor"),
            Sidecar("spec.template.executor.sidecars[*]"),
        ],
    ),
    workload(TEKTON, "Task", STEPS),
    workload(TEKTON, "ClusterTask", STEPS),
    workload(
        TEKTON,
        "TaskRun",
        &[
            Container("spec.taskSpec.steps[*]", ""),
            Sidecar("spec.taskSpec.sidecars[*]"),
        ],
    ),
    workload(
        TEKTON,
        "Pipeline",
        &[
            Container("spec.tasks[*].taskSpec.steps[*]", ""),
            Container("spec.finally[*].taskSpec.steps[*]", ""),
        ],
    ),
    workload(
        TEKTON,
        "PipelineRun",
        &[
            Container("spec.pipelineSpec.tasks[*].taskSpec.steps[*]", ""),
            Container("spec.pipelineSpec.finally[*].taskSpec.steps[*]", ""),
        ],
    ),
];
