//! Redis, Valkey and whatever else speaks RESP.

use serde::{Deserialize, Serialize};

use crate::Profile::{Airflow, Celery, Redis as Convention, RedisCli, RedisUrl, SpringBoot};
use crate::names::{check_object_name, check_secret_key};
use crate::problem::Checker;
use crate::variable::Variables;
use crate::{HostPort, Profile, Protocol, Variable, View};

/// The names of the connection URL.
const URLS: [(&str, &[Profile]); 4] = [
    ("REDIS_URL", &[RedisUrl]),
    ("CELERY_BROKER_URL", &[Celery]),
    ("CELERY_RESULT_BACKEND", &[Celery]),
    ("AIRFLOW__CELERY__BROKER_URL", &[Airflow]),
];

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
        let address = format!("{view}.address");
        let mut add = Variables::of(Protocol::Redis, list);
        add.literal("REDIS_HOST", &address, &at.address, &[Convention]);
        add.literal("REDIS_PORT", format!("{view}.port"), at.port.to_string(), &[Convention]);
        let key = |key| (self.credentials.as_ref().map_or("", |secret| &secret.secret_name), key);
        let user_key = self
            .credentials
            .as_ref()
            .and_then(|secret| secret.username_key.as_ref());
        if let Some(user) = user_key {
            add.secret("REDIS_USERNAME", "usernameKey", key(user), &[Convention]);
        }
        if let Some(secret) = &self.credentials {
            let password = key(&secret.password_key);
            add.secret("REDIS_PASSWORD", "passwordKey", password, &[Convention]);
        }
        let user = if user_key.is_some() { "$(REDIS_USERNAME)" } else { "" };
        for (name, readers) in URLS {
            // Celery refuses a URL with TLS that does not say how the certificate is checked.
            let checked = if self.tls && name != "REDIS_URL" {
                "?ssl_cert_reqs=CERT_REQUIRED"
            } else {
                ""
            };
            match &self.credentials {
                None => add.literal(name, "", format!("{scheme}://{place}{checked}"), readers),
                Some(RedisCredentials { url_key: Some(url), .. }) => add.secret(name, "urlKey", key(url), readers),
                Some(_) => {
                    let url = format!("{scheme}://{user}:$(REDIS_PASSWORD)@{place}{checked}");
                    add.composed(name, url, readers);
                }
            }
        }
        if let Some(secret) = &self.credentials {
            let password = key(&secret.password_key);
            add.secret("REDISCLI_AUTH", "passwordKey", password, &[RedisCli]);
        }
        add.literal("SPRING_DATA_REDIS_HOST", &address, &at.address, &[SpringBoot]);
        add.literal(
            "SPRING_DATA_REDIS_PORT",
            format!("{view}.port"),
            at.port.to_string(),
            &[SpringBoot],
        );
        add.literal(
            "SPRING_DATA_REDIS_DATABASE",
            "database",
            self.database.to_string(),
            &[SpringBoot],
        );
        add.literal(
            "SPRING_DATA_REDIS_SSL_ENABLED",
            "tls",
            self.tls.to_string(),
            &[SpringBoot],
        );
        if let Some(user) = user_key {
            add.secret("SPRING_DATA_REDIS_USERNAME", "usernameKey", key(user), &[SpringBoot]);
        }
        if let Some(secret) = &self.credentials {
            let password = key(&secret.password_key);
            add.secret("SPRING_DATA_REDIS_PASSWORD", "passwordKey", password, &[SpringBoot]);
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
