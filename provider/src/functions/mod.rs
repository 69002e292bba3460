//! Functions that configurations call: `provider::mlplat::render_env(…)`.

pub mod render_endpoints;
pub mod render_env;

use endpoint_contract as contract;
use tfplug::{FunctionError, Path};

use crate::resources::endpoints::Endpoints;

/// The checked contract of the parameter `endpoints`.
fn checked(endpoints: &Endpoints) -> Result<contract::Endpoints, FunctionError> {
    endpoints.to_contract(&Path::root()).map_err(|diagnostics| {
        let problems: Vec<_> = diagnostics.iter().map(|problem| problem.detail.as_str()).collect();
        FunctionError::parameter("endpoints", problems.join("\n"))
    })
}
