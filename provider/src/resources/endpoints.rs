//! Endpoints as Terraform sees them: the contract's types in snake case, the same for whoever offers or gathers them.
//!
//! [`From`] makes a model of a contract, [`Endpoints::to_contract`] a checked contract of a model.

use endpoint_contract as contract;
use endpoint_contract::{ContractError, Problem, SslMode};
use tfplug::{Diagnostic, Diagnostics, Model, Path};

/// Where applications find what an environment offers, one entry per protocol; null = the environment has none.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// A PostgreSQL database.
    pub postgres: Option<PostgresEndpoint>,
    /// A cache that speaks RESP: Redis or Valkey.
    pub redis: Option<RedisEndpoint>,
    /// An object store that speaks S3.
    pub s3: Option<S3Endpoint>,
}

/// A PostgreSQL database.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct PostgresEndpoint {
    /// Where the machine that runs Terraform reaches it.
    pub host: Address,
    /// Where pods reach it; null = they cannot.
    pub cluster: Option<Address>,
    /// Name of the database.
    pub database: String,
    /// How the connection is protected, in libpq's words.
    #[model(one_of = ["disable", "require", "verify-full"])]
    pub ssl_mode: String,
    /// Where user name and password are kept.
    pub credentials: PostgresKeys,
}

/// A cache.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RedisEndpoint {
    /// Where the machine that runs Terraform reaches it.
    pub host: Address,
    /// Where pods reach it; null = they cannot.
    pub cluster: Option<Address>,
    /// Number of the logical database.
    #[model(default = 0)]
    pub database: u32,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Where the password is kept; null = the server asks for none.
    pub credentials: Option<RedisKeys>,
}

/// An object store.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct S3Endpoint {
    /// Where the machine that runs Terraform reaches it.
    pub host: Origin,
    /// Where pods reach it; null = they cannot.
    pub cluster: Option<Origin>,
    /// The region that requests are signed for.
    pub region: String,
    /// `true` = buckets stand in the path (`http://host/bucket`), `false` = in the host name, as on AWS.
    pub force_path_style: bool,
    /// Names of the buckets; the first is the main one.
    #[model(default = Vec::new())]
    pub buckets: Vec<String>,
    /// Where the access key is kept; null = the pod's own role gives access.
    pub credentials: Option<S3Keys>,
}

/// A TCP address.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A DNS name or an IP address, IPv6 without brackets.
    pub address: String,
    /// The TCP port.
    #[model(range = 1..=65535)]
    pub port: u16,
}

/// Where an HTTP service is.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http://` or `https://`, host, and port when it is not the scheme's own.
    pub url: String,
}

/// The Secret that holds a PostgreSQL user. Names and keys only, never values.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct PostgresKeys {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the user name.
    #[model(default = "postgres.username")]
    pub username_key: String,
    /// Key of the password.
    #[model(default = "postgres.password")]
    pub password_key: String,
    /// Key of a complete connection URL; null = `DATABASE_URL` is composed from the other fields.
    pub url_key: Option<String>,
}

/// The Secret that holds the cache's password. Names and keys only, never values.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct RedisKeys {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the user name; null = the server's default user.
    pub username_key: Option<String>,
    /// Key of the password.
    #[model(default = "redis.password")]
    pub password_key: String,
    /// Key of a complete connection URL; null = `REDIS_URL` is composed from the other fields.
    pub url_key: Option<String>,
}

/// The Secret that holds an access key. Names and keys only, never values.
#[derive(Model, Clone, Debug, PartialEq, Eq)]
pub struct S3Keys {
    /// Name of the Secret, in the namespace of the workload.
    pub secret_name: String,
    /// Key of the access key's id.
    #[model(default = "s3.accessKeyId")]
    pub access_key_id_key: String,
    /// Key of the secret access key.
    #[model(default = "s3.secretAccessKey")]
    pub secret_access_key_key: String,
}

impl Endpoints {
    /// The contract of these endpoints, checked.
    ///
    /// # Errors
    /// For every wrong field, at its attribute below `at`.
    pub fn to_contract(&self, at: &Path) -> Result<contract::Endpoints, Diagnostics> {
        let contract = contract::Endpoints {
            postgres: match self.postgres.clone() {
                Some(endpoint) => Some(endpoint.to_contract(&at.attribute("postgres"))?),
                None => None,
            },
            redis: self.redis.clone().map(Into::into),
            s3: self.s3.clone().map(Into::into),
        };
        match contract.validate() {
            Ok(()) => Ok(contract),
            Err(error) => Err(diagnostics(&error, at)),
        }
    }
}

/// One diagnostic for each wrong field of a contract whose endpoints stand at `at`.
#[must_use]
pub fn diagnostics(error: &ContractError, at: &Path) -> Diagnostics {
    match error {
        ContractError::Invalid(problems) => problems.iter().map(|problem| diagnostic(problem, at)).collect(),
        ContractError::MissingView { protocol, .. } => Diagnostic::error("The endpoint cannot be reached from there")
            .detail(format!("{error}."))
            .at(at.attribute(protocol.to_string()))
            .into(),
    }
}

fn diagnostic(problem: &Problem, at: &Path) -> Diagnostic {
    let path = problem.path.iter().fold(at.clone(), |path, step| match step {
        contract::Step::Field(name) => path.attribute(snake_case(name)),
        contract::Step::Index(index) => path.index(*index),
    });
    Diagnostic::error("The endpoint is not valid")
        .detail(format!("{path}: {}. To fix: {}.", problem.what, problem.fix))
        .at(&path)
}

/// `sslMode` → `ssl_mode`.
fn snake_case(name: &str) -> String {
    name.chars().fold(String::new(), |mut snake, letter| {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}

impl PostgresEndpoint {
    fn to_contract(&self, at: &Path) -> Result<contract::Postgres, Diagnostics> {
        let ssl_mode = SslMode::ALL
            .into_iter()
            .find(|mode| mode.as_str() == self.ssl_mode)
            .ok_or_else(|| {
                Diagnostic::error("The endpoint is not valid")
                .detail(format!(
                    "{:?} is no protection of a connection. To fix: set `ssl_mode` to disable, require or verify-full.",
                    self.ssl_mode
                ))
                .at(at.attribute("ssl_mode"))
            })?;
        Ok(contract::Postgres {
            host: self.host.clone().into(),
            cluster: self.cluster.clone().map(Into::into),
            database: self.database.clone(),
            ssl_mode,
            credentials: self.credentials.clone().into(),
        })
    }
}

/// Conversions in both directions between structs whose fields have the same names.
macro_rules! same_fields {
    ($($model:ident = $contract:ty { $($plain:ident),* $(; $($option:ident),*)? })*) => {$(
        impl From<$model> for $contract {
            fn from(model: $model) -> Self {
                Self { $($plain: model.$plain.into(),)* $($($option: model.$option.map(Into::into),)*)? }
            }
        }

        impl From<$contract> for $model {
            fn from(contract: $contract) -> Self {
                Self { $($plain: contract.$plain.into(),)* $($($option: contract.$option.map(Into::into),)*)? }
            }
        }
    )*};
}

same_fields! {
    Address = contract::HostPort { address, port }
    Origin = contract::Origin { url }
    PostgresKeys = contract::PostgresCredentials { secret_name, username_key, password_key, url_key }
    RedisKeys = contract::RedisCredentials { secret_name, username_key, password_key, url_key }
    S3Keys = contract::S3Credentials { secret_name, access_key_id_key, secret_access_key_key }
    RedisEndpoint = contract::Redis { host, database, tls; cluster, credentials }
    S3Endpoint = contract::S3 { host, region, force_path_style, buckets; cluster, credentials }
}

impl From<contract::Postgres> for PostgresEndpoint {
    fn from(contract: contract::Postgres) -> Self {
        Self {
            host: contract.host.into(),
            cluster: contract.cluster.map(Into::into),
            database: contract.database,
            ssl_mode: contract.ssl_mode.as_str().into(),
            credentials: contract.credentials.into(),
        }
    }
}

impl From<contract::Endpoints> for Endpoints {
    fn from(contract: contract::Endpoints) -> Self {
        Self {
            postgres: contract.postgres.map(Into::into),
            redis: contract.redis.map(Into::into),
            s3: contract.s3.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::published::contract::parse;

    #[test]
    fn a_contract_survives_the_way_through_the_model() {
        for text in [
            include_str!("../../contract/fixtures/v1alpha1/local.yaml"),
            include_str!("../../contract/fixtures/v1alpha1/cloud.yaml"),
            include_str!("../../contract/fixtures/v1alpha1/cache-alone.yaml"),
        ] {
            let contract = parse(text).unwrap().spec.endpoints;
            let model = Endpoints::from(contract.clone());
            assert_eq!(model.to_contract(&Path::root()).unwrap(), contract);
        }
    }

    #[test]
    fn a_wrong_field_is_named_as_terraform_names_it() {
        let contract = parse(include_str!("../../contract/fixtures/v1alpha1/local.yaml"))
            .unwrap()
            .spec
            .endpoints;
        let mut model = Endpoints::from(contract);
        let store = model.s3.as_mut().unwrap();
        store.buckets[1] = "Reports".into();
        store.credentials.as_mut().unwrap().access_key_id_key = "a b".into();
        model.postgres.as_mut().unwrap().ssl_mode = "prefer".into();
        let at = Path::root().attribute("endpoints");
        let paths = |wrong: Diagnostics| wrong.iter().map(|wrong| wrong.path.to_string()).collect::<Vec<_>>();
        assert_eq!(
            paths(model.to_contract(&at).unwrap_err()),
            ["endpoints.postgres.ssl_mode"]
        );
        model.postgres.as_mut().unwrap().ssl_mode = "require".into();
        let wrong = model.to_contract(&at).unwrap_err();
        assert_eq!(
            paths(wrong),
            ["endpoints.s3.buckets[1]", "endpoints.s3.credentials.access_key_id_key"]
        );
    }
}
