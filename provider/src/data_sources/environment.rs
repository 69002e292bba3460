//! `mlplat_environment`: reads a published contract back.

use std::path::Path;

use tfplug::{Computed, Context, DataSource, Diagnostic, Diagnostics, Model};

use crate::clients::kubernetes::Target;
use crate::provider::Clients;
use crate::published::cluster::find_contract;
use crate::published::contract::{load, parse};
use crate::resources::endpoints::Endpoints;
use crate::resources::environment::cluster_failed;

/// Reads the contract of an environment that was published elsewhere: by another configuration, or by hand. It is
/// checked like one of ours.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Environment {
    /// Path of the contract file. A relative one starts where Terraform runs; prefer `${path.module}/…`.
    #[model(exactly_one_of = ["kubernetes"])]
    pub contract_file: Option<String>,
    /// Where the contract is in a cluster.
    pub kubernetes: Option<Kubernetes>,
    /// Name of the environment.
    pub name: Computed<String>,
    /// What the environment offers.
    pub endpoints: Computed<Endpoints>,
}

/// A ConfigMap that holds a contract under the key `endpoints.yaml`.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Kubernetes {
    /// Path of the kubeconfig file.
    pub kubeconfig: String,
    /// Name of the context in it.
    pub context: String,
    /// The ConfigMap's namespace.
    pub namespace: String,
    /// The ConfigMap's name.
    #[model(default = "mlplat-environment")]
    pub config_map_name: String,
}

/// The data source.
pub struct EnvironmentData;

#[tfplug::async_trait]
impl DataSource for EnvironmentData {
    type Model = Environment;
    type Clients = Clients;

    const TYPE: &'static str = "environment";

    async fn read(&self, context: &Context<Clients>, config: Environment) -> Result<Environment, Diagnostics> {
        let found = match (&config.contract_file, &config.kubernetes) {
            (Some(path), _) => load(Path::new(path))
                .map_err(|error| failed("contract_file", format!("{error}.")))?
                .ok_or_else(|| {
                    failed(
                        "contract_file",
                        format!("{path} does not exist. To fix: correct the path, or apply the configuration that writes it."),
                    )
                })?,
            (None, Some(kubernetes)) => parse(&kubernetes.contract(context).await?).map_err(|why| {
                failed(
                    "kubernetes",
                    format!("The ConfigMap holds no valid endpoint contract: {why}. To fix: apply the configuration that makes it."),
                )
            })?,
            (None, None) => {
                return Err(Diagnostic::bug("neither `contract_file` nor `kubernetes` is set").into());
            }
        };
        Ok(Environment {
            name: found.metadata.name.into(),
            endpoints: Endpoints::from(found.spec.endpoints).into(),
            ..config
        })
    }
}

impl Kubernetes {
    async fn contract(&self, context: &Context<Clients>) -> Result<String, Diagnostics> {
        let target = Target {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
        };
        let found = async {
            let cluster = context.clients().clusters.open(&target).await?;
            find_contract(&cluster, &self.namespace, &self.config_map_name).await
        };
        let found = found.await.map_err(|error| cluster_failed(&error.into()))?;
        found.ok_or_else(|| {
            let place = format!("{}/{}", self.namespace, self.config_map_name);
            failed(
                "kubernetes",
                format!(
                    "There is no ConfigMap {place} with a key `endpoints.yaml`. To fix: correct `namespace` and \
                     `config_map_name`, or apply the configuration that makes it."
                ),
            )
            .into()
        })
    }
}

fn failed(attribute: &str, detail: String) -> Diagnostic {
    Diagnostic::error("The endpoint contract cannot be read")
        .detail(detail)
        .at(attribute)
}
