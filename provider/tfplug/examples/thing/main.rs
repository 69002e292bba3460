//! A whole provider in three files: things that are JSON files, a token, two functions. Terraform runs it in this
//! crate's tests.

mod others;
mod thing;

use std::process::ExitCode;

use tfplug::{Config, Configure, Diagnostics, Model, Provider, Served, async_trait};

/// Things that are files.
#[derive(Model, Clone)]
struct Settings {
    /// Stands in front of every token.
    prefix: Option<String>,
}

/// What a module may say in its `provider_meta` block.
#[derive(Model, Clone)]
struct Meta {
    /// Who owns the module.
    team: Option<String>,
}

/// What every resource is given.
struct Clients {
    prefix: String,
}

struct Files;

#[async_trait]
impl Configure for Files {
    type Config = Settings;
    type Clients = Clients;

    async fn configure(&self, config: Config<Settings>) -> Result<Clients, Diagnostics> {
        Ok(Clients {
            prefix: config.get::<String>("prefix").into_known().unwrap_or_default(),
        })
    }
}

fn provider() -> Provider {
    Provider::builder("tfplug", "0.1.0", Files)
        .provider_meta::<Meta>()
        .resource(thing::Things)
        .data_source(others::Facts)
        .ephemeral(others::Tokens)
        .function(others::Shout)
        .function(others::Join)
        .build()
}

#[expect(clippy::print_stderr, reason = "this is the program's own rim")]
fn main() -> ExitCode {
    match tfplug::serve("mlplat/tfplug", provider) {
        Ok(Served::Done | Served::Dismissed) => ExitCode::SUCCESS,
        Ok(Served::NotAPlugin) => {
            eprintln!("This is a Terraform provider: Terraform starts it. With --debug it waits for Terraform.");
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
