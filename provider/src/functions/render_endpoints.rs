//! `render_endpoints`: the contract's text.

use tfplug::{Function, FunctionError, Model};

use super::checked;
use crate::published::contract::render;
use crate::resources::endpoints::Endpoints;

/// The endpoint contract of an environment as YAML, as `mlplat_environment` writes it.
///
/// For configurations that publish the contract by other means, such as a ConfigMap or a repository of manifests. It
/// holds references to credentials, never values.
#[derive(Model, Clone, Debug)]
pub struct Arguments {
    /// Name of the environment: a DNS subdomain such as `local`.
    pub name: String,
    /// What the environment offers, usually the `endpoints` of a resource. A literal names all of `postgres`, `redis`
    /// and `s3`, with null for what is not there.
    pub endpoints: Endpoints,
}

/// The function.
pub struct RenderEndpoints;

impl Function for RenderEndpoints {
    type Arguments = Arguments;
    type Output = String;

    const NAME: &'static str = "render_endpoints";

    fn call(&self, arguments: Arguments) -> Result<String, FunctionError> {
        let endpoints = checked(&arguments.endpoints)?;
        render(&arguments.name, &endpoints).map_err(|error| FunctionError::parameter("name", error.to_string()))
    }
}
