//! `mlplat status` and `mlplat down`: local stacks without Terraform.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use tokio_util::sync::CancellationToken;

use crate::cli::{Outcome, block_on};
use crate::config::Config;
use crate::engines::Engines;
use crate::runtimes::process::{ComponentStatus, Health, Removed, Stack, StackError, Status};

/// Which stack.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The stack's name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its folder, when it is not at the default place
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl Place {
    fn dir(&self, config: &Config) -> PathBuf {
        self.data_dir
            .as_ref()
            .map(|dir| config.working_dir.join(dir))
            .unwrap_or_else(|| config.stack_dir(&self.name))
    }

    fn stack(&self, config: &Config) -> Stack {
        Stack::open(&self.dir(config), Engines::new(config), &config.program).named(&self.name)
    }

    fn absent(&self, config: &Config) -> StackError {
        StackError::Absent { path: self.dir(config) }
    }
}

/// Show how the services of a local stack are
#[derive(Debug, clap::Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    place: Place,
    /// Print JSON: one object per component, for scripts
    #[arg(long)]
    json: bool,
}

/// End the services of a local stack
///
/// Their data stays: the next `terraform apply` brings them back as they were. `terraform destroy` is what deletes data.
#[derive(Debug, clap::Args)]
pub(super) struct DownArguments {
    #[command(flatten)]
    place: Place,
    /// Delete the data too, for a stack that no Terraform state knows any more
    #[arg(long)]
    delete_data: bool,
}

/// Succeeds only when every component does its work.
pub(super) fn status(arguments: &StatusArguments, config: &Config, out: &mut dyn Write) -> Outcome {
    block_on(async {
        let place = &arguments.place;
        let status = place.stack(config).status().await?;
        let status = status.ok_or_else(|| place.absent(config))?;
        let whole = status.components.values().all(|seen| seen.health == Health::Running);
        let code = if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        if arguments.json {
            writeln!(out, "{}", as_json(&status))?;
            return Ok(code);
        }
        for (component, seen) in &status.components {
            let pid = seen.pid.map(|pid| format!("pid {pid}")).unwrap_or_default();
            let (name, health) = (component.as_str(), seen.health.as_str());
            writeln!(
                out,
                "{name:<13} {health:<11} {} {}  port {}  {pid}",
                seen.engine, seen.version, seen.port
            )?;
            if let Some(problem) = &seen.problem {
                writeln!(out, "              {problem}")?;
            }
        }
        Ok(code)
    })
}

fn as_json(status: &Status) -> serde_json::Value {
    let component = |seen: &ComponentStatus| {
        serde_json::json!({
            "status": seen.health.as_str(),
            "engine": seen.engine.to_string(),
            "version": seen.version,
            "port": seen.port,
            "pid": seen.pid,
            "problem": seen.problem,
        })
    };
    let components = status
        .components
        .iter()
        .map(|(name, seen)| (name.to_string(), component(seen)));
    serde_json::json!({ "name": status.spec.name, "components": components.collect::<serde_json::Map<_, _>>() })
}

/// Ends the services.
pub(super) fn down(arguments: &DownArguments, config: &Config, out: &mut dyn Write) -> Outcome {
    block_on(async {
        let place = &arguments.place;
        let stack = place.stack(config);
        let never = CancellationToken::new();
        if arguments.delete_data {
            let left = match stack.destroy(&never).await? {
                Removed::Stack { left } => left,
                Removed::Nothing | Removed::Kept { .. } => return Err(place.absent(config).into()),
            };
            writeln!(out, "{}: ended and deleted", place.name)?;
            for file in left {
                writeln!(out, "{} is not a file of the stack and stays", file.display())?;
            }
        } else {
            stack.stop(&never).await?;
            writeln!(
                out,
                "{}: ended; its data stays in {}",
                place.name,
                place.dir(config).display()
            )?;
        }
        Ok(ExitCode::SUCCESS)
    })
}
