//! Which secret of the store each key of a Secret is made from.

use std::collections::BTreeMap;

use endpoint_contract as contract;
use endpoint_contract::{Protocol, SecretKey};
use tfplug::{Diagnostic, Diagnostics};

use super::ExternalSecret;
use crate::published::external_secret::Source;

impl ExternalSecret {
    /// The source of every Secret key that the endpoints refer to.
    pub(super) fn sources(&self, endpoints: &contract::Endpoints) -> Result<BTreeMap<SecretKey, Source>, Diagnostics> {
        let mut sources = Sources::default();
        let templates = endpoints.url_templates();
        let of = |name: &String, key: &String| SecretKey {
            name: name.clone(),
            key: key.clone(),
        };
        if let Some(endpoint) = &endpoints.postgres {
            let keys = &endpoint.credentials;
            match &self.postgres {
                None => sources.missing(Protocol::Postgres),
                Some(remote) => {
                    let secret = &keys.secret_name;
                    sources.put(secret, &keys.username_key, &remote.key, Some(&remote.username_property));
                    sources.put(secret, &keys.password_key, &remote.key, Some(&remote.password_property));
                    if let Some(key) = &keys.url_key {
                        sources.template(secret, key, &templates[&of(secret, key)]);
                    }
                }
            }
        }
        if let Some(keys) = endpoints.redis.as_ref().and_then(|redis| redis.credentials.as_ref()) {
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
                        sources.template(secret, key, &templates[&of(secret, key)]);
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

#[cfg(test)]
mod tests {
    use endpoint_contract::in_url;

    use super::super::{RemotePostgres, RemoteRedis, SecretStoreRef};
    use super::*;
    use crate::published::contract::parse;

    fn cloud() -> contract::Endpoints {
        parse(include_str!("../../../../contract/fixtures/v1alpha1/cloud.yaml"))
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
}
