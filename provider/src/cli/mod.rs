//! The command line `mlplat`: one file per command, listed in [`Command`].
//!
//! A command is an `Arguments` and a `run(arguments, &Config, out)`. It writes its result to `out` (stdout) and answers
//! with an error instead of printing one: exit code 1 then, 2 when the command line itself is wrong.

pub mod docs;
mod engines;
mod explain;
mod forward;
mod remedy;
mod render;
mod run;
mod stacks;
mod supervise;
mod table;
mod verify;

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{Config, ConfigError};

/// What a command answers with. An error's text says what failed, why, and what to do.
pub type Outcome = Result<ExitCode, Box<dyn Error + Send + Sync>>;

/// Local services, and applications that reach them as they would in the cloud.
#[derive(Parser)]
#[command(name = "mlplat", version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  it worked, and what was checked is right
  1  it failed, or what was checked is not right: a service that does not run, a function that a client would skip
  2  the command line is wrong
`mlplat run` ends with the exit code of its program.";

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
        Err(mut answer) => {
            suggest_no_hidden_command(&mut answer);
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

/// clap compares a misspelt command with all of them, also with those that only mlplat itself starts.
fn suggest_no_hidden_command(answer: &mut clap::Error) {
    let command = Arguments::command();
    let is_shown = |name: &String| command.find_subcommand(name).is_some_and(|it| !it.is_hide_set());
    let kind = ContextKind::SuggestedSubcommand;
    let shown = match answer.remove(kind) {
        Some(ContextValue::Strings(names)) => names.into_iter().filter(is_shown).collect(),
        Some(ContextValue::String(name)) => Some(name).filter(is_shown).into_iter().collect(),
        _ => Vec::new(),
    };
    if !shown.is_empty() {
        answer.insert(kind, ContextValue::Strings(shown));
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of a command line that is wrong.
    fn answer(word: &str) -> String {
        let mut answer = Arguments::try_parse_from(["mlplat", word]).err().unwrap();
        suggest_no_hidden_command(&mut answer);
        answer.to_string()
    }

    #[test]
    fn a_misspelt_command_is_answered_with_those_that_users_may_call() {
        assert!(answer("explian").contains("'explain'"));
        for word in ["up", "doctor", "superviso", "forwrd", "doc"] {
            let answer = answer(word);
            for hidden in ["supervise", "forward", "docs"] {
                assert!(!answer.contains(&format!("'{hidden}'")), "{word}: {answer}");
            }
            assert!(
                answer.contains(&format!("unrecognized subcommand '{word}'")),
                "{answer}"
            );
        }
    }

    #[test]
    fn the_exit_codes_are_in_the_help() {
        let help = Arguments::command().render_help().to_string();
        assert!(help.contains("Exit codes:") && !help.contains("supervise"), "{help}");
    }
}
