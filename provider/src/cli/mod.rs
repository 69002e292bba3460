//! The command line `mlplat`: one file per command, listed in [`Command`].
//!
//! A command is an `Arguments` and a `run(arguments, &Config, out)`. It writes its result to `out` (stdout) and answers
//! with an error instead of printing one: exit code 1 then, 2 when the command line itself is wrong.

pub mod docs;
mod engines;
mod explain;
mod forward;
mod render;
mod run;
mod stacks;
mod supervise;
mod verify;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// What a command answers with. An error's text says what failed, why, and what to do.
pub type Outcome = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// Local services, and applications that reach them as they would in the cloud.
#[derive(Parser)]
#[command(name = "mlplat", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Arguments),
    Render(render::Arguments),
    Verify(verify::Arguments),
    Explain(explain::Arguments),
    Engines(engines::Arguments),
    Status(stacks::StatusArguments),
    Down(stacks::DownArguments),
    Supervise(supervise::Arguments),
    Forward(forward::Arguments),
    #[command(hide = true)]
    Docs(docs::Arguments),
}

/// Runs the command that the arguments (program name first) ask for, and prints its error.
pub fn main(config: Result<Config, ConfigError>, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let command = match Arguments::try_parse_from(arguments) {
        Ok(Arguments { command }) => command,
        Err(answer) => {
            // `--help` and `--version` come here too; they go to stdout and succeed.
            let _ = answer.print();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
    };
    let outcome = config
        .map_err(Into::into)
        .and_then(|config| run(command, &config, &mut io::stdout()));
    outcome.unwrap_or_else(|error| failed(error.as_ref()))
}

/// Prints why the program ends without a result.
pub fn failed(error: &(dyn Error + 'static)) -> ExitCode {
    // Nothing can be done about a closed stderr.
    let _ = writeln!(io::stderr(), "mlplat: {error}");
    ExitCode::FAILURE
}

fn run(command: Command, config: &Config, out: &mut dyn Write) -> Outcome {
    match command {
        Command::Run(arguments) => run::run(&arguments, config, out),
        Command::Render(arguments) => render::run(&arguments, config, out),
        Command::Verify(arguments) => verify::run(&arguments, config, out),
        Command::Explain(arguments) => explain::run(&arguments, config, out),
        Command::Engines(arguments) => engines::run(&arguments, config, out),
        Command::Status(arguments) => stacks::status(&arguments, config, out),
        Command::Down(arguments) => stacks::down(&arguments, config, out),
        Command::Forward(arguments) => forward::run(&arguments, config, out),
        Command::Supervise(arguments) => supervise::run(&arguments, config, out),
        Command::Docs(arguments) => docs::run(&arguments, config, out),
    }
}

/// Runs an async command to its end.
///
/// # Errors
/// Those of the command, and the operating system's when it gives no threads.
pub fn block_on(command: impl Future<Output = Outcome>) -> Outcome {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(command)
}
