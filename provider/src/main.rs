//! The binary: a plugin when Terraform starts it, the command line `mlplat` when a person does.

use std::process::ExitCode;

use terraform_provider_mlplat::{cli, config::Config};

fn main() -> ExitCode {
    cli::main(Config::from_env(), std::env::args_os())
}
