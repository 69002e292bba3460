//! `mlplat docs DIR`: the registry's pages, made from the tables and the examples. For those who develop mlplat.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::Outcome;
use crate::config::Config;
use crate::registry;

/// The folders that hold generated pages only. Guides are written by hand and are left alone.
const GENERATED: [&str; 4] = ["resources", "data-sources", "ephemeral-resources", "functions"];

/// Writes the registry's pages from the provider's tables and the examples.
#[derive(Args)]
pub struct Arguments {
    /// The folder of the pages; those of what the provider no longer has are removed from it.
    dir: PathBuf,
    /// The folder of the examples.
    #[arg(long, default_value = "examples")]
    examples: PathBuf,
}

/// Why pages cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}: {source}. To fix: run it in the repository's folder, as a user who may write there")]
pub struct DocsError {
    action: &'static str,
    path: String,
    source: io::Error,
}

/// Runs the command.
///
/// # Errors
/// When a page cannot be written.
pub fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let pages = pages(config, &arguments.examples);
    for folder in GENERATED.map(|folder| arguments.dir.join(folder)) {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", &folder)(error))?,
            _ => {}
        }
    }
    for (name, text) in &pages {
        let path = arguments.dir.join(name);
        let folder = path.parent().expect("a page lies in a folder");
        fs::create_dir_all(folder).map_err(failed("make", folder))?;
        fs::write(&path, text).map_err(failed("write", &path))?;
    }
    writeln!(out, "{} pages in {}", pages.len(), arguments.dir.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Every page by its path below the folder of the pages.
#[must_use]
pub fn pages(config: &Config, examples: &Path) -> BTreeMap<String, String> {
    registry::provider(Ok(config.clone())).pages(|name| fs::read_to_string(examples.join(name)).ok())
}

fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> DocsError + use<'a> {
    move |source| DocsError {
        action,
        path: path.display().to_string(),
        source,
    }
}
