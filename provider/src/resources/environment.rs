//! `mlplat_environment`: one environment's endpoints, checked and published for the manifests.

mod external_secret;
mod files;
mod in_cluster;

use std::path::Path;

use endpoint_contract as contract;
use tfplug::{
    Computed, Config, Context, Diagnostic, Diagnostics, ImportId, Kept, Model, Plan, Resource, Secret, WriteOnly,
};

pub use self::external_secret::ExternalSecret;
use self::files::failed;
pub use self::in_cluster::Kubernetes;
pub(crate) use self::in_cluster::failed as cluster_failed;
use super::credentials::Credentials;
use super::endpoints::Endpoints;
use crate::provider::Clients;
use crate::published::contract::{load, parse, sha256};
use crate::published::secret::Status;
use crate::published::{self, file};

/// Gathers the endpoints of one environment into its contract, checks it, and publishes it for the manifests: as a
/// file, with its credentials as a Secret manifest beside it, and in a cluster as a ConfigMap with its Secrets.
///
/// Both files are written whole or not at all. An edit or a removal shows in the next plan and is undone by the next
/// apply. Files that belong to somebody else are neither overwritten nor removed. Folders are not created: a misspelt
/// path is an error, not a stray tree. Relative paths start where Terraform runs; prefer `${path.module}/…`.
///
/// In a cluster, server-side apply sets the fields as the manager `mlplat`, and the labels `app.kubernetes.io/managed-by`
/// and `mlplat.dev/environment` say whose the objects are. What somebody edits or deletes shows in the next plan and is
/// mended; an object that belongs to somebody else, or that another tool applies too, is neither changed nor deleted. A
/// cluster that does not answer is an error, never an environment that is gone.
///
/// No credential reaches Terraform's plan or state, nor anything derived from one. A plan compares the credentials with
/// the Secret manifest on the disk, and with the Secrets in the cluster, so a new password is noticed and written.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Environment {
    /// Name of the environment, such as `local` or `prod`: a DNS subdomain. The overlay names it in `endpointsFrom`.
    #[model(replace, validate = environment_name)]
    pub name: String,
    /// What the environment offers, usually the `endpoints` of one resource or picked from several.
    pub endpoints: Endpoints,
    /// Path of the contract file that the overlay lists under `resources`. Null = only `kubernetes` is published to.
    #[model(replace, identity, validate = path_of_a_file, at_least_one_of = ["kubernetes"])]
    pub contract_file: Option<String>,
    /// Path of the Secret manifest, readable by its owner only. Keep it out of version control. Null = none is written,
    /// and the Secrets come from elsewhere.
    #[model(validate = path_of_a_file, required_with = ["contract_file"])]
    pub secret_file: Option<String>,
    /// In the place of `secret_file`, for clusters with the External Secrets Operator: a manifest that says where the
    /// credentials are kept, such as in AWS Secrets Manager. Terraform never sees them.
    #[model(conflicts_with = ["secret_file"], required_with = ["contract_file"])]
    pub external_secret: Option<ExternalSecret>,
    /// The cluster into which the environment is published. Null = none.
    pub kubernetes: Option<Kubernetes>,
    /// The values for `secret_file` and for the Secrets in the cluster, usually an ephemeral `mlplat_credentials`. They are
    /// in no plan and no state.
    pub credentials_wo: WriteOnly<Credentials>,
    /// Any number; a new one writes the credentials again, whatever is there.
    #[model(required_with = ["credentials_wo"])]
    pub credentials_wo_version: Option<i64>,
    /// SHA-256 of the contract file in hexadecimal digits; null while the file is gone.
    pub contract_sha256: Computed<String>,
    /// SHA-256 of the ExternalSecret manifest in hexadecimal digits; null while it is gone, and without `external_secret`.
    pub external_secret_sha256: Computed<String>,
    /// `current`, or how the Secret manifest differs from what it should be: `missing`, `exposed` (others can read it) or
    /// `edited` (its keys are not those of the contract). Null without `secret_file`.
    pub secret_file_status: Computed<String>,
}

/// The resource.
pub struct EnvironmentResource;

#[tfplug::async_trait]
impl Resource for EnvironmentResource {
    type Model = Environment;
    type Clients = Clients;

    const TYPE: &'static str = "environment";

    async fn validate(&self, config: &Config<Environment>) -> Diagnostics {
        let mut diagnostics = Diagnostics::none();
        let files: [Computed<String>; 2] = [config.get("contract_file"), config.get("secret_file")];
        if let [Computed::Known(contract), Computed::Known(secret)] = &files
            && contract == secret
        {
            diagnostics.push(
                Diagnostic::error("Contract and Secret manifest are one file")
                    .detail("The contract may be committed, the Secret manifest never. To fix: give each its own path.")
                    .at("secret_file"),
            );
        }
        if config.is_set("credentials_wo") && !config.is_set("secret_file") && !config.is_set("kubernetes") {
            diagnostics.push(
                Diagnostic::error("The credentials go nowhere")
                    .detail("To fix: set `secret_file` or `kubernetes`, or leave out `credentials_wo`.")
                    .at("credentials_wo"),
            );
        }
        if let Computed::Known(name) = config.get::<String>("name")
            && config.is_set("kubernetes")
            && name.len() > 63
        {
            diagnostics.push(
                Diagnostic::error("The name cannot be a label")
                    .detail("Objects in a cluster carry it in a label of at most 63 characters. To fix: shorten it.")
                    .at("name"),
            );
        }
        let refers_to_secrets = ["postgres", "redis", "s3"]
            .iter()
            .any(|protocol| config.is_set(format!("endpoints.{protocol}.credentials").as_str()));
        if config.is_set("secret_file") && !config.is_set("credentials_wo") && refers_to_secrets {
            diagnostics.push(
                Diagnostic::error("Credentials are missing")
                    .detail(
                        "`endpoints` refers to Secrets and `secret_file` should hold them. To fix: set `credentials_wo`, \
                         for instance to `ephemeral.mlplat_credentials.this.credentials`.",
                    )
                    .at("credentials_wo"),
            );
        }
        diagnostics
    }

    async fn plan(&self, context: &Context<Clients>, plan: &mut Plan<Environment>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            return Ok(());
        }
        match (plan.get::<String>("contract_file"), plan.planned()) {
            (Computed::Null, _) => plan.set("contract_sha256", Computed::<String>::Null),
            (_, Some(planned)) => plan.set("contract_sha256", Computed::Known(sha256(&planned.text()?))),
            (_, None) => plan.set_unknown("contract_sha256"),
        }
        match plan.get::<String>("secret_file") {
            Computed::Known(path) => plan_secret(plan, Path::new(&path)),
            Computed::Null => plan.set("secret_file_status", Computed::<String>::Null),
            Computed::Unknown => plan.set_unknown("secret_file_status"),
        }
        Environment::tell_missing_folders(plan);
        external_secret::plan(plan)?;
        in_cluster::plan(context, plan).await
    }

    async fn create(
        &self,
        context: &Context<Clients>,
        mut planned: Environment,
        config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        match planned.publish(context, config.credentials_wo.get()).await {
            Ok(()) => Ok(planned),
            Err(diagnostics) => Err(planned.kept(diagnostics)),
        }
    }

    async fn read(
        &self,
        context: &Context<Clients>,
        mut state: Environment,
    ) -> Result<Option<Environment>, Diagnostics> {
        let contract = state.contract_on_disk()?;
        let status = state.secret_on_disk()?;
        let external = external_secret::look(&mut state)?;
        let in_cluster = in_cluster::look(&mut state, context).await?;
        let no_file = contract.is_none() && matches!(status, None | Some(Status::Missing)) && !external;
        if no_file && in_cluster.as_ref().is_none_or(in_cluster::Found::is_gone) {
            return Ok(None);
        }
        // The plan then shows which endpoint was edited, and the digest tells of any other edit.
        let text = contract
            .as_deref()
            .or(in_cluster.as_ref().and_then(|found| found.contract.as_deref()));
        if let Some(found) = text.and_then(|text| parse(text).ok()) {
            state.endpoints = found.spec.endpoints.into();
        }
        state.contract_sha256 = contract.as_deref().map(sha256).into();
        state.secret_file_status = status.map(|status| status.to_string()).into();
        Ok(Some(state))
    }

    async fn update(
        &self,
        context: &Context<Clients>,
        prior: Environment,
        mut planned: Environment,
        config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        let given = config.credentials_wo.get();
        if prior.secret_file != planned.secret_file {
            prior.remove_secret()?;
        }
        external_secret::remove_unless_kept(&prior, &planned)?;
        in_cluster::retire(&prior, Some(&planned), given.is_some(), context).await?;
        match planned.publish(context, given).await {
            Ok(()) => Ok(planned),
            Err(diagnostics) => {
                in_cluster::remember_secrets(&mut planned, &prior, given.is_some());
                Err(planned.kept(diagnostics))
            }
        }
    }

    async fn delete(&self, context: &Context<Clients>, state: Environment) -> Result<(), Kept<Environment>> {
        in_cluster::retire(&state, None, false, context).await?;
        state.remove_secret()?;
        external_secret::remove(&state)?;
        if let Some(path) = &state.contract_file {
            published::remove(&state.contract(), Path::new(path)).map_err(|error| failed(&error, "contract_file"))?;
        }
        Ok(())
    }

    async fn import(&self, _context: &Context<Clients>, id: ImportId) -> Result<Environment, Diagnostics> {
        let path = match &id {
            ImportId::Id(path) => Some(path.clone()),
            ImportId::Identity(_) => id.get("contract_file"),
        };
        let path = path.filter(|path| !path.is_empty()).ok_or_else(|| {
            Diagnostic::error("The import names no contract file")
                .detail("To fix: give the path of the contract file as the id.")
        })?;
        let found = load(Path::new(&path))
            .map_err(|error| failed(&error, "contract_file"))?
            .ok_or_else(|| {
                Diagnostic::error("There is nothing to import").detail(format!(
                    "The contract file {path} does not exist. To fix: correct the path, or let Terraform create it."
                ))
            })?;
        Ok(Environment {
            name: found.metadata.name,
            endpoints: found.spec.endpoints.into(),
            contract_file: Some(path),
            secret_file: None,
            kubernetes: None,
            external_secret: None,
            credentials_wo: WriteOnly::default(),
            credentials_wo_version: None,
            contract_sha256: Computed::Null,
            external_secret_sha256: Computed::Null,
            secret_file_status: Computed::Null,
        })
    }
}

/// Plans `secret_file_status`. A new password is seen by comparing with the file on the disk, so no trace of it is kept.
///
/// Credentials are read anew in the apply, when the stack they come from may have changed. So the status is unknown, and
/// the comparison made again then, unless this plan leaves the environment as it is.
fn plan_secret(plan: &mut Plan<Environment>, path: &Path) {
    let status = plan.prior().and_then(|prior| prior.secret_file_status.known().cloned());
    if credentials_are_current(plan, "secret_file_status", status.as_deref()) && !holds(plan, path) {
        plan.set_unknown("secret_file_status");
    }
}

/// Plans a status that a look at the credentials given does not change; `true` = that look decides.
fn credentials_are_current(plan: &mut Plan<Environment>, attribute: &str, status: Option<&str>) -> bool {
    let current = Status::Current.to_string();
    match status {
        Some(status) if status != current => plan.set(attribute, current),
        Some(_) if !plan.has_changes() => return true,
        _ => plan.set_unknown(attribute),
    }
    false
}

/// Whether the file holds the credentials that the configuration gives.
fn holds(plan: &Plan<Environment>, path: &Path) -> bool {
    let given = plan.config().get::<Credentials>("credentials_wo");
    // What is missing here may be there in the apply, which tells of it if not.
    let wanted = plan
        .planned()
        .and_then(|planned| planned.secrets(given.known()).ok().flatten());
    let held = file::read(path).ok().flatten();
    !given.is_unknown() && wanted.is_some() && held.as_deref() == wanted.as_ref().map(Secret::expose)
}

fn environment_name(name: &str) -> Result<(), String> {
    if contract::is_dns_subdomain(name) {
        return Ok(());
    }
    Err("must be at most 253 of a-z, 0-9, `-` and `.`, with a letter or digit first and last, such as local".into())
}

fn path_of_a_file(path: &str) -> Result<(), String> {
    if Path::new(path).file_name().is_some() && !path.ends_with('/') && !path.contains('\0') {
        return Ok(());
    }
    Err("must be the path of a file, such as ../kubernetes/overlays/local/endpoints.yaml".into())
}
