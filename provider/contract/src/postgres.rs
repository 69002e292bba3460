//! PostgreSQL.

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::Profile::{Airflow, DatabaseUrl, Libpq, MlflowServer, SpringBoot};
use crate::names::{check_object_name, check_secret_key};
use crate::problem::Checker;
use crate::variable::Variables;
use crate::{HostPort, Profile, Protocol, Variable, View};

/// The names of the connection URL.
const URLS: [(&str, &[Profile]); 3] = [
    ("DATABASE_URL", &[DatabaseUrl]),
    ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", &[Airflow]),
    ("MLFLOW_BACKEND_STORE_URI", &[MlflowServer]),
];

/// A PostgreSQL database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Postgres {
    /// Where the host reaches it.
    pub host: HostPort,
    /// Where pods reach it; absent = they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<HostPort>,
    /// Name of the database.
    pub database: String,
    /// How the connection is protected.
    pub ssl_mode: SslMode,
    /// Where user name and password are kept.
    pub credentials: PostgresCredentials,
}

/// libpq's `sslmode`, without the values that fall back to plain text silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum SslMode {
    /// Plain text: for loopback only.
    Disable,
    /// Encrypted; the server's certificate is not checked.
    Require,
    /// Encrypted; certificate and host name are checked.
    VerifyFull,
}

impl SslMode {
    /// Every mode, weakest first.
    pub const ALL: [Self; 3] = [Self::Disable, Self::Require, Self::VerifyFull];

    /// The word that libpq knows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Require => "require",
            Self::VerifyFull => "verify-full",
        }
    }
}

impl fmt::Display for SslMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Keys of the Secret that holds a PostgreSQL user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresCredentials {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the user name.
    pub username_key: String,
    /// Key of the password. It is put into `DATABASE_URL` as it is, so it must be safe in a URL unless `urlKey` is given.
    pub password_key: String,
    /// Key of a complete connection URL; absent = `DATABASE_URL` is composed from the other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_key: Option<String>,
}

impl PostgresCredentials {
    /// The usual keys, in the Secret of that name.
    #[must_use]
    pub fn in_secret(name: impl Into<String>) -> Self {
        Self {
            secret_name: name.into(),
            username_key: "postgres.username".into(),
            password_key: "postgres.password".into(),
            url_key: None,
        }
    }
}

impl Postgres {
    /// `None` when the endpoint has no such view.
    pub(crate) fn variables(&self, view: View, list: &mut Vec<Variable>) -> Option<()> {
        let at = match view {
            View::Host => &self.host,
            View::Cluster => self.cluster.as_ref()?,
        };
        let secret = &self.credentials;
        let database = utf8_percent_encode(&self.database, NON_ALPHANUMERIC);
        let place = format!("{}/{database}?sslmode={}", at.authority(), self.ssl_mode);
        let key = |key| (secret.secret_name.as_str(), key);
        let (user, password) = (key(&secret.username_key), key(&secret.password_key));
        let mut add = Variables::of(Protocol::Postgres, list);
        add.literal("PGHOST", format!("{view}.address"), &at.address, &[Libpq]);
        add.literal("PGPORT", format!("{view}.port"), at.port.to_string(), &[Libpq]);
        add.literal("PGDATABASE", "database", &self.database, &[Libpq]);
        add.literal("PGSSLMODE", "sslMode", self.ssl_mode.as_str(), &[Libpq]);
        add.secret("PGUSER", "usernameKey", user, &[Libpq]);
        add.secret("PGPASSWORD", "passwordKey", password, &[Libpq]);
        for (name, readers) in URLS {
            match &secret.url_key {
                Some(url) => add.secret(name, "urlKey", key(url), readers),
                None => {
                    let url = format!("postgresql://$(PGUSER):$(PGPASSWORD)@{place}");
                    add.composed(name, url, readers);
                }
            }
        }
        add.literal(
            "SPRING_DATASOURCE_URL",
            "",
            format!("jdbc:postgresql://{place}"),
            &[SpringBoot],
        );
        add.secret("SPRING_DATASOURCE_USERNAME", "usernameKey", user, &[SpringBoot]);
        add.secret("SPRING_DATASOURCE_PASSWORD", "passwordKey", password, &[SpringBoot]);
        Some(())
    }

    pub(crate) fn check(&self, at: &mut Checker) {
        at.field("host", |at| self.host.check(at));
        if let Some(cluster) = &self.cluster {
            at.field("cluster", |at| cluster.check(at));
        }
        at.field("database", |at| {
            let name = &self.database;
            if name.is_empty() || name.len() > 63 || name.chars().any(char::is_control) || name.contains("$(") {
                at.problem(
                    format!("{name:?} cannot be the name of a database"),
                    "use 1 to 63 bytes without control characters and without `$(`, such as artefacts",
                );
            }
        });
        at.field("credentials", |at| {
            let secret = &self.credentials;
            at.field("secretName", |at| check_object_name(at, &secret.secret_name));
            at.field("usernameKey", |at| check_secret_key(at, &secret.username_key));
            at.field("passwordKey", |at| check_secret_key(at, &secret.password_key));
            if let Some(key) = &secret.url_key {
                at.field("urlKey", |at| check_secret_key(at, key));
            }
        });
    }
}
