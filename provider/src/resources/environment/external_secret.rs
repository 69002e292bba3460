//! `external_secret`: the credentials of an environment stay in a store of secrets, and a manifest says where.

use std::collections::BTreeMap;
use std::path::Path;

use endpoint_contract as contract;
use endpoint_contract::{Protocol, SecretKey, VariableValue, View};
use tfplug::{Computed, Diagnostic, Diagnostics, Model, Plan};

use super::files::{failed, found};
use super::{Environment, path_of_a_file};
use crate::published;
use crate::published::contract::sha256;
use crate::published::external_secret::{ExternalSecretManifest, Source, Store, in_url, render};

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

impl ExternalSecret {
    /// The source of every Secret key that the endpoints refer to.
    fn sources(&self, endpoints: &contract::Endpoints) -> Result<BTreeMap<SecretKey, Source>, Diagnostics> {
        let mut sources = Sources::default();
        if let Some(endpoint) = &endpoints.postgres {
            let keys = &endpoint.credentials;
            match &self.postgres {
                None => sources.missing(Protocol::Postgres),
                Some(remote) => {
                    let secret = &keys.secret_name;
                    sources.put(secret, &keys.username_key, &remote.key, Some(&remote.username_property));
                    sources.put(secret, &keys.password_key, &remote.key, Some(&remote.password_property));
                    if let Some(key) = &keys.url_key {
                        let mut composed = endpoint.clone();
                        composed.credentials.url_key = None;
                        let endpoints = contract::Endpoints {
                            postgres: Some(composed),
                            ..contract::Endpoints::default()
                        };
                        let parts = [("PGUSER", &keys.username_key), ("PGPASSWORD", &keys.password_key)];
                        sources.template(secret, key, &url(&endpoints, "DATABASE_URL", &parts));
                    }
                }
            }
        }
        if let Some((endpoint, keys)) = endpoints
            .redis
            .as_ref()
            .and_then(|redis| Some((redis, redis.credentials.as_ref()?)))
        {
            match &self.redis {
                None => sources.missing(Protocol::Redis),
                Some(remote) => {
                    let secret = &keys.secret_name;
                    if let Some(key) = &keys.username_key {
                        sources.put(secret, key, &remote.key, Some(&remote.username_property));
                    }
                    sources.put(
                        secret,
                        &keys.password_key,
                        &remote.key,
                        remote.password_property.as_deref(),
                    );
                    if let Some(key) = &keys.url_key {
                        let mut composed = endpoint.clone();
                        composed.credentials.iter_mut().for_each(|keys| keys.url_key = None);
                        let endpoints = contract::Endpoints {
                            redis: Some(composed),
                            ..contract::Endpoints::default()
                        };
                        let user = keys.username_key.as_ref().map(|key| ("REDIS_USERNAME", key));
                        let parts: Vec<_> = user
                            .into_iter()
                            .chain([("REDIS_PASSWORD", &keys.password_key)])
                            .collect();
                        sources.template(secret, key, &url(&endpoints, "REDIS_URL", &parts));
                    }
                }
            }
        }
        if let Some(keys) = endpoints.s3.as_ref().and_then(|s3| s3.credentials.as_ref()) {
            match &self.s3 {
                None => sources.missing(Protocol::S3),
                Some(remote) => {
                    let secret = &keys.secret_name;
                    let (id, key) = (&remote.access_key_id_property, &remote.secret_access_key_property);
                    sources.put(secret, &keys.access_key_id_key, &remote.key, Some(id));
                    sources.put(secret, &keys.secret_access_key_key, &remote.key, Some(key));
                }
            }
        }
        sources.diagnostics.or_ok(sources.found)
    }
}

/// The template of a URL that is otherwise composed of variables, as pods see the endpoint where they do.
fn url(endpoints: &contract::Endpoints, variable: &str, parts: &[(&str, &String)]) -> String {
    let seen = endpoints
        .variables(View::Cluster)
        .or_else(|_| endpoints.variables(View::Host));
    let list = seen.expect("every endpoint has a host view");
    let url = list.into_iter().find(|found| found.name == variable);
    let Some(VariableValue::Composed(url)) = url.map(|found| found.value) else {
        unreachable!("{variable} is composed where no key holds it")
    };
    parts
        .iter()
        .fold(url, |url, (name, key)| url.replace(&format!("$({name})"), &in_url(key)))
}

#[derive(Default)]
struct Sources {
    found: BTreeMap<SecretKey, Source>,
    diagnostics: Diagnostics,
}

impl Sources {
    fn put(&mut self, secret: &str, key: &str, remote: &str, property: Option<&str>) {
        let source = Source::Remote {
            key: remote.to_owned(),
            property: property.map(ToOwned::to_owned),
        };
        self.insert(secret, key, source);
    }

    fn template(&mut self, secret: &str, key: &str, text: &str) {
        self.insert(secret, key, Source::Template(text.to_owned()));
    }

    fn insert(&mut self, secret: &str, key: &str, source: Source) {
        let key = SecretKey {
            name: secret.to_owned(),
            key: key.to_owned(),
        };
        match self.found.get(&key) {
            Some(other) if *other != source => self.diagnostics.push(
                Diagnostic::error("Two credentials share one key of a Secret")
                    .detail(format!(
                        "The {key} should hold two credentials, and they come from two places. To fix: give each its own key \
                         in `endpoints`."
                    ))
                    .at("endpoints"),
            ),
            _ => {
                self.found.insert(key, source);
            }
        }
    }

    fn missing(&mut self, protocol: Protocol) {
        self.diagnostics.push(
            Diagnostic::error("Credentials are missing")
                .detail(format!(
                    "`endpoints.{protocol}` refers to a Secret, and nothing says which secret of the store it is made from. To \
                     fix: set `external_secret.{protocol}`."
                ))
                .at("external_secret"),
        );
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
    use crate::published::contract::parse;

    fn cloud() -> contract::Endpoints {
        parse(include_str!("../../../contract/fixtures/v1alpha1/cloud.yaml"))
            .unwrap()
            .spec
            .endpoints
    }

    fn wanted() -> ExternalSecret {
        ExternalSecret {
            file: "external-secret.yaml".into(),
            secret_store_ref: SecretStoreRef {
                name: "aws".into(),
                kind: "ClusterSecretStore".into(),
            },
            refresh_interval: "1h".into(),
            postgres: Some(RemotePostgres {
                key: "rds!db-1".into(),
                username_property: "username".into(),
                password_property: "password".into(),
            }),
            redis: Some(RemoteRedis {
                key: "app/cache".into(),
                username_property: "user".into(),
                password_property: Some("token".into()),
            }),
            s3: None,
        }
    }

    #[test]
    fn every_key_that_the_contract_refers_to_has_a_source_and_urls_are_encoded() {
        let endpoints = cloud();
        let sources = wanted().sources(&endpoints).unwrap();
        assert!(sources.keys().eq(endpoints.secret_keys().iter()));
        let of = |name: &str, key: &str| {
            sources[&SecretKey {
                name: name.into(),
                key: key.into(),
            }]
                .clone()
        };
        let remote = |key: &str, property: &str| Source::Remote {
            key: key.into(),
            property: Some(property.into()),
        };
        assert_eq!(of("app-db", "password"), remote("rds!db-1", "password"));
        assert_eq!(of("app-cache", "username"), remote("app/cache", "user"));
        let (user, password) = (in_url("username"), in_url("password"));
        assert_eq!(
            of("app-db", "url"),
            Source::Template(format!(
                "postgresql://{user}:{password}@db.c1a2b3.eu-central-1.rds.amazonaws.com:5432/artefacts?sslmode=verify-full"
            ))
        );
        assert_eq!(
            of("app-cache", "url"),
            Source::Template(format!(
                "rediss://{user}:{password}@cache.c1a2b3.euc1.cache.amazonaws.com:6379/3"
            ))
        );
    }

    #[test]
    fn an_endpoint_without_a_secret_of_the_store_is_named() {
        let missing = ExternalSecret {
            redis: None,
            ..wanted()
        };
        let errors = missing.sources(&cloud()).unwrap_err();
        let details: Vec<_> = errors.iter().map(|error| error.detail.clone()).collect();
        assert!(
            details.len() == 1 && details[0].contains("external_secret.redis"),
            "{details:?}"
        );
    }

    #[test]
    fn two_credentials_for_one_key_are_refused() {
        let mut endpoints = cloud();
        let redis = endpoints.redis.as_mut().unwrap().credentials.as_mut().unwrap();
        redis.secret_name = "app-db".into();
        assert!(wanted().sources(&endpoints).is_err());
    }

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
