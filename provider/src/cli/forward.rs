//! `mlplat forward ADDRESS:PORT PUBLISHED`: started by a stack's supervisor, never by a person.

use std::io;
use std::io::Write;
use std::net::SocketAddr;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use crate::cli::Outcome;
use crate::config::Config;
use crate::runtimes::process::forwarder;

/// Pass connections on to a port of 127.0.0.1
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// Where pods reach it
    #[arg(value_name = "ADDRESS:PORT")]
    door: SocketAddr,
    /// The port of 127.0.0.1
    #[arg(value_name = "PUBLISHED")]
    published: u16,
}

pub(super) fn run(arguments: &Arguments, _config: &Config, _out: &mut dyn Write) -> Outcome {
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_target(false)
        .with_ansi(false)
        .with_writer(io::stderr)
        .init();
    forwarder::forward(arguments.door, arguments.published)?;
    Ok(ExitCode::SUCCESS)
}
