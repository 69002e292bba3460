//! `mlplat engines`: the programs behind local services.

use std::io::Write;
use std::process::ExitCode;

use crate::cli::Outcome;
use crate::config::Config;
use crate::engines::{Engine, Engines};

/// The programs behind local services: which are here, and fetching those that are not
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Fetch engines into the cache: pinned versions, checked by sha256, without root and without a container engine
    ///
    /// Without names, every engine is fetched that local services need and this machine lacks.
    Install {
        /// postgres, valkey or seaweedfs
        #[arg(value_name = "NAME", value_parser = engine)]
        names: Vec<Engine>,
    },
    /// Show the engines of this machine
    List,
}

fn engine(name: &str) -> Result<Engine, String> {
    Engine::named(name).ok_or_else(|| {
        let names: Vec<_> = Engine::ALL.iter().map(|engine| engine.as_str()).collect();
        format!("there is no such engine; there are {}", names.join(", "))
    })
}

pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let engines = Engines::new(config);
    match &arguments.action {
        Action::Install { names } if names.is_empty() => install(&engines, &lacking(&engines, out)?, out),
        Action::Install { names } => install(&engines, names, out),
        Action::List => list(&engines, out),
    }
}

/// What a stack with every component would lack. Redis serves as well as Valkey.
fn lacking(engines: &Engines, out: &mut dyn Write) -> std::io::Result<Vec<Engine>> {
    let needs: [(Engine, &[Engine]); 3] = [
        (Engine::Postgres, &[Engine::Postgres]),
        (Engine::Valkey, &[Engine::Valkey, Engine::Redis]),
        (Engine::Seaweedfs, &[Engine::Seaweedfs]),
    ];
    let mut lacking = Vec::new();
    for (fetched, serving) in needs {
        match engines.find(serving, None) {
            Ok(found) => writeln!(
                out,
                "{} {}: already there ({})",
                found.engine,
                found.version,
                found.bin.display()
            )?,
            Err(_) => lacking.push(fetched),
        }
    }
    Ok(lacking)
}

fn install(engines: &Engines, wanted: &[Engine], out: &mut dyn Write) -> Outcome {
    for engine in wanted {
        engines.install(*engine, &mut |line| {
            // Who closed stdout does not want to see progress.
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

fn list(engines: &Engines, out: &mut dyn Write) -> Outcome {
    for engine in Engine::ALL {
        let found = engines.all(engine);
        for found in &found {
            let note = found
                .too_old_for()
                .map(|minimum| format!("  (too old: needs {minimum})"));
            writeln!(
                out,
                "{engine:<10} {:<8} {}{}",
                found.version,
                found.bin.display(),
                note.unwrap_or_default()
            )?;
        }
        if found.is_empty() && Engines::fetchable().contains(&engine) {
            writeln!(
                out,
                "{engine:<10} -        not here; `mlplat engines install {engine}` fetches it"
            )?;
        } else if found.is_empty() {
            writeln!(out, "{engine:<10} -        not here")?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
