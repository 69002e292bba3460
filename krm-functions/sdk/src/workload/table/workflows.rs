//! Workflows and pipelines, and what scales or rolls out besides Kubernetes.

use super::Place::{Around, Container, Defaults, Init, Sidecar, Template};
use super::{Part, Place, TEMPLATE, Workload, below, workload};
use crate::workload::fields::Fields;

const ARGO: &[&str] = &["argoproj.io"];
const TEKTON: &[&str] = &["tekton.dev"];

/// A template runs one `container`, a `script`, or a set of containers; a step or task may hold another one in place.
const ARGO_TEMPLATE: &[Place] = &[
    Init("initContainers[*]", "", Fields::FULL),
    Container("container", "main", Fields::FULL),
    Container("script", "main", Fields::FULL),
    Container("containerSet.containers[*]", "", Fields::FULL),
    Sidecar("sidecars[*]", "", Fields::FULL),
    Around("", 0),
];
const INLINE: &[&str] = &["dag.tasks[*].inline", "steps[*][*].inline"];

/// What stands beside the templates of a workflow.
const ARGO_SPEC: &[Place] = &[
    Defaults("templateDefaults.container", Fields::FULL),
    Defaults("templateDefaults.script", Fields::FULL),
    Defaults("templateDefaults.containerSet.containers[*]", Fields::FULL),
    Init("templateDefaults.initContainers[*]", "", Fields::FULL),
    Sidecar("templateDefaults.sidecars[*]", "", Fields::FULL),
    Sidecar("executorPlugins[*].spec.sidecar.container", "", Fields::FULL),
    Around("templateDefaults", 1),
    Around("", 0),
];

const WORKFLOW: &[Part] = &[
    Part {
        roots: &[
            "spec.templates[*]",
            "spec.templateDefaults.dag.tasks[*].inline",
            "spec.templateDefaults.steps[*][*].inline",
        ],
        nested: INLINE,
        places: ARGO_TEMPLATE,
    },
    below(&["spec"], ARGO_SPEC),
];

const CRON_WORKFLOW: &[Part] = &[
    Part {
        roots: &[
            "spec.workflowSpec.templates[*]",
            "spec.workflowSpec.templateDefaults.dag.tasks[*].inline",
            "spec.workflowSpec.templateDefaults.steps[*][*].inline",
        ],
        nested: INLINE,
        places: ARGO_TEMPLATE,
    },
    below(&["spec.workflowSpec"], ARGO_SPEC),
];

/// A job that measures how a rollout goes.
const ANALYSIS: &[Part] = &[below(&["spec"], &[Template("metrics[*].provider.job.spec.template")])];

const TASK: &[Place] = &[
    Container("steps[*]", "", Fields::STEP),
    Sidecar("sidecars[*]", "", Fields::STEP_SIDECAR),
    Defaults("stepTemplate", Fields::STEP),
    Around("", 0),
];

/// Before v1, resources had the name that Kubernetes gives them.
const TASK_BETA: &[Place] = &[
    Container("steps[*]", "", Fields::FULL),
    Sidecar("sidecars[*]", "", Fields::FULL),
    Defaults("stepTemplate", Fields::FULL),
    Around("", 0),
];

/// Tasks of a pipeline, which may themselves be pipelines.
const PIPELINES: &[&str] = &["tasks[*].pipelineSpec", "finally[*].pipelineSpec"];

const TASKS: &[Place] = &[
    Container("tasks[*].taskSpec.steps[*]", "", Fields::STEP),
    Sidecar("tasks[*].taskSpec.sidecars[*]", "", Fields::STEP_SIDECAR),
    Defaults("tasks[*].taskSpec.stepTemplate", Fields::STEP),
    Around("tasks[*].taskSpec", 0),
    Container("finally[*].taskSpec.steps[*]", "", Fields::STEP),
    Sidecar("finally[*].taskSpec.sidecars[*]", "", Fields::STEP_SIDECAR),
    Defaults("finally[*].taskSpec.stepTemplate", Fields::STEP),
    Around("finally[*].taskSpec", 0),
];

const TASKS_BETA: &[Place] = &[
    Container("tasks[*].taskSpec.steps[*]", "", Fields::FULL),
    Sidecar("tasks[*].taskSpec.sidecars[*]", "", Fields::FULL),
    Defaults("tasks[*].taskSpec.stepTemplate", Fields::FULL),
    Around("tasks[*].taskSpec", 0),
    Container("finally[*].taskSpec.steps[*]", "", Fields::FULL),
    Sidecar("finally[*].taskSpec.sidecars[*]", "", Fields::FULL),
    Defaults("finally[*].taskSpec.stepTemplate", Fields::FULL),
    Around("finally[*].taskSpec", 0),
];

/// What a run says of its pods, whatever task they run.
const TASK_RUN: Part = below(&["spec"], &[Around("podTemplate", 1)]);
const PIPELINE_RUN: Part = below(
    &["spec"],
    &[
        Around("podTemplate", 1),
        Around("taskRunTemplate.podTemplate", 2),
        Around("taskRunSpecs[*].podTemplate", 2),
        Around("taskRunSpecs[*].taskPodTemplate", 2),
    ],
);

const fn pipelines(roots: &'static [&'static str], places: &'static [Place]) -> Part {
    Part {
        roots,
        nested: PIPELINES,
        places,
    }
}

const fn beta(kind: &'static str, parts: &'static [Part]) -> Workload {
    Workload {
        groups: TEKTON,
        kind,
        versions: &["v1alpha1", "v1beta1"],
        parts,
    }
}

pub(super) const WORKLOADS: &[Workload] = &[
    // With a workloadRef it has no template of its own.
    workload(ARGO, "Rollout", TEMPLATE),
    workload(
        ARGO,
        "Experiment",
        &[below(&["spec"], &[Template("templates[*].template")])],
    ),
    workload(ARGO, "AnalysisTemplate", ANALYSIS),
    workload(ARGO, "ClusterAnalysisTemplate", ANALYSIS),
    workload(ARGO, "AnalysisRun", ANALYSIS),
    workload(ARGO, "Workflow", WORKFLOW),
    workload(ARGO, "WorkflowTemplate", WORKFLOW),
    workload(ARGO, "ClusterWorkflowTemplate", WORKFLOW),
    workload(ARGO, "CronWorkflow", CRON_WORKFLOW),
    workload(
        &["keda.sh"],
        "ScaledJob",
        &[below(&["spec"], &[Template("jobTargetRef.template")])],
    ),
    beta("Task", &[below(&["spec"], TASK_BETA)]),
    beta("ClusterTask", &[below(&["spec"], TASK_BETA)]),
    beta("TaskRun", &[below(&["spec.taskSpec"], TASK_BETA), TASK_RUN]),
    beta("Pipeline", &[pipelines(&["spec"], TASKS_BETA)]),
    beta(
        "PipelineRun",
        &[pipelines(&["spec.pipelineSpec"], TASKS_BETA), PIPELINE_RUN],
    ),
    workload(TEKTON, "Task", &[below(&["spec"], TASK)]),
    workload(TEKTON, "TaskRun", &[below(&["spec.taskSpec"], TASK), TASK_RUN]),
    workload(TEKTON, "Pipeline", &[pipelines(&["spec"], TASKS)]),
    workload(
        TEKTON,
        "PipelineRun",
        &[pipelines(&["spec.pipelineSpec"], TASKS), PIPELINE_RUN],
    ),
    workload(
        TEKTON,
        "StepAction",
        &[below(&[""], &[Container("spec", "step", Fields::STEP_ACTION)])],
    ),
];
