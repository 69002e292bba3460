//! The component `cluster`: one that exists. It is asked whether it answers; nothing in it is changed.

use tfplug::{Computed, Context, Diagnostic, Diagnostics, Model, Plan};

use super::LocalServices;
use crate::clients::kubernetes::{self, KubernetesError, Target};
use crate::provider::Clients;

/// The cluster whose pods use the services.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Cluster {
    /// A cluster that something else made.
    pub existing: ExistingCluster,
    /// `running`; else `unreachable`: its API server does not answer, or refuses the login.
    pub status: Computed<String>,
    /// The API server's URL.
    #[model(keep)]
    pub server: Computed<String>,
    /// The API server's version, such as `v1.36.3`.
    #[model(keep)]
    pub server_version: Computed<String>,
}

/// A cluster that something else made.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct ExistingCluster {
    /// Path of the kubeconfig file.
    #[model(length = 1..=4096)]
    pub kubeconfig: String,
    /// Name of the context in it.
    #[model(length = 1..=1024)]
    pub context: String,
}

/// What is found of it.
struct Seen {
    server: String,
    version: String,
}

impl Cluster {
    async fn ask(&self, context: &Context<Clients>) -> Result<Seen, KubernetesError> {
        let target = Target {
            kubeconfig: self.existing.kubeconfig.clone(),
            context: self.existing.context.clone(),
        };
        let cluster = context.clients().clusters.open(&target).await?;
        let version = cluster.version().await?;
        Ok(Seen {
            server: cluster.server().to_owned(),
            version,
        })
    }

    fn note(&mut self, seen: Seen) {
        self.status = "running".into();
        self.server = seen.server.into();
        self.server_version = seen.version.into();
    }
}

/// Plans what an apply will find.
pub(super) fn plan(plan: &mut Plan<LocalServices>) {
    if !matches!(plan.get::<String>("cluster.existing.context"), Computed::Known(_)) {
        return;
    }
    if let (Computed::Known(kubeconfig), Computed::Known(context)) = (
        plan.get("cluster.existing.kubeconfig"),
        plan.get("cluster.existing.context"),
    ) && let Some(warning) = kubernetes::warning(&Target { kubeconfig, context })
    {
        plan.tell(warning.at("cluster.existing.kubeconfig"));
    }
    plan.set("cluster.status", "running".to_owned());
    if plan.changes("cluster.existing") {
        plan.set_unknown("cluster.server");
        plan.set_unknown("cluster.server_version");
    }
}

/// Sees to it that the cluster answers, before anything is made for it.
pub(super) async fn verify(planned: &mut LocalServices, context: &Context<Clients>) -> Result<(), Diagnostics> {
    let Some(cluster) = &mut planned.cluster else {
        return Ok(());
    };
    let seen = cluster.ask(context).await.map_err(|error| {
        Diagnostic::error("The cluster cannot be used")
            .detail(format!("{error}."))
            .at("cluster.existing")
    })?;
    // What was planned stays; the next refresh tells of an upgrade since.
    let planned = (cluster.server.clone(), cluster.server_version.clone());
    cluster.note(seen);
    if let (Computed::Known(_), Computed::Known(_)) = planned {
        (cluster.server, cluster.server_version) = planned;
    }
    Ok(())
}

/// Notes how the cluster is. That it is away says nothing about the services, so it is no error here.
pub(super) async fn look(state: &mut LocalServices, context: &Context<Clients>) {
    let Some(cluster) = &mut state.cluster else { return };
    match cluster.ask(context).await {
        Ok(seen) => cluster.note(seen),
        Err(error) => {
            tracing::warn!(%error, "the cluster");
            cluster.status = "unreachable".into();
        }
    }
}
