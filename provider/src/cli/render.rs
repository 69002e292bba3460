//! `mlplat render`: a kustomization with its functions, whatever the client's flags.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::Outcome;
use crate::config::Config;
use crate::kustomize::{self, Client};

/// Build a kustomization with its functions, without the alpha flags of kustomize or kubectl
///
/// kustomize or kubectl builds, and mlplat runs the functions in kustomize's order: the output is that of
/// `kustomize build --enable-alpha-plugins --enable-exec`. No function is skipped: one that is missing is an error.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The folder of the kustomization
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The client that builds, by name or path. The default is kustomize or, where it is missing, kubectl
    #[arg(long, value_name = "CLIENT")]
    client: Option<PathBuf>,
    /// Let kustomizations name files outside of their folders (the client's `--load-restrictor LoadRestrictionsNone`)
    #[arg(long)]
    unrestricted: bool,
}

/// Prints the built documents.
pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let mut client = Client::find(arguments.client.as_deref(), config)?;
    client.unrestricted = arguments.unrestricted;
    let documents = kustomize::render(&arguments.folder, &client, config)?;
    out.write_all(documents.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
