//! The binary: a plugin when Terraform starts it, the command line `mlplat` when a person does.

use std::process::ExitCode;

use terraform_provider_mlplat::{cli, config::Config, registry};
use tfplug::Served;

fn main() -> ExitCode {
    let config = Config::from_env();
    match tfplug::serve(registry::SOURCE, || registry::provider(config.clone())) {
        Ok(Served::Done) => ExitCode::SUCCESS,
        Ok(Served::NotAPlugin) => cli::main(config, std::env::args_os()),
        Err(error) => cli::failed(&error),
    }
}
