//! The fields that a place of containers has, by the schema of its kind: a field that a kind does not have is never
//! written.

/// The fields of one place of containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fields {
    /// `image`.
    pub image: bool,
    /// The list of variables.
    pub env: bool,
    /// `envFrom`.
    pub env_from: bool,
    /// Where it says how large it is; `None`: nowhere.
    pub resources: Option<ResourceFields>,
    /// `securityContext`.
    pub security_context: bool,
    /// `livenessProbe` and `readinessProbe`.
    pub probes: bool,
}

/// How a place of containers says how large it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceFields {
    /// `requests` and `limits`, as Kubernetes has them, below this key.
    Requirements(&'static str),
    /// `coreRequest`, `coreLimit`, `memory` and `memoryLimit`, as the Spark operator has them.
    Spark,
}

impl Fields {
    /// A container of Kubernetes.
    pub const FULL: Self = Self {
        image: true,
        env: true,
        env_from: true,
        resources: Some(ResourceFields::Requirements("resources")),
        security_context: true,
        probes: true,
    };

    pub(crate) const NONE: Self = Self {
        image: false,
        env: false,
        env_from: false,
        resources: None,
        security_context: false,
        probes: false,
    };

    /// All that a container has but probes.
    pub(crate) const NO_PROBES: Self = Self {
        probes: false,
        ..Self::FULL
    };

    /// A step or step template of Tekton, which calls its resources `computeResources` since v1.
    pub(crate) const STEP: Self = Self {
        resources: Some(ResourceFields::Requirements("computeResources")),
        ..Self::NO_PROBES
    };

    /// A sidecar of Tekton since v1.
    pub(crate) const STEP_SIDECAR: Self = Self {
        probes: true,
        ..Self::STEP
    };

    /// A StepAction of Tekton.
    pub(crate) const STEP_ACTION: Self = Self {
        image: true,
        env: true,
        security_context: true,
        ..Self::NONE
    };

    /// Driver or executor of Spark.
    pub(crate) const SPARK: Self = Self {
        resources: Some(ResourceFields::Spark),
        ..Self::NO_PROBES
    };

    /// `trainer` of a TrainJob.
    pub(crate) const TRAINER: Self = Self {
        image: true,
        env: true,
        resources: Some(ResourceFields::Requirements("resourcesPerNode")),
        ..Self::NONE
    };

    /// What has variables and nothing else, such as an initializer of a TrainJob.
    pub(crate) const ENV: Self = Self {
        env: true,
        ..Self::NONE
    };

    /// What has resources and nothing else, such as the router of an InferenceGraph.
    pub(crate) const RESOURCES: Self = Self {
        resources: Some(ResourceFields::Requirements("resources")),
        ..Self::NONE
    };

    /// A container of a TrainJob's patches, which change one that its runtime has.
    pub(crate) const PATCH: Self = Self {
        env: true,
        security_context: true,
        ..Self::NONE
    };

    /// The collector of Ray's history server.
    pub(crate) const COLLECTOR: Self = Self {
        image: true,
        env: true,
        resources: Some(ResourceFields::Requirements("resources")),
        ..Self::NONE
    };
}
