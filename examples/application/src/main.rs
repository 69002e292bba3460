//! A store of model artefacts: rows in PostgreSQL, a cached view in Redis or Valkey, blobs in S3.
//!
//! It is the application that mlplat's example overlays deploy. It knows nothing of mlplat: [`config`] reads the usual
//! variables, and whoever sets them decides whether it talks to a laptop or to AWS.

mod artefact;
mod blobs;
mod cache;
mod config;
mod database;
mod endpoints;
mod frontend;
mod http;
mod metrics;
mod report;
mod server;
mod store;
mod tls;
mod trial;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing::Level;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, FrontendConfig};
use crate::store::Store;

/// Whatever ends the program; its text is shown to the person who started it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// A small store of model artefacts.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve,
    /// Serve the page (CONTENT_DIR), and pass on what it asks of a store (BACKEND_URL)
    Frontend,
    /// Check every blob in the bucket against its name, and write a summary row; fails when one is damaged
    Report,
    /// Send a few requests to a running store, check the answers, and print which endpoints it reached
    Try {
        /// Where the store listens, such as http://127.0.0.1:8080
        url: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let result = match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Frontend => frontend().await,
        Command::Report => report().await,
        Command::Try { url } => trial::run(&url).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("artefact-store: {failure}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Failure> {
    let config = Config::from_env()?;
    start_logging(config.log_level);
    let store = Store::new(&config).await?;
    server::serve(http::router(store), config.listen).await
}

async fn frontend() -> Result<(), Failure> {
    let config = FrontendConfig::from_env()?;
    start_logging(config.log_level);
    server::serve(frontend::router(&config)?, config.listen).await
}

async fn report() -> Result<(), Failure> {
    let config = Config::from_env()?;
    start_logging(config.log_level);
    report::run(&Store::new(&config).await?).await
}

/// One JSON object per line on stdout. Of the libraries only warnings are shown: they know the credentials.
fn start_logging(level: Level) {
    let filter = EnvFilter::new(format!("warn,artefact_store={level}"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .init();
}
