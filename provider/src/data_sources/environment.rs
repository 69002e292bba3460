//! `mlplat_environment`: reads a published contract back.

use std::path::Path;

use tfplug::{Computed, Context, DataSource, Diagnostic, Diagnostics, Model};

use crate::provider::Clients;
use crate::published::contract::load;
use crate::resources::endpoints::Endpoints;

/// Reads the contract of an environment that was published elsewhere: by another configuration, or by hand. It is
/// checked like one of ours.
#[derive(Model, Clone, Debug, PartialEq)]
pub struct Environment {
    /// Path of the contract file. A relative one starts where Terraform runs; prefer `${path.module}/…`.
    pub contract_file: String,
    /// Name of the environment.
    pub name: Computed<String>,
    /// What the environment offers.
    pub endpoints: Computed<Endpoints>,
}

/// The data source.
pub struct EnvironmentData;

#[tfplug::async_trait]
impl DataSource for EnvironmentData {
    type Model = Environment;
    type Clients = Clients;

    const TYPE: &'static str = "environment";

    async fn read(&self, _context: &Context<Clients>, config: Environment) -> Result<Environment, Diagnostics> {
        let path = config.contract_file;
        let failed = |detail: String| {
            Diagnostic::error("The endpoint contract cannot be read")
                .detail(detail)
                .at("contract_file")
        };
        let found = load(Path::new(&path))
            .map_err(|error| failed(format!("{error}.")))?
            .ok_or_else(|| {
                failed(format!(
                    "{path} does not exist. To fix: correct the path, or apply the configuration that writes it."
                ))
            })?;
        Ok(Environment {
            contract_file: path,
            name: found.metadata.name.into(),
            endpoints: Endpoints::from(found.spec.endpoints).into(),
        })
    }
}
