//! The part of `mlplat_environment` that is published into a cluster.

use std::collections::{BTreeMap, BTreeSet};

use endpoint_contract::{SecretKey, is_dns_label, is_dns_subdomain};
use tfplug::{Computed, Context, Diagnostic, Diagnostics, Model, Path, Plan, Secret};

use super::{Environment, credentials_are_current};
use crate::clients::kubernetes::{self, Cluster, KubernetesError, Target};
use crate::provider::Clients;
use crate::published::cluster::{ClusterError, Publication, by_name};
use crate::published::contract::sha256;
use crate::published::secret::Status;
use crate::resources::credentials::Credentials;

/// A namespace of a cluster, and what is published there.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Kubernetes {
    /// Path of the kubeconfig file. It is always named, and so is the context: an apply does not depend on where a shell
    /// points at.
    #[model(length = 1..=4096)]
    pub kubeconfig: String,
    /// Name of the context in it. Another one is another place: what was published is deleted there and made here.
    #[model(length = 1..=1024)]
    pub context: String,
    /// The namespace of the workloads, which must exist. Another one is another place too.
    #[model(validate = namespace)]
    pub namespace: String,
    /// Name of the ConfigMap that holds the contract, under the key `endpoints.yaml`.
    #[model(default = "mlplat-environment", validate = object_name)]
    pub config_map_name: String,
    /// SHA-256 of the contract in the ConfigMap in hexadecimal digits; null while it is gone.
    pub contract_sha256: Computed<String>,
    /// `current`, or how the Secrets differ from what they should be: `missing`, or `edited` (a value or a key was changed).
    /// Null without `credentials_wo`: then the Secrets come from elsewhere.
    pub secret_status: Computed<String>,
}

/// What is found in the cluster.
pub(super) struct Found {
    /// The contract's text; `None` when it is gone, or somebody else's by now.
    pub(super) contract: Option<String>,
    /// `None` when the Secrets come from elsewhere.
    secrets: Option<Status>,
}

impl Found {
    pub(super) fn is_gone(&self) -> bool {
        self.contract.is_none() && matches!(self.secrets, None | Some(Status::Missing))
    }
}

impl Kubernetes {
    async fn open(&self, context: &Context<Clients>) -> Result<Cluster, Diagnostics> {
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        let opened = context.clients().clusters.open(&target).await;
        opened.map_err(|error| failed(&error.into()).into())
    }

    fn publication<'p>(&'p self, cluster: &'p Cluster, environment: &'p str) -> Publication<'p> {
        Publication {
            cluster,
            environment,
            namespace: &self.namespace,
        }
    }
}

/// Plans what will be in the cluster. Like the Secret manifest, the Secrets are compared with the credentials given.
pub(super) async fn plan(context: &Context<Clients>, plan: &mut Plan<Environment>) -> Result<(), Diagnostics> {
    if !matches!(plan.get::<String>("kubernetes.config_map_name"), Computed::Known(_)) {
        return Ok(());
    }
    if let (Computed::Known(kubeconfig), Computed::Known(name)) =
        (plan.get("kubernetes.kubeconfig"), plan.get("kubernetes.context"))
        && let Some(warning) = kubernetes::warning(&Target {
            kubeconfig,
            context: name,
        })
    {
        plan.tell(warning.at("kubernetes.kubeconfig"));
    }
    if plan.prior().is_some_and(|prior| prior.kubernetes.is_some()) {
        for place in ["context", "namespace", "config_map_name"] {
            let path = Path::root().attribute("kubernetes").attribute(place);
            if plan.changes(&path) {
                plan.require_replace(&path);
            }
        }
    }
    let planned = plan.planned();
    match &planned {
        Some(planned) => {
            let digest = sha256(&planned.contract_yaml()?);
            plan.set("kubernetes.contract_sha256", Computed::Known(digest));
        }
        None => plan.set_unknown("kubernetes.contract_sha256"),
    }
    if !plan.config().is_set("credentials_wo") {
        plan.set("kubernetes.secret_status", Computed::<String>::Null);
        return Ok(());
    }
    let prior = plan.prior().and_then(|prior| prior.kubernetes.clone());
    let status = prior.and_then(|prior| prior.secret_status.into_known());
    let given = plan.config().get::<Credentials>("credentials_wo");
    let may_be_current = credentials_are_current(plan, "kubernetes.secret_status", status.as_deref());
    if may_be_current && !holds(context, planned.as_ref(), &given).await? {
        plan.set_unknown("kubernetes.secret_status");
    }
    Ok(())
}

/// Whether the Secrets hold the credentials that the configuration gives.
async fn holds(
    context: &Context<Clients>,
    planned: Option<&Environment>,
    given: &Computed<Credentials>,
) -> Result<bool, Diagnostics> {
    let (Some(planned), Some(given)) = (planned, given.known()) else {
        return Ok(false);
    };
    let Some(kubernetes) = &planned.kubernetes else {
        return Ok(true);
    };
    // What is missing here may be there in the apply, which tells of it if not.
    let Ok(values) = planned.values(given) else {
        return Ok(false);
    };
    let cluster = kubernetes.open(context).await?;
    let held = kubernetes.publication(&cluster, &planned.name).holds(&values).await;
    held.map_err(|error| failed(&error.into()).into())
}

/// Publishes the Secrets first: whoever sees the contract finds its Secrets too.
pub(super) async fn publish(
    environment: &mut Environment,
    context: &Context<Clients>,
    values: Option<&BTreeMap<SecretKey, Secret>>,
) -> Result<(), Diagnostics> {
    let text = environment.contract_yaml()?;
    let Environment { name, kubernetes, .. } = environment;
    let Some(kubernetes) = kubernetes else { return Ok(()) };
    let cluster = kubernetes.open(context).await?;
    let secrets: BTreeSet<_> = values
        .iter()
        .flat_map(|values| values.keys())
        .map(|key| key.name.as_str())
        .collect();
    let claimed = kubernetes
        .publication(&cluster, name)
        .claim(&kubernetes.config_map_name, secrets)
        .await;
    claimed.map_err(|error| failed(&error))?;
    if let Some(values) = values {
        for (secret, values) in by_name(values.iter()) {
            let published = kubernetes
                .publication(&cluster, name)
                .publish_secret(secret, &values)
                .await;
            published.map_err(|error| failed(&error))?;
            // Until the last one is there. Whoever destroys has to know that there is something.
            kubernetes.secret_status = Status::Edited.to_string().into();
        }
        kubernetes.secret_status = Status::Current.to_string().into();
    }
    let publication = kubernetes.publication(&cluster, name);
    let published = publication.publish_contract(&kubernetes.config_map_name, &text).await;
    published.map_err(|error| failed(&error))?;
    kubernetes.contract_sha256 = sha256(&text).into();
    Ok(())
}

/// Notes after a failure that Secrets which were published before are still there.
pub(super) fn remember_secrets(planned: &mut Environment, prior: &Environment, keeps_secrets: bool) {
    let before = prior.kubernetes.as_ref().and_then(|prior| prior.secret_status.known());
    if let Some(kubernetes) = &mut planned.kubernetes
        && kubernetes.secret_status.is_null()
        && before.is_some()
        && keeps_secrets
    {
        kubernetes.secret_status = Status::Edited.to_string().into();
    }
}

/// What is there now, noted in the state; `None` without a cluster.
pub(super) async fn look(state: &mut Environment, context: &Context<Clients>) -> Result<Option<Found>, Diagnostics> {
    let keys = state.secret_keys();
    let Environment { name, kubernetes, .. } = state;
    let Some(kubernetes) = kubernetes else { return Ok(None) };
    let cluster = kubernetes.open(context).await?;
    let publication = kubernetes.publication(&cluster, name);
    let asked = async {
        let contract = publication.contract(&kubernetes.config_map_name).await?;
        let secrets = match kubernetes.secret_status.known() {
            Some(_) => Some(publication.secret_status(&keys).await?),
            None => None,
        };
        Ok::<_, KubernetesError>(Found { contract, secrets })
    };
    let found = asked.await.map_err(|error| failed(&error.into()))?;
    kubernetes.contract_sha256 = found.contract.as_deref().map(sha256).into();
    kubernetes.secret_status = found.secrets.map(|status| status.to_string()).into();
    Ok(Some(found))
}

/// Deletes what `prior` published and `planned` does not; without `planned`, everything. Only what is ours.
pub(super) async fn retire(
    prior: &Environment,
    planned: Option<&Environment>,
    keeps_secrets: bool,
    context: &Context<Clients>,
) -> Result<(), Diagnostics> {
    let Some(kubernetes) = &prior.kubernetes else {
        return Ok(());
    };
    let planned = planned.filter(|planned| planned.kubernetes.is_some());
    let kept: BTreeSet<_> = planned
        .filter(|_| keeps_secrets)
        .map(|planned| planned.secret_names())
        .unwrap_or_default();
    let mut secrets = prior.secret_names();
    secrets.retain(|name| kubernetes.secret_status.known().is_some() && !kept.contains(name));
    if planned.is_some() && secrets.is_empty() {
        return Ok(());
    }
    let cluster = kubernetes.open(context).await?;
    let publication = kubernetes.publication(&cluster, &prior.name);
    let removed = async {
        if planned.is_none() {
            publication.remove_contract(&kubernetes.config_map_name).await?;
        }
        publication.remove_secrets(secrets.iter().map(String::as_str)).await
    };
    removed.await.map_err(|error| failed(&error.into()).into())
}

/// One problem, at the argument that it is about.
pub(crate) fn failed(error: &ClusterError) -> Diagnostic {
    let at = match error {
        ClusterError::Kubernetes(KubernetesError::Kubeconfig { .. }) => Some("kubeconfig"),
        ClusterError::Kubernetes(
            KubernetesError::NoContext { .. } | KubernetesError::Login { .. } | KubernetesError::Unauthorized { .. },
        ) => Some("context"),
        ClusterError::Kubernetes(
            KubernetesError::NoNamespace { .. }
            | KubernetesError::Terminating { .. }
            | KubernetesError::Forbidden { .. },
        ) => Some("namespace"),
        ClusterError::Kubernetes(
            KubernetesError::Away { .. }
            | KubernetesError::Untrusted { .. }
            | KubernetesError::Strange { .. }
            | KubernetesError::NotThere { .. }
            | KubernetesError::Conflicts { .. }
            | KubernetesError::Refused { .. },
        )
        | ClusterError::Foreign { .. }
        | ClusterError::Shared { .. } => None,
    };
    let path = Path::root().attribute("kubernetes");
    let path = at.map_or_else(|| path.clone(), |at| path.attribute(at));
    Diagnostic::error("The environment's place in the cluster cannot be read or written")
        .detail(format!("{error}."))
        .at(&path)
}

#[expect(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]
fn namespace(name: &String) -> Result<(), String> {
    if is_dns_label(name) {
        return Ok(());
    }
    Err("must be the name of a namespace: at most 63 of a-z, 0-9 and `-`, such as mlplat-demo".into())
}

#[expect(clippy::ptr_arg, reason = "a rule is given a reference to the field's type")]
fn object_name(name: &String) -> Result<(), String> {
    if is_dns_subdomain(name) {
        return Ok(());
    }
    Err("must be the name of a ConfigMap: a-z, 0-9, `-` and `.`, such as mlplat-environment".into())
}
