//! The binary: a plugin when Terraform starts it, the command line `mlplat` when a person does.

use std::process::ExitCode;

use terraform_provider_mlplat::{cli, config::Config, kustomize, registry, resources::aws::dismissed};
use tfplug::Served;

fn main() -> ExitCode {
    let config = Config::from_env();
    match tfplug::serve(registry::SOURCE, || registry::provider(config.clone())) {
        Ok(Served::Done) => ExitCode::SUCCESS,
        Ok(Served::Dismissed) => {
            if let Ok(config) = &config {
                dismissed(config);
            }
            ExitCode::SUCCESS
        }
        Ok(Served::NotAPlugin) => {
            let arguments: Vec<_> = std::env::args_os().collect();
            // A client that `mlplat render` has started starts this program for its functions.
            let function = config
                .as_ref()
                .ok()
                .and_then(|config| kustomize::as_plugin(config, &arguments));
            function.unwrap_or_else(|| cli::main(config, arguments))
        }
        Err(error) => cli::failed(&error),
    }
}
