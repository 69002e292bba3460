//! `mlplat render`: a kustomization with its functions, whatever the client's flags.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cli::Outcome;
use crate::config::Config;
use crate::kustomize::{self, Builder, Client, Session};

/// Build a kustomization with its functions, without the alpha flags of kustomize or kubectl
///
/// kustomize or kubectl builds and runs the functions, with kubectl those that are run by `exec` too: the output is that
/// of `kustomize build --enable-alpha-plugins --enable-exec`. No function is skipped: one that is missing is an error.
/// Functions get PATH, HOME, TMPDIR, KUSTOMIZE_* and XDG_* of your environment, and nothing else.
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
    /// Let kustomizations run any program: a path, one with arguments, one of the operating system. Without it, only
    /// functions run that are installed: beside mlplat, by their bare name in PATH, or in kustomize's folder of plugins
    #[arg(long)]
    enable_exec: bool,
    /// Inflate Helm charts (the client's `--enable-helm`)
    #[arg(long)]
    enable_helm: bool,
    /// Print the contract too, and the objects as they are before mlplat's functions, for validate-parity. They are marked as
    /// local configuration: this is for a file or a pipe to validate-parity, not for kubectl
    #[arg(long)]
    for_parity: bool,
}

/// Prints the built documents.
pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let mut client = Client::find(arguments.client.as_deref(), config)?;
    client.unrestricted = arguments.unrestricted;
    client.helm = arguments.enable_helm;
    let session = Session::start(config)?;
    let builder = Builder {
        client: &client,
        exec: arguments.enable_exec,
        session: &session,
        config,
    };
    let rendered = if arguments.for_parity {
        kustomize::render_for_parity(&arguments.folder, &builder)?
    } else {
        kustomize::render(&arguments.folder, &builder)?
    };
    // Nothing can be done about a closed stderr.
    let _ = io::stderr().write_all(rendered.warnings.as_bytes());
    out.write_all(rendered.documents.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
