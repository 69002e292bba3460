//! Redis, Valkey and whatever else speaks RESP.

use serde::{Deserialize, Serialize};

use crate::names::{check_object_name, check_secret_key};
use crate::problem::Checker;
use crate::variable::Variables;
use crate::{HostPort, Protocol, Variable, View};

const HOST_PORT: &str = "applications by convention (Spring, Laravel, Node and Python services)";
const REDIS_URL: &str = "redis-py, redis-rs, ioredis, go-redis, Celery, Sidekiq (as a URL)";

/// A cache.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redis {
    /// Where the host reaches it.
    pub host: HostPort,
    /// Where pods reach it; absent = they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<HostPort>,
    /// Number of the logical database, 0 on a cluster.
    #[serde(default)]
    pub database: u32,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Where the password is kept; absent = the server asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<RedisCredentials>,
}

/// Keys of the Secret that holds a password of Redis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisCredentials {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the user name; absent = the server's default user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username_key: Option<String>,
    /// Key of the password. It is put into `REDIS_URL` as it is, so it must be safe in a URL unless `urlKey` is given.
    pub password_key: String,
    /// Key of a complete connection URL; absent = `REDIS_URL` is composed from the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_key: Option<String>,
}

impl RedisCredentials {
    /// The default user's password under the usual key, in the Secret of that name.
    #[must_use]
    pub fn in_secret(name: impl Into<String>) -> Self {
        Self {
            secret_name: name.into(),
            username_key: None,
            password_key: "redis.password".into(),
            url_key: None,
        }
    }
}

impl Redis {
    /// `None` when the endpoint has no such view.
    pub(crate) fn variables(&self, view: View, list: &mut Vec<Variable>) -> Option<()> {
        let at = match view {
            View::Host => &self.host,
            View::Cluster => self.cluster.as_ref()?,
        };
        let scheme = if self.tls { "rediss" } else { "redis" };
        let place = format!("{}/{}", at.authority(), self.database);
        let mut add = Variables::of(Protocol::Redis, list);
        add.literal("REDIS_HOST", &at.address, HOST_PORT);
        add.literal("REDIS_PORT", at.port.to_string(), HOST_PORT);
        let Some(secret) = &self.credentials else {
            add.literal("REDIS_URL", format!("{scheme}://{place}"), REDIS_URL);
            return Some(());
        };
        if let Some(key) = &secret.username_key {
            add.secret("REDIS_USERNAME", &secret.secret_name, key, HOST_PORT);
        }
        add.secret("REDIS_PASSWORD", &secret.secret_name, &secret.password_key, HOST_PORT);
        let user = if secret.username_key.is_some() {
            "$(REDIS_USERNAME)"
        } else {
            ""
        };
        match &secret.url_key {
            Some(key) => add.secret("REDIS_URL", &secret.secret_name, key, REDIS_URL),
            None => add.composed(
                "REDIS_URL",
                format!("{scheme}://{user}:$(REDIS_PASSWORD)@{place}"),
                REDIS_URL,
            ),
        }
        Some(())
    }

    pub(crate) fn check(&self, at: &mut Checker) {
        at.field("host", |at| self.host.check(at));
        if let Some(cluster) = &self.cluster {
            at.field("cluster", |at| cluster.check(at));
        }
        let Some(secret) = &self.credentials else { return };
        at.field("credentials", |at| {
            at.field("secretName", |at| check_object_name(at, &secret.secret_name));
            if let Some(key) = &secret.username_key {
                at.field("usernameKey", |at| check_secret_key(at, key));
            }
            at.field("passwordKey", |at| check_secret_key(at, &secret.password_key));
            if let Some(key) = &secret.url_key {
                at.field("urlKey", |at| check_secret_key(at, key));
            }
        });
    }
}
