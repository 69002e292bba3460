//! `external_secret`: the credentials of an environment stay in a store of secrets, and a manifest says where.

mod sources;

use std::path::Path;

use tfplug::{Computed, Diagnostics, Model, Plan};

use super::files::{failed, found};
use super::{Environment, path_of_a_file};
use crate::published;
use crate::published::contract::sha256;
use crate::published::external_secret::{ExternalSecretManifest, Store, render};

/// Where the credentials come from that the endpoints refer to. The External Secrets Operator of the cluster fetches them.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct ExternalSecret {
    /// Path of the manifest, which the overlay lists beside the contract. It holds references only, and may be committed.
    #[model(validate = path_of_a_file)]
    pub file: String,
    /// The store that the operator fetches from; the cluster's own configuration, with access to AWS Secrets Manager for
    /// instance.
    pub secret_store_ref: SecretStoreRef,
    /// How often it is asked for new values, such as `1h` or `15m`.
    #[model(default = "1h", validate = interval)]
    pub refresh_interval: String,
    /// The secret of the database's user.
    pub postgres: Option<RemotePostgres>,
    /// The secret of the cache's password.
    pub redis: Option<RemoteRedis>,
    /// The secret of the object store's access key; not needed where the pods' own role gives access.
    pub s3: Option<RemoteS3>,
}

/// A store of the External Secrets Operator.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct SecretStoreRef {
    /// The name of the `SecretStore` or `ClusterSecretStore`.
    pub name: String,
    /// `ClusterSecretStore`, or `SecretStore` for one of the workloads' namespace.
    #[model(default = "ClusterSecretStore", one_of = ["ClusterSecretStore", "SecretStore"])]
    pub kind: String,
}

/// A secret with a user of PostgreSQL, as RDS makes it for instance.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RemotePostgres {
    /// Its name or ARN in the store.
    #[model(length = 1..=2048)]
    pub key: String,
    /// The property of its JSON that holds the user name.
    #[model(default = "username")]
    pub username_property: String,
    /// The property of its JSON that holds the password.
    #[model(default = "password")]
    pub password_property: String,
}

/// A secret with a password of the cache.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RemoteRedis {
    /// Its name or ARN in the store.
    #[model(length = 1..=2048)]
    pub key: String,
    /// The property of its JSON that holds the user name, where the endpoint names a key for it.
    #[model(default = "username")]
    pub username_property: String,
    /// The property of its JSON that holds the password; null = the secret is the password.
    pub password_property: Option<String>,
}

/// A secret with an access key.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RemoteS3 {
    /// Its name or ARN in the store.
    #[model(length = 1..=2048)]
    pub key: String,
    /// The property of its JSON that holds the access key's id.
    #[model(default = "access_key_id")]
    pub access_key_id_property: String,
    /// The property of its JSON that holds the access key.
    #[model(default = "secret_access_key")]
    pub secret_access_key_property: String,
}

/// Plans `external_secret_sha256`.
pub(super) fn plan(plan: &mut Plan<Environment>) -> Result<(), Diagnostics> {
    match plan.planned() {
        Some(planned) => {
            let text = planned.external_secret_text()?;
            plan.set(
                "external_secret_sha256",
                Computed::<String>::from(text.as_deref().map(sha256)),
            );
        }
        None => plan.set_unknown("external_secret_sha256"),
    }
    Ok(())
}

/// Notes what the manifest on the disk holds; whether it is there.
pub(super) fn look(state: &mut Environment) -> Result<bool, Diagnostics> {
    let Some(wanted) = &state.external_secret else {
        return Ok(false);
    };
    let text = found(
        published::read(&state.external(), Path::new(&wanted.file)),
        "external_secret",
    )?;
    state.external_secret_sha256 = text.as_deref().map(sha256).into();
    Ok(text.is_some())
}

/// Removes the manifest.
pub(super) fn remove(state: &Environment) -> Result<(), Diagnostics> {
    let Some(wanted) = &state.external_secret else {
        return Ok(());
    };
    published::remove(&state.external(), Path::new(&wanted.file))
        .map_err(|error| failed(&error, "external_secret").into())
}

/// Removes the manifest that `planned` no longer has at its place.
pub(super) fn remove_unless_kept(prior: &Environment, planned: &Environment) -> Result<(), Diagnostics> {
    let file = |environment: &Environment| environment.external_secret.as_ref().map(|wanted| wanted.file.clone());
    if file(prior) == file(planned) {
        Ok(())
    } else {
        remove(prior)
    }
}

/// Writes the manifest.
pub(super) fn publish(planned: &mut Environment) -> Result<(), Diagnostics> {
    planned.external_secret_sha256 = Computed::Null;
    let (Some(text), Some(wanted)) = (planned.external_secret_text()?, &planned.external_secret) else {
        return Ok(());
    };
    published::write(&planned.external(), Path::new(&wanted.file), &text)
        .map_err(|error| failed(&error, "external_secret"))?;
    planned.external_secret_sha256 = sha256(&text).into();
    Ok(())
}

impl Environment {
    fn external(&self) -> ExternalSecretManifest<'_> {
        ExternalSecretManifest {
            environment: &self.name,
        }
    }

    /// The manifest's text; `None` without `external_secret`.
    fn external_secret_text(&self) -> Result<Option<String>, Diagnostics> {
        let Some(wanted) = &self.external_secret else {
            return Ok(None);
        };
        let sources = wanted.sources(&self.checked()?)?;
        let store = Store {
            kind: &wanted.secret_store_ref.kind,
            name: &wanted.secret_store_ref.name,
            refresh_interval: &wanted.refresh_interval,
        };
        Ok(Some(render(&self.name, &store, &sources)))
    }
}

fn interval(text: &str) -> Result<(), String> {
    let (digits, unit) = text.split_at(text.len().saturating_sub(1));
    let number: Result<u32, _> = digits.parse();
    if number.is_ok_and(|number| number > 0) && matches!(unit, "s" | "m" | "h") {
        return Ok(());
    }
    Err("must be a number of seconds, minutes or hours, such as 30s, 15m or 1h".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_a_unit() {
        assert!(["30s", "15m", "1h"].iter().all(|good| interval(good).is_ok()));
        assert!(
            ["", "1", "h", "0h", "1d", "-1m"]
                .iter()
                .all(|bad| interval(bad).is_err())
        );
    }
}
