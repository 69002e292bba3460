//! `mlplat explain`: who set each variable of a workload, and where the value was taken from.

mod find;
mod origins;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use endpoint_contract::{EnvironmentEndpoints, KIND};
use krm_fn::Stream;

use crate::cli::Outcome;
use crate::cli::remedy;
use crate::cli::table::table;
use crate::config::Config;

/// Say where each variable of a workload comes from
///
/// Reads rendered manifests. Where inject-endpoints left its annotation (`provenance: true`), the field of the contract or
/// of the configuration is named. A value that is no longer what the annotation claims is named too. Without the annotation
/// variables are looked up in the contract, which `mlplat render` does not print: give it by --contract. Values are not
/// shown; `mlplat run --print` shows them.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The workload, such as deployment/backend or deploy/backend; with its group, deployment.apps/backend
    #[arg(value_name = "KIND/NAME")]
    workload: String,
    /// Rendered manifests; `-` is stdin
    #[arg(short = 'f', long = "filename", value_name = "FILE", default_value = "-")]
    file: PathBuf,
    /// The workload's namespace; required when several hold one of that name
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// The environment's contract, as terraform apply writes it
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum ExplainError {
    #[error("cannot read {}: {error}. To fix: {}", .file.display(), remedy::of_file(error))]
    Read { file: PathBuf, error: io::Error },
    #[error("{}: {message}", .file.display())]
    Syntax { file: PathBuf, message: String },
    #[error("{} holds no EnvironmentEndpoints. To fix: name the contract that terraform apply wrote", .0.display())]
    NoContract(PathBuf),
}

/// Where nothing is known of the values' origin.
const HINT: &str = "\nThe origin of these values is not known. To see it: give the contract (--contract overlay/endpoints.yaml), or set \
                    `provenance: true` in the configuration of inject-endpoints and render again.\n";

/// Prints a table for each container.
pub(super) fn run(arguments: &Arguments, _: &Config, out: &mut dyn Write) -> Outcome {
    let manifests = read(&arguments.file)?;
    let contracts = match &arguments.contract {
        Some(file) => {
            let found = contracts(&read(file)?, file)?;
            if found.is_empty() {
                return Err(ExplainError::NoContract(file.clone()).into());
            }
            found
        }
        None => contracts(&manifests, &arguments.file)?,
    };
    let object = find::workload(&manifests, &arguments.workload, arguments.namespace.as_deref())?;
    let notes = origins::notes(object).map_err(|message| ExplainError::Syntax {
        file: arguments.file.clone(),
        message,
    })?;
    for container in find::containers(object) {
        let explained = origins::Explained::new(&manifests, object, &contracts, &notes, &container);
        let name = if container.name.is_empty() {
            "without a name"
        } else {
            &container.name
        };
        writeln!(out, "{object}, container {name} ({})", container.path)?;
        match explained.rows(container.node) {
            rows if rows.is_empty() => writeln!(out, "no variables")?,
            rows => out.write_all(table(&rows).as_bytes())?,
        }
    }
    if contracts.is_empty() && notes.is_empty() {
        out.write_all(HINT.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> Result<Stream, ExplainError> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| ExplainError::Read {
        file: file.to_owned(),
        error,
    })?;
    Stream::parse(text).map_err(|error| ExplainError::Syntax {
        file: file.to_owned(),
        message: error.to_string(),
    })
}

fn contracts(stream: &Stream, file: &Path) -> Result<Vec<EnvironmentEndpoints>, ExplainError> {
    let found = stream.objects().filter(|object| object.kind() == KIND);
    found
        .map(|object| object.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| ExplainError::Syntax {
            file: file.to_owned(),
            message: error.to_string(),
        })
}

#[cfg(test)]
mod tests;
