//! `mlplat_environment`: one environment's endpoints, checked and published for the manifests.

use std::path::Path;

use endpoint_contract as contract;
use tfplug::{
    Computed, Config, Context, Diagnostic, Diagnostics, ImportId, Kept, Model, Plan, Resource, Secret, WriteOnly,
};

use super::credentials::Credentials;
use super::endpoints::{self, Endpoints};
use crate::provider::Clients;
use crate::published::contract::{Contract, file_text, load, parse, sha256};
use crate::published::secret::{SecretManifest, Status};
use crate::published::{self, PublishError, file, secret};

/// Gathers the endpoints of one environment into its contract, checks it, and publishes it for the manifests: as a
/// file, and with its credentials as a Secret manifest beside it.
///
/// Both files are written whole or not at all. An edit or a removal shows in the next plan and is undone by the next
/// apply. Files that belong to somebody else are neither overwritten nor removed. Folders are not created: a misspelt
/// path is an error, not a stray tree. Relative paths start where Terraform runs; prefer `${path.module}/…`.
///
/// No credential reaches Terraform's plan or state, nor anything derived from one. A plan compares the credentials with
/// the Secret manifest on the disk instead, so a new password is noticed and written.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Environment {
    /// Name of the environment, such as `local` or `prod`: a DNS subdomain. The overlay names it in `endpointsFrom`.
    #[model(replace, validate = environment_name)]
    pub name: String,
    /// What the environment offers, usually the `endpoints` of one resource or picked from several.
    pub endpoints: Endpoints,
    /// Path of the contract file that the overlay lists under `resources`.
    #[model(replace, identity, validate = path_of_a_file)]
    pub contract_file: String,
    /// Path of the Secret manifest, readable by its owner only. Keep it out of version control. Null = none is written,
    /// and the Secrets come from elsewhere.
    #[model(validate = path_of_a_file)]
    pub secret_file: Option<String>,
    /// The values for `secret_file`, usually an ephemeral `mlplat_credentials`. They are in no plan and no state.
    #[model(required_with = ["secret_file"])]
    pub credentials_wo: WriteOnly<Credentials>,
    /// Any number; a new one writes `secret_file` again, whatever it holds.
    #[model(required_with = ["credentials_wo"])]
    pub credentials_wo_version: Option<i64>,
    /// SHA-256 of the contract file in hexadecimal digits; null while the file is gone.
    pub contract_sha256: Computed<String>,
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

    async fn plan(&self, _context: &Context<Clients>, plan: &mut Plan<Environment>) -> Result<(), Diagnostics> {
        if plan.is_destroy() {
            return Ok(());
        }
        match plan.planned() {
            Some(planned) => plan.set("contract_sha256", Computed::Known(sha256(&planned.text()?))),
            None => plan.set_unknown("contract_sha256"),
        }
        match plan.get::<String>("secret_file") {
            Computed::Known(path) => plan_secret(plan, Path::new(&path)),
            Computed::Null => plan.set("secret_file_status", Computed::<String>::Null),
            Computed::Unknown => plan.set_unknown("secret_file_status"),
        }
        Ok(())
    }

    async fn create(
        &self,
        _context: &Context<Clients>,
        mut planned: Environment,
        config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        let secrets = planned.secrets(config.credentials_wo.get())?;
        match planned.publish(secrets.as_ref()) {
            Ok(()) => Ok(planned),
            Err(diagnostics) => Err(planned.kept(diagnostics)),
        }
    }

    async fn read(
        &self,
        _context: &Context<Clients>,
        mut state: Environment,
    ) -> Result<Option<Environment>, Diagnostics> {
        let contract = state.contract_on_disk()?;
        let status = state.secret_on_disk()?;
        if contract.is_none() && matches!(status, None | Some(Status::Missing)) {
            return Ok(None);
        }
        // The plan then shows which endpoint was edited, and the digest tells of any other edit.
        if let Some(found) = contract.as_deref().and_then(|text| parse(text).ok()) {
            state.endpoints = found.spec.endpoints.into();
        }
        state.contract_sha256 = contract.as_deref().map(sha256).into();
        state.secret_file_status = status.map(|status| status.to_string()).into();
        Ok(Some(state))
    }

    async fn update(
        &self,
        _context: &Context<Clients>,
        prior: Environment,
        mut planned: Environment,
        config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        let secrets = planned.secrets(config.credentials_wo.get())?;
        if prior.secret_file != planned.secret_file {
            prior.remove_secret()?;
        }
        match planned.publish(secrets.as_ref()) {
            Ok(()) => Ok(planned),
            Err(diagnostics) => Err(planned.kept(diagnostics)),
        }
    }

    async fn delete(&self, _context: &Context<Clients>, state: Environment) -> Result<(), Kept<Environment>> {
        state.remove_secret()?;
        published::remove(&state.contract(), Path::new(&state.contract_file))
            .map_err(|error| failed(&error, "contract_file"))?;
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
            contract_file: path,
            secret_file: None,
            credentials_wo: WriteOnly::default(),
            credentials_wo_version: None,
            contract_sha256: Computed::Null,
            secret_file_status: Computed::Null,
        })
    }
}

/// Plans `secret_file_status`. A new password is seen by comparing with the file on the disk, so no trace of it is kept.
///
/// Credentials are read anew in the apply, when the stack they come from may have changed. So the status is unknown, and
/// the comparison made again then, unless this plan leaves the environment as it is.
fn plan_secret(plan: &mut Plan<Environment>, path: &Path) {
    let status = plan.prior().and_then(|prior| prior.secret_file_status.known());
    let was_current = *status.unwrap_or(&String::new()) == Status::Current.to_string();
    if status.is_some() && !was_current {
        plan.set("secret_file_status", Status::Current.to_string());
    } else if !was_current || plan.has_changes() || !holds(plan, path) {
        plan.set_unknown("secret_file_status");
    }
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

impl Environment {
    fn contract(&self) -> Contract<'_> {
        Contract {
            environment: &self.name,
        }
    }

    fn manifest(&self) -> SecretManifest<'_> {
        SecretManifest {
            environment: &self.name,
        }
    }

    fn checked(&self) -> Result<contract::Endpoints, Diagnostics> {
        self.endpoints.to_contract(&"endpoints".into())
    }

    /// The contract file's text.
    fn text(&self) -> Result<String, Diagnostics> {
        file_text(&self.name, &self.checked()?).map_err(|error| endpoints::diagnostics(&error, &tfplug::Path::root()))
    }

    /// The Secret manifest's text; `None` without `secret_file`.
    fn secrets(&self, given: Option<&Credentials>) -> Result<Option<Secret>, Diagnostics> {
        if self.secret_file.is_none() {
            return Ok(None);
        }
        let none = Credentials::default();
        let given = given.unwrap_or(&none);
        let values = given.values(&self.checked()?, &"credentials_wo".into())?;
        let values = values
            .iter()
            .map(|(key, value)| (key.clone(), value.expose()))
            .collect();
        Ok(Some(Secret::new(secret::render(&self.name, &values))))
    }

    /// Writes the Secret manifest first: whoever sees the contract finds its Secrets too.
    fn publish(&mut self, secrets: Option<&Secret>) -> Result<(), Diagnostics> {
        let text = self.text()?;
        self.secret_file_status = Computed::Null;
        if let (Some(path), Some(secrets)) = (&self.secret_file, secrets) {
            published::write(&self.manifest(), Path::new(path), secrets.expose())
                .map_err(|error| failed(&error, "secret_file"))?;
            self.secret_file_status = Status::Current.to_string().into();
        }
        if let Err(error) = published::write(&self.contract(), Path::new(&self.contract_file), &text) {
            self.contract_sha256 = self.contract_on_disk().ok().flatten().as_deref().map(sha256).into();
            return Err(failed(&error, "contract_file").into());
        }
        self.contract_sha256 = sha256(&text).into();
        Ok(())
    }

    /// What is kept when publishing failed: a Secret manifest that was written belongs to the state, or to nobody.
    fn kept(self, diagnostics: Diagnostics) -> Kept<Self> {
        if self.secret_file_status.known().is_some() {
            Kept::with(self, diagnostics)
        } else {
            diagnostics.into()
        }
    }

    fn remove_secret(&self) -> Result<(), Diagnostics> {
        let Some(path) = &self.secret_file else { return Ok(()) };
        published::remove(&self.manifest(), Path::new(path)).map_err(|error| failed(&error, "secret_file").into())
    }

    /// `None` when the file is gone, or is somebody else's by now.
    fn contract_on_disk(&self) -> Result<Option<String>, Diagnostics> {
        found(
            published::read(&self.contract(), Path::new(&self.contract_file)),
            "contract_file",
        )
    }

    /// `None` without `secret_file`.
    fn secret_on_disk(&self) -> Result<Option<Status>, Diagnostics> {
        let Some(path) = &self.secret_file else { return Ok(None) };
        let path = Path::new(path);
        let text = found(published::read(&self.manifest(), path), "secret_file")?;
        let keys = self
            .checked()
            .map(|endpoints| endpoints.secret_keys())
            .unwrap_or_default();
        Ok(Some(secret::status(text.as_deref(), file::mode(path), keys)))
    }
}

fn found(read: Result<Option<String>, PublishError>, attribute: &str) -> Result<Option<String>, Diagnostics> {
    match read {
        Ok(text) => Ok(text),
        Err(PublishError::Foreign { .. }) => Ok(None),
        Err(error) => Err(failed(&error, attribute).into()),
    }
}

fn failed(error: &PublishError, attribute: &str) -> Diagnostic {
    Diagnostic::error("The environment's files cannot be read or written")
        .detail(format!("{error}."))
        .at(attribute)
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
