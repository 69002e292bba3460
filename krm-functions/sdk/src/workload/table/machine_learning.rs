//! Training, serving, and what machine-learning platforms run besides.

use super::Place::{Around, Container, Image, Init, Object, Patch, Sidecar, Spec, Template};
use super::{Part, Place, TEMPLATE, Workload, below, workload};
use crate::workload::fields::Fields;

const KUBEFLOW: &[&str] = &["kubeflow.org"];
const TRAINER: &[&str] = &["trainer.kubeflow.org"];
const RAY: &[&str] = &["ray.io"];
const KNATIVE: &[&str] = &["serving.knative.dev"];
const SPARK: &[&str] = &["sparkoperator.k8s.io"];
const KSERVE: &[&str] = &["serving.kserve.io"];
const SELDON: &[&str] = &["mlops.seldon.io"];
const DASK: &[&str] = &["kubernetes.dask.org"];
const FLINK: &[&str] = &["flink.apache.org"];
const VOLCANO: &[&str] = &["batch.volcano.sh"];
const FLOW: &[&str] = &["flow.volcano.sh"];
const KRUISE: &[&str] = &["apps.kruise.io"];
const KNATIVE_SOURCES: &[&str] = &["sources.knative.dev"];

/// A predictor is a pod's specification; a model server is a container under the name of its framework.
const PREDICTOR: Part = Part {
    roots: &["spec.predictor", "spec.canary[*].predictor"],
    nested: &[],
    places: &[
        Spec(""),
        Spec("workerSpec"),
        server("model"),
        server("sklearn"),
        server("xgboost"),
        server("lightgbm"),
        server("tensorflow"),
        server("pytorch"),
        server("triton"),
        server("onnx"),
        server("paddle"),
        server("pmml"),
        server("huggingface"),
    ],
};

const fn server(framework: &'static str) -> Place {
    Container(framework, "kserve-container", Fields::FULL)
}

const LLM: &[Part] = &[below(
    &["spec"],
    &[
        Spec("template"),
        Spec("worker"),
        Spec("prefill.template"),
        Spec("prefill.worker"),
        Spec("router.scheduler.template"),
        Spec("router.scheduler.tokenizer.template"),
    ],
)];

const SERVING_RUNTIME: &[Part] = &[below(
    &["spec"],
    &[
        Spec(""),
        Spec("workerSpec"),
        Sidecar("builtInAdapter", "mm", Fields::ENV),
    ],
)];

const CLUSTER: &[Place] = &[
    Template("headGroupSpec.template"),
    Template("workerGroupSpecs[*].template"),
    Sidecar("autoscalerOptions", "autoscaler", Fields::NO_PROBES),
    Sidecar("historyServerOptions.collectorOptions", "collector", Fields::COLLECTOR),
];

const SPARK_APPLICATION: &[Place] = &[
    Image("image"),
    Container("driver", "driver", Fields::SPARK),
    Init("driver.initContainers[*]", "", Fields::FULL),
    Sidecar("driver.sidecars[*]", "", Fields::FULL),
    Template("driver.template"),
    Around("driver", 0),
    Container("executor", "executor", Fields::SPARK),
    Init("executor.initContainers[*]", "", Fields::FULL),
    Sidecar("executor.sidecars[*]", "", Fields::FULL),
    Template("executor.template"),
    Around("executor", 0),
    Around("", 0),
];

const TRAIN_JOB: &[Place] = &[
    Init("initializer.dataset", "dataset-initializer", Fields::ENV),
    Init("initializer.model", "model-initializer", Fields::ENV),
    Container("trainer", "node", Fields::TRAINER),
    Patch(
        "runtimePatches[*].trainingRuntimeSpec.template.spec.replicatedJobs[*].template.spec.template",
        Fields::PATCH,
    ),
];

/// The first version of the Trainer, in the group of the training operator.
const TRAIN_JOB_V2ALPHA1: &[Place] = &[
    Init("datasetConfig", "dataset-initializer", Fields::ENV),
    Init("modelConfig.input", "model-initializer", Fields::ENV),
    Container("modelConfig.output", "model-exporter", Fields::ENV),
    Container("trainer", "node", Fields::TRAINER),
    Around("podSpecOverrides[*]", 1),
];

const RUNTIME: &[Part] = &[below(
    &["spec"],
    &[Template("template.spec.replicatedJobs[*].template.spec.template")],
)];

const LEADER_WORKER: &[Place] = &[
    Template("leaderWorkerTemplate.leaderTemplate"),
    Template("leaderWorkerTemplate.workerTemplate"),
];

const FLINK_DEPLOYMENT: &[Place] = &[
    Image("image"),
    Template("podTemplate"),
    Template("jobManager.podTemplate"),
    Template("taskManager.podTemplate"),
];

const TASKS: &[Place] = &[Template("tasks[*].template")];

pub(super) const WORKLOADS: &[Workload] = &[
    workload(
        KUBEFLOW,
        "PyTorchJob",
        &[below(&["spec"], &[Template("pytorchReplicaSpecs.*.template")])],
    ),
    workload(
        KUBEFLOW,
        "TFJob",
        &[below(&["spec"], &[Template("tfReplicaSpecs.*.template")])],
    ),
    workload(
        KUBEFLOW,
        "MPIJob",
        &[below(&["spec"], &[Template("mpiReplicaSpecs.*.template")])],
    ),
    workload(
        KUBEFLOW,
        "XGBoostJob",
        &[below(&["spec"], &[Template("xgbReplicaSpecs.*.template")])],
    ),
    workload(
        KUBEFLOW,
        "PaddleJob",
        &[below(&["spec"], &[Template("paddleReplicaSpecs.*.template")])],
    ),
    workload(
        KUBEFLOW,
        "JAXJob",
        &[below(&["spec"], &[Template("jaxReplicaSpecs.*.template")])],
    ),
    workload(KUBEFLOW, "Notebook", TEMPLATE),
    workload(KUBEFLOW, "PVCViewer", &[below(&["spec"], &[Spec("podSpec")])]),
    // Its own `env` holds for whatever pods it is put into: it is written by hand.
    workload(
        KUBEFLOW,
        "PodDefault",
        &[below(
            &["spec"],
            &[
                Init("initContainers[*]", "", Fields::FULL),
                Sidecar("sidecars[*]", "", Fields::FULL),
                Around("", 0),
            ],
        )],
    ),
    workload(
        KUBEFLOW,
        "Experiment",
        &[below(&["spec"], &[Object("trialTemplate.trialSpec")])],
    ),
    workload(KUBEFLOW, "TrainJob", &[below(&["spec"], TRAIN_JOB_V2ALPHA1)]),
    workload(KUBEFLOW, "TrainingRuntime", RUNTIME),
    workload(KUBEFLOW, "ClusterTrainingRuntime", RUNTIME),
    workload(TRAINER, "TrainJob", &[below(&["spec"], TRAIN_JOB)]),
    workload(
        TRAINER,
        "OptimizationJob",
        &[below(&["spec.trainJobTemplate.spec"], TRAIN_JOB)],
    ),
    workload(TRAINER, "TrainingRuntime", RUNTIME),
    workload(TRAINER, "ClusterTrainingRuntime", RUNTIME),
    workload(
        KSERVE,
        "InferenceService",
        &[
            PREDICTOR,
            below(
                &["spec"],
                &[
                    Spec("transformer"),
                    Spec("explainer"),
                    Container("explainer.art", "kserve-container", Fields::FULL),
                ],
            ),
        ],
    ),
    workload(KSERVE, "LLMInferenceService", LLM),
    workload(KSERVE, "LLMInferenceServiceConfig", LLM),
    workload(KSERVE, "ServingRuntime", SERVING_RUNTIME),
    workload(KSERVE, "ClusterServingRuntime", SERVING_RUNTIME),
    workload(
        KSERVE,
        "ClusterStorageContainer",
        &[below(
            &["spec"],
            &[Init("container", "storage-initializer", Fields::FULL)],
        )],
    ),
    workload(
        KSERVE,
        "InferenceGraph",
        &[below(&[""], &[Container("spec", "router", Fields::RESOURCES)])],
    ),
    workload(
        &["machinelearning.seldon.io"],
        "SeldonDeployment",
        &[below(&["spec"], &[Template("predictors[*].componentSpecs[*]")])],
    ),
    workload(
        SELDON,
        "Server",
        &[below(
            &["spec"],
            &[
                Spec("podSpec"),
                Sidecar("imageOverrides.agent", "agent", Fields::FULL),
                Sidecar("imageOverrides.rclone", "rclone", Fields::FULL),
            ],
        )],
    ),
    workload(SELDON, "ServerConfig", &[below(&["spec"], &[Spec("podSpec")])]),
    workload(
        SELDON,
        "SeldonConfig",
        &[below(&["spec"], &[Spec("components[*].podSpec")])],
    ),
    workload(
        SELDON,
        "SeldonRuntime",
        &[below(&["spec"], &[Spec("overrides[*].podSpec")])],
    ),
    workload(RAY, "RayCluster", &[below(&["spec"], CLUSTER)]),
    workload(
        RAY,
        "RayJob",
        &[
            below(&["spec.rayClusterSpec"], CLUSTER),
            below(&["spec"], &[Template("submitterPodTemplate")]),
        ],
    ),
    workload(
        RAY,
        "RayCronJob",
        &[
            below(&["spec.jobTemplate.rayClusterSpec"], CLUSTER),
            below(&["spec.jobTemplate"], &[Template("submitterPodTemplate")]),
        ],
    ),
    workload(RAY, "RayService", &[below(&["spec.rayClusterConfig"], CLUSTER)]),
    workload(SPARK, "SparkApplication", &[below(&["spec"], SPARK_APPLICATION)]),
    workload(
        SPARK,
        "ScheduledSparkApplication",
        &[below(&["spec.template"], SPARK_APPLICATION)],
    ),
    workload(
        SPARK,
        "SparkConnect",
        &[below(
            &["spec"],
            &[
                Image("image"),
                Template("server.template"),
                Template("executor.template"),
            ],
        )],
    ),
    workload(
        DASK,
        "DaskCluster",
        &[below(&["spec"], &[Template("scheduler"), Template("worker")])],
    ),
    workload(
        DASK,
        "DaskJob",
        &[below(
            &["spec"],
            &[
                Template("job"),
                Template("cluster.spec.scheduler"),
                Template("cluster.spec.worker"),
            ],
        )],
    ),
    workload(DASK, "DaskWorkerGroup", &[below(&["spec"], &[Template("worker")])]),
    workload(FLINK, "FlinkDeployment", &[below(&["spec"], FLINK_DEPLOYMENT)]),
    workload(
        FLINK,
        "FlinkBlueGreenDeployment",
        &[below(&["spec.template.spec"], FLINK_DEPLOYMENT)],
    ),
    workload(
        &["jobset.x-k8s.io"],
        "JobSet",
        &[below(
            &["spec"],
            &[Template("replicatedJobs[*].template.spec.template")],
        )],
    ),
    workload(
        &["leaderworkerset.x-k8s.io"],
        "LeaderWorkerSet",
        &[below(&["spec"], LEADER_WORKER)],
    ),
    workload(
        &["disaggregatedset.x-k8s.io"],
        "DisaggregatedSet",
        &[below(&["spec.roles[*].spec"], LEADER_WORKER)],
    ),
    workload(VOLCANO, "Job", &[below(&["spec"], TASKS)]),
    workload(VOLCANO, "CronJob", &[below(&["spec.jobTemplate.spec"], TASKS)]),
    workload(FLOW, "JobTemplate", &[below(&["spec"], TASKS)]),
    workload(FLOW, "JobFlow", &[below(&["spec.flows[*].patch.jobSpec"], TASKS)]),
    workload(
        &["workload.codeflare.dev"],
        "AppWrapper",
        &[below(&["spec"], &[Object("components[*].template")])],
    ),
    workload(KNATIVE, "Service", TEMPLATE),
    workload(KNATIVE, "Configuration", TEMPLATE),
    workload(KNATIVE, "Revision", &[below(&[""], &[Template("")])]),
    workload(KNATIVE_SOURCES, "ContainerSource", TEMPLATE),
    workload(&["sinks.knative.dev"], "JobSink", &[below(&["spec"], &[Object("job")])]),
    workload(KRUISE, "CloneSet", TEMPLATE),
    workload(KRUISE, "StatefulSet", TEMPLATE),
    workload(KRUISE, "DaemonSet", TEMPLATE),
    workload(KRUISE, "BroadcastJob", TEMPLATE),
    workload(KRUISE, "SidecarSet", &[below(&["spec"], &[Spec("")])]),
];
