//! The rim: arguments, files, stdin, stdout and the exit code.

use std::ffi::OsString;
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::function::Function;
use crate::position::Position;
use crate::run::{Named, Request, Way, respond};

/// The largest input, in bytes: more than a million objects. What is larger is refused before it fills the memory.
const LIMIT: u64 = 1 << 30;

/// Runs a function as a program: finds out how it was started, reads, answers. This is all of a function's `main`.
///
/// | started | by | input and output |
/// |---|---|---|
/// | without arguments | KRM exec and container functions of kustomize and kpt | ResourceList |
/// | with a file | kustomize's legacy exec plugin | documents |
/// | with `--config FILE` | a person or a script, in a pipe | documents |
///
/// Exit code 0 is success, 1 a failed run, 2 wrong arguments.
pub fn main<F: Function>(function: &F) -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let started = match Started::from(&arguments) {
        Ok(started) => started,
        Err(message) => return say(2, &format!("{}: error: {message}\n\n{}", F::NAME, usage::<F>())),
    };
    let (way, config, beside) = match started {
        Started::Help => return print(&help::<F>()),
        Started::Version => return print(&format!("{} {}\n", F::NAME, env!("CARGO_PKG_VERSION"))),
        Started::Run {
            way: Way::ResourceList, ..
        } if std::io::stdin().is_terminal() => {
            return say(2, &usage::<F>());
        }
        Started::Run { way, config, beside } => (way, config, beside),
    };
    let answer = match request(way, config, &beside) {
        Ok(request) => respond(function, request),
        Err(message) => return say(1, &format!("{}: error: {message}\n", F::NAME)),
    };
    let mut stdout = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    if let Err(error) = answer.write(&mut stdout).and_then(|()| stdout.flush()) {
        return say(
            1,
            &format!(
                "{}{}: error: the answer cannot be written: {error}\n",
                answer.stderr,
                F::NAME
            ),
        );
    }
    say(u8::from(answer.failed), &answer.stderr)
}

/// What the arguments ask for.
enum Started {
    Help,
    Version,
    Run {
        way: Way,
        config: Option<OsString>,
        beside: Vec<OsString>,
    },
}

impl Started {
    fn from(arguments: &[OsString]) -> Result<Self, String> {
        let mut config = None;
        let mut beside = Vec::new();
        let mut arguments = arguments.iter();
        if let Some(first) = arguments
            .as_slice()
            .first()
            .filter(|first| !first.to_string_lossy().starts_with('-'))
        {
            // What follows the file are the plugin's `argsOneLiner`, which no function of ours has a use for.
            return Ok(Self::Run {
                way: Way::Plugin,
                config: Some(first.clone()),
                beside,
            });
        }
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .cloned()
                    .ok_or(format!("{} needs a file", argument.display()))
            };
            match argument.to_str() {
                Some("-h" | "--help") => return Ok(Self::Help),
                Some("-V" | "--version") => return Ok(Self::Version),
                Some("--config") => config = Some(value()?),
                Some("--with") => beside.push(value()?),
                _ => return Err(format!("unknown argument {}", argument.display())),
            }
        }
        let way = if config.is_some() { Way::Pipe } else { Way::ResourceList };
        Ok(Self::Run { way, config, beside })
    }
}

fn usage<F: Function>() -> String {
    format!(
        "Usage: {name} --config FILE [--with FILE]... < documents > documents\n       {name} --help\n",
        name = F::NAME
    )
}

fn help<F: Function>() -> String {
    format!(
        "{about}\n\n{usage}\n\
         Options:\n  \
         --config FILE  the configuration: kind {kind}, apiVersion {version}\n  \
         --with FILE    objects to read beside the stream; never part of the answer\n  \
         --help, --version\n\n\
         Without arguments it reads a ResourceList, as kustomize and kpt send it; with one file as its argument it is\n\
         kustomize's legacy exec plugin. Exit code 0 is success, 1 a failed run, 2 wrong arguments.\n",
        about = F::ABOUT,
        usage = usage::<F>(),
        kind = F::KIND,
        version = F::API_VERSION,
    )
}

fn request(way: Way, config: Option<OsString>, beside: &[OsString]) -> Result<Request, String> {
    let config = config.map(|path| read(&path)).transpose()?;
    let beside = beside.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Request {
        way,
        input: read_stdin()?,
        config,
        beside,
    })
}

fn read(path: &OsString) -> Result<Named, String> {
    let name = path.display().to_string();
    let text = read_file(Path::new(path)).map_err(|error| format!("{name} cannot be read: {error}"))?;
    Ok(Named { name, text })
}

fn read_stdin() -> Result<String, String> {
    text(std::io::stdin().lock()).map_err(|error| format!("the input cannot be read: {error}"))
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// What the operating system says.
    #[error("{0}. To fix: name a file that is there and that you may read")]
    Io(#[from] std::io::Error),
    /// More than a function takes.
    #[error("it is larger than 1 GiB, more than any kustomization renders. To fix: split it")]
    TooLarge,
    /// The place of the first byte that is no text.
    #[error("{0}: this byte is not UTF-8. To fix: save the file as UTF-8")]
    NotUtf8(Position),
}

/// The text of a file that a function reads beside its input, under the same limit.
///
/// # Errors
/// When it cannot be read, is larger than 1 GiB, or is not UTF-8.
pub fn read_file(path: &Path) -> Result<String, ReadError> {
    text(std::fs::File::open(path)?)
}

fn text(from: impl Read) -> Result<String, ReadError> {
    let mut bytes = Vec::with_capacity(1 << 16);
    from.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(ReadError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..valid]);
        ReadError::NotUtf8(Position::of(&before, valid))
    })
}

fn print(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Writes to stderr; where that fails too, the exit code must do.
fn say(code: u8, text: &str) -> ExitCode {
    let _ = std::io::stderr().write_all(text.as_bytes());
    ExitCode::from(code)
}
