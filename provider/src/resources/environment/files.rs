//! What one environment publishes, as texts and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use endpoint_contract as contract;
use endpoint_contract::SecretKey;
use tfplug::{Computed, Context, Diagnostic, Diagnostics, Kept, Plan, Secret};

use super::{Environment, external_secret, in_cluster};
use crate::provider::Clients;
use crate::published::contract::{Contract, file_text, render, sha256};
use crate::published::secret::{SecretManifest, Status};
use crate::published::{self, PublishError, file, secret};
use crate::resources::credentials::Credentials;
use crate::resources::endpoints;

impl Environment {
    pub(super) fn contract(&self) -> Contract<'_> {
        Contract {
            environment: &self.name,
        }
    }

    pub(super) fn manifest(&self) -> SecretManifest<'_> {
        SecretManifest {
            environment: &self.name,
        }
    }

    pub(super) fn checked(&self) -> Result<contract::Endpoints, Diagnostics> {
        self.endpoints.to_contract(&"endpoints".into())
    }

    /// The contract file's text.
    pub(super) fn text(&self) -> Result<String, Diagnostics> {
        file_text(&self.name, &self.checked()?).map_err(|error| endpoints::diagnostics(&error, &tfplug::Path::root()))
    }

    /// The contract alone, as the cluster gets it.
    pub(super) fn contract_yaml(&self) -> Result<String, Diagnostics> {
        render(&self.name, &self.checked()?).map_err(|error| endpoints::diagnostics(&error, &tfplug::Path::root()))
    }

    /// Every key of a Secret to which the endpoints refer; none while they are not valid.
    pub(super) fn secret_keys(&self) -> BTreeSet<SecretKey> {
        self.checked()
            .map(|endpoints| endpoints.secret_keys())
            .unwrap_or_default()
    }

    /// The Secrets to which the endpoints refer.
    pub(super) fn secret_names(&self) -> BTreeSet<String> {
        self.secret_keys().into_iter().map(|key| key.name).collect()
    }

    /// The value of every key of a Secret to which the endpoints refer.
    pub(super) fn values(&self, given: &Credentials) -> Result<BTreeMap<SecretKey, Secret>, Diagnostics> {
        given.values(&self.checked()?, &"credentials_wo".into())
    }

    /// The Secret manifest's text; `None` without `secret_file`.
    pub(super) fn secrets(&self, given: Option<&Credentials>) -> Result<Option<Secret>, Diagnostics> {
        if self.secret_file.is_none() {
            return Ok(None);
        }
        let values = self.values(given.unwrap_or(&Credentials::default()))?;
        let values = values
            .iter()
            .map(|(key, value)| (key.clone(), value.expose()))
            .collect();
        Ok(Some(Secret::new(secret::render(&self.name, &values))))
    }

    /// Publishes everything. What the model says then is what was done, whether all went well or not.
    pub(super) async fn publish(
        &mut self,
        context: &Context<Clients>,
        given: Option<&Credentials>,
    ) -> Result<(), Diagnostics> {
        self.secret_file_status = Computed::Null;
        self.contract_sha256 = Computed::Null;
        if let Some(kubernetes) = &mut self.kubernetes {
            kubernetes.secret_status = Computed::Null;
            kubernetes.contract_sha256 = Computed::Null;
        }
        let secrets = self.secrets(given)?;
        let values = match given.filter(|_| self.kubernetes.is_some()) {
            Some(given) => Some(self.values(given)?),
            None => None,
        };
        self.write_files(secrets.as_ref())?;
        in_cluster::publish(self, context, values.as_ref()).await
    }

    /// Writes the Secret manifest first: whoever sees the contract finds its Secrets too.
    pub(super) fn write_files(&mut self, secrets: Option<&Secret>) -> Result<(), Diagnostics> {
        let text = self.text()?;
        if let (Some(path), Some(secrets)) = (&self.secret_file, secrets) {
            published::write(&self.manifest(), Path::new(path), secrets.expose())
                .map_err(|error| failed(&error, "secret_file"))?;
            self.secret_file_status = Status::Current.to_string().into();
        }
        external_secret::publish(self)?;
        let Some(path) = &self.contract_file else { return Ok(()) };
        if let Err(error) = published::write(&self.contract(), Path::new(path), &text) {
            self.contract_sha256 = self.contract_on_disk().ok().flatten().as_deref().map(sha256).into();
            return Err(failed(&error, "contract_file").into());
        }
        self.contract_sha256 = sha256(&text).into();
        Ok(())
    }

    /// What is kept when publishing failed: what was written belongs to the state, or to nobody.
    pub(super) fn kept(self, diagnostics: Diagnostics) -> Kept<Self> {
        let in_cluster = self.kubernetes.as_ref().and_then(|there| there.secret_status.known());
        let done = [
            self.secret_file_status.known(),
            self.external_secret_sha256.known(),
            self.contract_sha256.known(),
            in_cluster,
        ];
        if done.iter().any(Option::is_some) {
            Kept::with(self, diagnostics)
        } else {
            diagnostics.into()
        }
    }

    /// Says which folders are missing. A plan cannot tell whether something makes them before, so it is not an error yet;
    /// but an apply makes the services first, and fails when they are there.
    pub(super) fn tell_missing_folders(plan: &mut Plan<Self>) {
        let mut told = BTreeSet::new();
        for attribute in ["contract_file", "secret_file", "external_secret.file"] {
            let Computed::Known(path) = plan.get::<String>(attribute) else {
                continue;
            };
            let folder = Path::new(&path)
                .parent()
                .filter(|folder| !folder.as_os_str().is_empty());
            let Some(folder) = folder.filter(|folder| !folder.exists() && told.insert(folder.to_path_buf())) else {
                continue;
            };
            let folder = folder.display();
            plan.tell(
                Diagnostic::warning(format!("The folder {folder} does not exist"))
                    .detail(format!(
                        "The apply fails unless something creates it before: mlplat writes {path}, and creates no folders. \
                         To fix: mkdir -p {folder}, or correct the path."
                    ))
                    .at(attribute),
            );
        }
    }

    pub(super) fn remove_secret(&self) -> Result<(), Diagnostics> {
        let Some(path) = &self.secret_file else { return Ok(()) };
        published::remove(&self.manifest(), Path::new(path)).map_err(|error| failed(&error, "secret_file").into())
    }

    /// `None` when the file is gone, or is somebody else's by now.
    pub(super) fn contract_on_disk(&self) -> Result<Option<String>, Diagnostics> {
        let Some(path) = &self.contract_file else {
            return Ok(None);
        };
        found(published::read(&self.contract(), Path::new(path)), "contract_file")
    }

    /// `None` without `secret_file`.
    pub(super) fn secret_on_disk(&self) -> Result<Option<Status>, Diagnostics> {
        let Some(path) = &self.secret_file else { return Ok(None) };
        let path = Path::new(path);
        let text = found(published::read(&self.manifest(), path), "secret_file")?;
        Ok(Some(secret::status(
            text.as_deref(),
            file::mode(path),
            self.secret_keys(),
        )))
    }
}

pub(super) fn found(
    read: Result<Option<String>, PublishError>,
    attribute: &str,
) -> Result<Option<String>, Diagnostics> {
    match read {
        Ok(text) => Ok(text),
        Err(PublishError::Foreign { .. }) => Ok(None),
        Err(error) => Err(failed(&error, attribute).into()),
    }
}

pub(super) fn failed(error: &PublishError, attribute: &str) -> Diagnostic {
    Diagnostic::error("The environment's files cannot be read or written")
        .detail(format!("{error}."))
        .at(attribute)
}
