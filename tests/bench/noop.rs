//! A provider whose one resource has the schema of `mlplat_environment` and does nothing: what Terraform and the protocol
//! alone cost. The bench's floor for plans.

use std::process::ExitCode;

use terraform_provider_mlplat::resources::environment::Environment;
use tfplug::{Config, Configure, Context, Diagnostics, Kept, Model, Provider, Resource, Served, async_trait};

/// A provider without arguments.
#[derive(Model, Clone)]
struct Block {}

struct Root;

#[async_trait]
impl Configure for Root {
    type Config = Block;
    type Clients = ();

    async fn configure(&self, _block: Config<Block>) -> Result<(), Diagnostics> {
        Ok(())
    }
}

struct Nothing;

#[async_trait]
impl Resource for Nothing {
    type Model = Environment;
    type Clients = ();

    const TYPE: &'static str = "environment";

    async fn create(
        &self,
        _context: &Context<()>,
        planned: Environment,
        _config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        Ok(planned)
    }

    async fn read(&self, _context: &Context<()>, state: Environment) -> Result<Option<Environment>, Diagnostics> {
        Ok(Some(state))
    }

    async fn update(
        &self,
        _context: &Context<()>,
        _prior: Environment,
        planned: Environment,
        _config: Environment,
    ) -> Result<Environment, Kept<Environment>> {
        Ok(planned)
    }

    async fn delete(&self, _context: &Context<()>, _state: Environment) -> Result<(), Kept<Environment>> {
        Ok(())
    }
}

fn main() -> ExitCode {
    match tfplug::serve("mlplat/noop", || {
        Provider::builder("noop", "0.0.0", Root).resource(Nothing).build()
    }) {
        Ok(Served::Done | Served::Dismissed) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
