//! `render_env`: the variables that hold no secret.

use std::collections::BTreeMap;

use endpoint_contract::{VariableValue, View};
use tfplug::{Function, FunctionError, Model};

use super::checked;
use crate::resources::endpoints::Endpoints;

/// The environment variables of endpoints as a map, without those that hold a secret.
///
/// The same names and values that the KRM function `inject-endpoints` gives to containers: `PGHOST`, `REDIS_PORT`,
/// `AWS_ENDPOINT_URL_S3` and so on. User names, passwords, access keys and URLs made of them are left out: they come
/// from a Secret.
#[derive(Model, Clone, Debug)]
pub struct Arguments {
    /// What the environment offers, usually the `endpoints` of a resource. A literal names all of `postgres`, `redis`
    /// and `s3`, with null for what is not there.
    pub endpoints: Endpoints,
    /// `host` for programs on the machine that runs Terraform, `cluster` for pods.
    pub view: String,
}

/// The function.
pub struct RenderEnv;

impl Function for RenderEnv {
    type Arguments = Arguments;
    type Output = BTreeMap<String, String>;

    const NAME: &'static str = "render_env";

    fn call(&self, arguments: Arguments) -> Result<BTreeMap<String, String>, FunctionError> {
        let view = match arguments.view.as_str() {
            "host" => View::Host,
            "cluster" => View::Cluster,
            other => {
                let what = format!("{other:?} is not a view of the endpoints. To fix: say host or cluster");
                return Err(FunctionError::parameter("view", what));
            }
        };
        let variables = checked(&arguments.endpoints)?
            .variables(view)
            .map_err(|error| FunctionError::parameter("view", error.to_string()))?;
        Ok(variables
            .into_iter()
            .filter_map(|variable| match variable.value {
                VariableValue::Literal(text) => Some((variable.name.to_owned(), text)),
                VariableValue::Composed(_) | VariableValue::SecretKey(_) => None,
            })
            .collect())
    }
}
