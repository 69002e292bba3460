//! Credentials as Terraform passes them on: from the ephemeral resource to write-only arguments, never into a state.

use std::collections::BTreeMap;

use endpoint_contract::{Endpoints, Postgres, Redis, S3, SecretKey};
use tfplug::{Diagnostic, Diagnostics, Model, Path, Secret};

/// What the endpoints of an environment ask for; null = the environment has no such endpoint, or it asks for nothing.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The database's user.
    pub postgres: Option<PostgresCredentials>,
    /// The cache's user.
    pub redis: Option<RedisCredentials>,
    /// The object store's access key.
    pub s3: Option<S3Credentials>,
}

/// A PostgreSQL user.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct PostgresCredentials {
    /// The user's name.
    pub username: String,
    /// The user's password.
    pub password: Secret,
}

/// A user of the cache.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RedisCredentials {
    /// The user's name; null = the server's default user.
    pub username: Option<String>,
    /// The user's password.
    pub password: Secret,
}

/// An access key.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct S3Credentials {
    /// The key's id.
    pub access_key_id: String,
    /// The key itself.
    pub secret_access_key: Secret,
}

impl Credentials {
    /// The value of every Secret key that the endpoints refer to.
    ///
    /// # Errors
    /// When one is missing, or cannot stand in the URL that is composed of it: at its attribute below `at`.
    pub fn values(&self, endpoints: &Endpoints, at: &Path) -> Result<BTreeMap<SecretKey, Secret>, Diagnostics> {
        let mut values = Values {
            values: BTreeMap::new(),
            diagnostics: Diagnostics::none(),
        };
        if let Some(endpoint) = &endpoints.postgres {
            values.of_postgres(endpoint, self.postgres.as_ref(), &at.attribute("postgres"));
        }
        if let Some(endpoint) = &endpoints.redis {
            values.of_redis(endpoint, self.redis.as_ref(), &at.attribute("redis"));
        }
        if let Some(endpoint) = &endpoints.s3 {
            values.of_s3(endpoint, self.s3.as_ref(), &at.attribute("s3"));
        }
        values.diagnostics.or_ok(values.values)
    }
}

struct Values {
    values: BTreeMap<SecretKey, Secret>,
    diagnostics: Diagnostics,
}

impl Values {
    fn of_postgres(&mut self, endpoint: &Postgres, given: Option<&PostgresCredentials>, at: &Path) {
        let keys = &endpoint.credentials;
        let Some(given) = given else {
            return self.missing("postgres", at);
        };
        if keys.url_key.is_some() {
            return self.complete_url("postgres");
        }
        self.in_url(&given.username, "DATABASE_URL", &at.attribute("username"));
        self.in_url(given.password.expose(), "DATABASE_URL", &at.attribute("password"));
        self.put(
            &keys.secret_name,
            &keys.username_key,
            Secret::new(&given.username),
            &at.attribute("username"),
        );
        self.put(
            &keys.secret_name,
            &keys.password_key,
            given.password.clone(),
            &at.attribute("password"),
        );
    }

    fn of_redis(&mut self, endpoint: &Redis, given: Option<&RedisCredentials>, at: &Path) {
        let Some(keys) = &endpoint.credentials else { return };
        let Some(given) = given else {
            return self.missing("redis", at);
        };
        if keys.url_key.is_some() {
            return self.complete_url("redis");
        }
        if let Some(key) = &keys.username_key {
            let at = at.attribute("username");
            let Some(username) = &given.username else {
                return self.missing("redis", &at);
            };
            self.in_url(username, "REDIS_URL", &at);
            self.put(&keys.secret_name, key, Secret::new(username), &at);
        }
        self.in_url(given.password.expose(), "REDIS_URL", &at.attribute("password"));
        self.put(
            &keys.secret_name,
            &keys.password_key,
            given.password.clone(),
            &at.attribute("password"),
        );
    }

    fn of_s3(&mut self, endpoint: &S3, given: Option<&S3Credentials>, at: &Path) {
        let Some(keys) = &endpoint.credentials else { return };
        let Some(given) = given else {
            return self.missing("s3", at);
        };
        let (id, key) = (at.attribute("access_key_id"), at.attribute("secret_access_key"));
        self.put(
            &keys.secret_name,
            &keys.access_key_id_key,
            Secret::new(&given.access_key_id),
            &id,
        );
        self.put(
            &keys.secret_name,
            &keys.secret_access_key_key,
            given.secret_access_key.clone(),
            &key,
        );
    }

    fn put(&mut self, name: &str, key: &str, value: Secret, at: &Path) {
        let key = SecretKey {
            name: name.into(),
            key: key.into(),
        };
        match self.values.get(&key) {
            Some(other) if *other != value => self.diagnostics.push(
                Diagnostic::error("Two credentials share one key of a Secret")
                    .detail(format!(
                        "The {key} should hold `{at}` and another credential, and they differ. To fix: give each its own \
                         key in `endpoints`."
                    ))
                    .at(at),
            ),
            _ => {
                self.values.insert(key, value);
            }
        }
    }

    fn missing(&mut self, protocol: &str, at: &Path) {
        self.diagnostics.push(
            Diagnostic::error("Credentials are missing")
                .detail(format!(
                    "`endpoints.{protocol}` refers to a Secret, and `{at}` is null, so nothing can be written into it. \
                     To fix: set it, for instance from an ephemeral `mlplat_credentials` whose stack is running, or \
                     leave out `secret_file` and `credentials_wo` if that Secret comes from elsewhere."
                ))
                .at(at),
        );
    }

    fn complete_url(&mut self, protocol: &str) {
        let at = Path::root()
            .attribute("endpoints")
            .attribute(protocol)
            .attribute("credentials")
            .attribute("url_key");
        self.diagnostics.push(
            Diagnostic::error("A complete URL cannot be written")
                .detail(
                    "`secret_file` holds user names, passwords and access keys only. To fix: leave out `url_key`, and the \
                     URL is composed of them, or leave out `secret_file` if that Secret comes from elsewhere.",
                )
                .at(&at),
        );
    }

    /// Kubernetes pastes the value into a URL as it is. The value itself is not repeated.
    fn in_url(&mut self, value: &str, variable: &str, at: &Path) {
        if !value
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        {
            self.diagnostics.push(
                Diagnostic::error("The credential cannot stand in a URL")
                    .detail(format!(
                        "`{at}` becomes part of {variable} as it is, and it holds a character that means something else \
                         there. To fix: use letters, digits, `-`, `.`, `_` and `~` only."
                    ))
                    .at(at),
            );
        }
    }
}
