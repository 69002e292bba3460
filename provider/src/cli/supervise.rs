//! `mlplat supervise DIR`: started by the provider, never by a person.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use tracing_subscriber::filter::LevelFilter;

use crate::cli::Outcome;
use crate::config::Config;
use crate::runtimes::process::supervisor;

/// Keep the services of one stack folder running
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(super) struct Arguments {
    /// This process has left its terminal and parents already
    #[arg(long)]
    detached: bool,
    /// The stack's folder
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn run(arguments: &Arguments, config: &Config, _out: &mut dyn Write) -> Outcome {
    if !arguments.detached {
        supervisor::detach(&config.program, &arguments.dir)?;
        return Ok(ExitCode::SUCCESS);
    }
    tracing_subscriber::fmt()
        .with_max_level(LevelFilter::INFO)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    supervisor::supervise(&config.program, &arguments.dir)?;
    Ok(ExitCode::SUCCESS)
}
