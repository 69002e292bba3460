//! The endpoint contract: what infrastructure hands to applications, and nothing else.
//!
//! Terraform writes an [`EnvironmentEndpoints`] document, the KRM functions read it. There is one type per
//! *protocol* ([`Postgres`], [`Redis`], [`S3`]), not per product, so a reader cannot tell a laptop from a cloud.
//! Each endpoint is seen from two sides ([`View`]), and credentials appear as references to Secret keys only.
//!
//! Types, their validation and the variables made from them live here. No I/O, no async, no YAML library:
//! any serde format reads and writes the types.
//!
//! ```
//! use endpoint_contract::{Endpoints, EnvironmentEndpoints, HostPort, Postgres, PostgresCredentials, SslMode, View};
//!
//! let contract = EnvironmentEndpoints::new("local", Endpoints {
//!     postgres: Some(Postgres {
//!         host: HostPort { address: "127.0.0.1".into(), port: 15432 },
//!         cluster: None,
//!         database: "artefacts".into(),
//!         ssl_mode: SslMode::Disable,
//!         credentials: PostgresCredentials::in_secret("mlplat-credentials"),
//!     }),
//!     ..Endpoints::default()
//! });
//! contract.validate()?;
//! let names: Vec<_> = contract.spec.endpoints.variables(View::Host)?.iter().map(|v| v.name).collect();
//! assert_eq!(names, ["PGHOST", "PGPORT", "PGDATABASE", "PGSSLMODE", "PGUSER", "PGPASSWORD", "DATABASE_URL"]);
//! # Ok::<(), endpoint_contract::ContractError>(())
//! ```

mod address;
mod endpoints;
mod environment;
mod names;
mod postgres;
mod problem;
mod profile;
mod redis;
mod s3;
#[cfg(test)]
mod schema;
mod template;
mod variable;
mod view;

pub use address::{HostPort, Origin};
pub use endpoints::{Endpoints, Protocol};
pub use environment::{API_VERSION, ApiVersion, EnvironmentEndpoints, KIND, Kind, Metadata, Spec};
pub use names::{is_dns_label, is_dns_subdomain, is_secret_key};
pub use postgres::{Postgres, PostgresCredentials, SslMode};
pub use problem::{ContractError, Problem, Step};
pub use profile::Profile;
pub use redis::{Redis, RedisCredentials};
pub use s3::{S3, S3Credentials};
pub use template::in_url;
pub use variable::{SecretKey, Variable, VariableValue};
pub use view::View;

/// The Secret that endpoints refer to when nobody names another one.
pub const DEFAULT_SECRET_NAME: &str = "mlplat-credentials";
