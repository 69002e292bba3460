//! Everything that the provider offers, as tables: one line each.

use tfplug::Provider;

use crate::config::{Config, ConfigError};
use crate::data_sources::aws_s3_bucket::S3BucketData;
use crate::data_sources::environment::EnvironmentData;
use crate::ephemeral::credentials::CredentialsEphemeral;
use crate::functions::render_endpoints::RenderEndpoints;
use crate::functions::render_env::RenderEnv;
use crate::provider::Root;
use crate::resources::aws::s3_bucket::S3BucketResource;
use crate::resources::environment::EnvironmentResource;
use crate::resources::local_services::LocalServicesResource;

/// Namespace and name in `required_providers`.
pub const SOURCE: &str = "mlplat/mlplat";

/// The provider, for Terraform, for tests and for its documentation.
#[must_use]
pub fn provider(config: Result<Config, ConfigError>) -> Provider {
    Provider::builder("mlplat", env!("CARGO_PKG_VERSION"), Root(config))
        // resources
        .resource(S3BucketResource)
        .resource(EnvironmentResource)
        .resource(LocalServicesResource)
        // data sources
        .data_source(S3BucketData)
        .data_source(EnvironmentData)
        // ephemeral resources
        .ephemeral(CredentialsEphemeral)
        // functions
        .function(RenderEndpoints)
        .function(RenderEnv)
        .build()
}
