//! `mlplat verify`: before anything is applied, whether every function will run, and whether environments differ only
//! where they may.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use krm_fn::{Named, Request, Way};
use validate_parity::ValidateParity;

use crate::cli::Outcome;
use crate::config::Config;
use crate::kustomize::{self, Client, Flags, Tree};

/// Check that a client would run every function of these kustomizations, and that environments differ only where they may
///
/// kubectl skips functions that are run by `exec` and says nothing; so does kustomize without a flag. For each such
/// function this says what to do. With two kustomizations or more, the first is compared with each of the others, and
/// every difference that an environment may not have is listed with both places. Exit code 1 when anything is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folders of kustomizations
    #[arg(value_name = "FOLDER", required = true)]
    folders: Vec<PathBuf>,
    /// The client that will build, by name or path. The default is kustomize or, where it is missing, kubectl
    #[arg(long, value_name = "CLIENT")]
    client: Option<PathBuf>,
    /// The client's flags, such as `--flags=--enable-alpha-plugins`. The default is every flag that runs functions
    #[arg(long, value_name = "FLAGS", allow_hyphen_values = true)]
    flags: Option<String>,
    /// Let kustomizations name files outside of their folders (the client's `--load-restrictor LoadRestrictionsNone`)
    #[arg(long)]
    unrestricted: bool,
    /// What may differ: a configuration of kind ValidateParity
    #[arg(long, value_name = "FILE")]
    parity: Option<PathBuf>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {}: {error}. To fix: name a file with a configuration of kind ValidateParity", .file.display())]
struct ReadError {
    file: PathBuf,
    error: std::io::Error,
}

/// Prints what is wrong.
pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let mut client = Client::find(arguments.client.as_deref(), config)?;
    client.unrestricted = arguments.unrestricted;
    let flags = flags(arguments.flags.as_deref());
    let mut wrong = 0;
    for folder in &arguments.folders {
        wrong += functions(folder, &client, flags, config, out)?;
    }
    if let [first, others @ ..] = arguments.folders.as_slice()
        && !others.is_empty()
    {
        let here = kustomize::render(first, &client, config)?;
        for other in others {
            let there = kustomize::render(other, &client, config)?;
            wrong += differences((first, &here), (other, there), arguments.parity.as_deref(), out)?;
        }
    }
    Ok(if wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn flags(given: Option<&str>) -> Flags {
    match given {
        None => Flags {
            alpha_plugins: true,
            exec: true,
        },
        Some(given) => {
            let has = |flag: &str| {
                given
                    .split([' ', ','])
                    .any(|one| one == flag || one == format!("{flag}=true"))
            };
            Flags {
                alpha_plugins: has("--enable-alpha-plugins"),
                exec: has("--enable-exec"),
            }
        }
    }
}

/// The functions that would not run; how many.
fn functions(
    folder: &Path,
    client: &Client,
    flags: Flags,
    config: &Config,
    out: &mut dyn Write,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let tree = Tree::copy(folder)?;
    let uses = kustomize::uses(&tree, client)?;
    let mut wrong = 0;
    for one in &uses {
        if let Some(skip) = kustomize::skips(one, client, flags, config) {
            wrong += 1;
            let what = if skip.silent {
                "is skipped without a word"
            } else {
                "fails the build"
            };
            writeln!(
                out,
                "{one}: {what} under {}: {}. To fix: {}",
                client.kind.name(),
                skip.why,
                skip.fix
            )?;
        }
    }
    for remote in &tree.remote {
        writeln!(
            out,
            "{}: {remote} is no file or folder here; if the client fetches it, whether it lists functions is not known",
            folder.display()
        )?;
    }
    if wrong == 0 {
        writeln!(
            out,
            "{}: {} functions, and {} runs them all",
            folder.display(),
            uses.len(),
            client.kind.name()
        )?;
    }
    Ok(wrong)
}

/// The differences that are not allowed; how many comparisons failed.
fn differences(
    (here, documents): (&Path, &str),
    (there, other): (&Path, String),
    parity: Option<&Path>,
    out: &mut dyn Write,
) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    let text = match parity {
        Some(file) => std::fs::read_to_string(file).map_err(|error| ReadError {
            file: file.to_owned(),
            error,
        })?,
        None => "apiVersion: mlplat.dev/v1alpha1\nkind: ValidateParity\nmetadata:\n  name: verify\n".to_owned(),
    };
    let answer = krm_fn::respond(
        &ValidateParity,
        Request {
            way: Way::Pipe,
            input: documents.to_owned(),
            config: Some(Named {
                name: parity.map_or_else(|| "the default".to_owned(), |file| file.display().to_string()),
                text,
            }),
            beside: vec![Named {
                name: there.display().to_string(),
                text: other,
            }],
        },
    );
    let (here, there) = (here.display(), there.display());
    if !answer.failed && answer.stderr.is_empty() {
        writeln!(out, "{here} and {there} differ only where environments may")?;
        return Ok(0);
    }
    writeln!(
        out,
        "{here} (here) and {there} (the other environment); lines are those of `mlplat render`:"
    )?;
    write!(out, "{}", answer.stderr)?;
    Ok(usize::from(answer.failed))
}
