//! `mlplat run`: a program on this machine, with the variables that a rendered workload would give its container.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::cli::Outcome;
use crate::config::Config;
use crate::workload::{self, Override, Reference, Stream, Variable};

/// Kept from the caller's environment unless the workload sets them: without the first no program is found, and
/// without the second many look for their files in `/`.
const KEPT: [&str; 2] = ["PATH", "HOME"];

/// Run a program with exactly the variables of a rendered workload
///
/// Reads manifests as `kustomize build` prints them, finds the workload, and works out its container's environment as
/// the kubelet does: ConfigMap and Secret references followed, `$(NAME)` expanded, what is missing refused. The program
/// takes the place of mlplat and gets these variables, PATH and HOME, and nothing else of the caller's environment.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rendered manifests; `-` is stdin. May be given several times
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The workload, such as deployment/backend
    #[arg(value_name = "KIND/NAME")]
    workload: Reference,
    /// The container; needed when there are several and no annotation kubectl.kubernetes.io/default-container
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// The workload's namespace; needed when several hold one of that name
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Set a variable in the place of what the manifest says. May be given several times
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<Override>,
    /// Keep one more variable of the caller's environment. May be given several times
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Print the variables and where they come from instead of running a program; secret values are not shown
    #[arg(long, conflicts_with = "program")]
    print: bool,
    /// The program and its arguments
    #[arg(value_name = "PROGRAM", last = true, required_unless_present = "print")]
    program: Vec<OsString>,
}

/// Why the program could not be started.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(
        "cannot read {file}: {error}. To fix: name a file of rendered manifests (kustomize build OVERLAY > {file})"
    )]
    Read { file: String, error: io::Error },
    #[error("{workload}, container {container}: {error}")]
    Resolve {
        workload: Reference,
        container: String,
        error: workload::ResolveError,
    },
    #[error("cannot start {program}: {error}. To fix: install it, or name it by its path; it was looked for in {path}")]
    Start {
        program: String,
        error: io::Error,
        path: String,
    },
}

/// Works out the variables, and prints them or becomes the program.
///
/// # Errors
/// When the manifests cannot be read, the kubelet would not start the container either, or there is no such program.
pub(super) fn run(arguments: &Arguments, config: &Config, out: &mut dyn Write) -> Outcome {
    let mut stream = Stream::default();
    for file in &arguments.files {
        let name = file.display().to_string();
        let text = read(file).map_err(|error| RunError::Read {
            file: name.clone(),
            error,
        })?;
        stream.read(&name, &text)?;
    }
    let workload = stream.workload(&arguments.workload, arguments.namespace.as_deref())?;
    let container = workload.container(arguments.container.as_deref())?;
    let variables =
        workload::resolve(&stream, workload, container, &arguments.env).map_err(|error| RunError::Resolve {
            workload: workload.reference().clone(),
            container: container.name().to_owned(),
            error,
        })?;
    match arguments.program.split_first() {
        Some((program, rest)) => Err(replace(program, rest, &arguments.keep, &variables, config).into()),
        None => {
            out.write_all(table(&variables).as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn read(file: &Path) -> io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    }
}

/// Comes back only when the program could not be started.
fn replace(
    program: &OsString,
    rest: &[OsString],
    keep: &[String],
    variables: &BTreeMap<String, Variable>,
    config: &Config,
) -> RunError {
    let kept = KEPT.iter().copied().chain(keep.iter().map(String::as_str));
    let kept = kept.filter_map(|name| config.variable(name).map(|value| (name, value)));
    let error = Command::new(program)
        .args(rest)
        .env_clear()
        .envs(kept)
        .envs(variables.iter().map(|(name, variable)| (name, &variable.value)))
        .exec();
    let path = variables.get("PATH").map(|path| path.value.clone());
    let path = path.or_else(|| config.variable("PATH").map(|path| path.to_string_lossy().into_owned()));
    RunError::Start {
        program: program.to_string_lossy().into_owned(),
        error,
        path: path.unwrap_or_default(),
    }
}

/// One line per variable: name, value, source. What is secret is not shown.
fn table(variables: &BTreeMap<String, Variable>) -> String {
    let shown = |Variable { shown, .. }: &Variable| {
        if shown.chars().any(char::is_control) {
            format!("{shown:?}")
        } else {
            shown.clone()
        }
    };
    let rows: Vec<_> = variables
        .iter()
        .map(|(name, it)| (name, shown(it), it.source.to_string()))
        .collect();
    let name_width = rows
        .iter()
        .map(|(name, ..)| name.chars().count())
        .max()
        .unwrap_or_default();
    let value_width = rows
        .iter()
        .map(|(_, value, _)| value.chars().count())
        .max()
        .unwrap_or_default();
    rows.iter()
        .map(|(name, value, source)| format!("{name:name_width$}  {value:value_width$}  {source}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn config() -> Config {
        Config::from_variables(
            [("HOME".into(), "/home/a".into())].into(),
            "/bin/mlplat".into(),
            "/tmp".into(),
        )
        .unwrap()
    }

    /// What a command line prints, or the error of it.
    fn printed(line: &[&str]) -> String {
        let arguments = match Line::try_parse_from([&["run"], line].concat()) {
            Ok(Line { arguments }) => arguments,
            Err(error) => return error.to_string(),
        };
        let mut out = Vec::new();
        match run(&arguments, &config(), &mut out) {
            Ok(_) => String::from_utf8(out).unwrap(),
            Err(error) => format!("error: {error}\n"),
        }
    }

    /// Every folder holds `rendered.yaml`, `arguments` (one a line) and what is printed for it. `UPDATE=1` rewrites that.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "UPDATE is for the test alone")]
    fn every_case_prints_what_it_should() {
        let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/workload/cases");
        let mut failed = Vec::new();
        let mut folders: Vec<_> = std::fs::read_dir(cases)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        folders.sort();
        assert!(!folders.is_empty());
        for folder in folders {
            let file = folder.join("rendered.yaml").display().to_string();
            let lines = std::fs::read_to_string(folder.join("arguments")).unwrap();
            let line: Vec<&str> = ["--print", "-f", &file].into_iter().chain(lines.lines()).collect();
            let actual = printed(&line).replace(&file, "rendered.yaml");
            let expected = folder.join("expected.txt");
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(expected, actual).unwrap();
            } else if std::fs::read_to_string(&expected).unwrap_or_default() != actual {
                failed.push(format!("{}\n{actual}", folder.display()));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
    }

    #[test]
    fn a_program_or_print_is_needed_and_not_both() {
        assert!(printed(&["-f", "x", "deployment/a"]).contains("PROGRAM"));
        assert!(printed(&["-f", "x", "deployment/a", "--print", "--", "true"]).contains("cannot be used with"));
        assert!(printed(&["deployment/a", "--print"]).contains("--filename"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let answer = printed(&["-f", "/nowhere/rendered.yaml", "deployment/a", "--print"]);
        assert!(
            answer.starts_with("error: cannot read /nowhere/rendered.yaml: No such file"),
            "{answer}"
        );
    }

    #[test]
    fn nothing_secret_is_in_the_debug_output_of_a_variable() {
        let arguments = Line::try_parse_from(["run", "-f", "x", "pod/a", "--print", "-e", "TOKEN=hunter2"]).unwrap();
        assert!(!format!("{:?}", arguments.arguments).contains("hunter2"));
    }
}
