//! `mlplat run`: a program on this machine, with the variables that a rendered workload would give its container.

mod program;
mod risks;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::Outcome;
use crate::cli::remedy;
use crate::cli::table::table;
use crate::config::Config;
use crate::workload::{self, Override, Reference, Source, Stream, Variable};

/// Run a program with exactly the variables of a rendered workload
///
/// Reads manifests as `kustomize build` prints them, finds the workload, and works out its container's environment as
/// the kubelet does: ConfigMap and Secret references followed, `$(NAME)` expanded, what is missing refused. The program
/// takes the place of mlplat. It gets these variables, and of the caller's environment PATH, HOME, USER, LOGNAME, TZ and
/// what terminals and languages need: TERM, COLORTERM, NO_COLOR, LANG, LC_*. It is found by the caller's PATH, also
/// where the workload sets another.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Rendered manifests; `-` is stdin. Can be given several times
    #[arg(short = 'f', long = "filename", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The workload, such as deployment/backend
    #[arg(value_name = "KIND/NAME")]
    workload: Reference,
    /// The container; required when there are several and no annotation kubectl.kubernetes.io/default-container
    #[arg(short, long, value_name = "NAME")]
    container: Option<String>,
    /// The workload's namespace; required when several hold one of that name
    #[arg(short, long, value_name = "NAME")]
    namespace: Option<String>,
    /// Set a variable instead of what the manifest says. Can be given several times
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<Override>,
    /// Keep one more variable of the caller's environment. Can be given several times
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Print the variables and where they come from instead of running a program; secret values are not shown
    #[arg(long, conflicts_with = "program")]
    print: bool,
    /// The program and its arguments
    #[arg(value_name = "PROGRAM", last = true, required_unless_present = "print")]
    program: Vec<OsString>,
}

/// Why there are no variables.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error(
        "cannot read {file}: {error}. To fix: {}; mlplat render OVERLAY > {file} writes rendered manifests",
        remedy::of_file(error)
    )]
    Read { file: String, error: io::Error },
    #[error("{workload}, container {container}: {error}")]
    Resolve {
        workload: Reference,
        container: String,
        error: workload::ResolveError,
    },
}

/// A variable whose value is not among the manifests.
#[derive(Debug, thiserror::Error)]
#[error(
    "{variable} comes from {from}: its value is known in the cluster alone. To fix: give it by `--env \
     {variable}=VALUE`, or add a file with the Secret by another -f; `--print` shows what is known"
)]
struct NotKnown {
    variable: String,
    from: String,
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
    if let Some(warning) = risks::warning(&variables) {
        // Nothing can be done about a closed stderr.
        let _ = writeln!(io::stderr(), "mlplat: warning: {warning}");
    }
    match arguments.program.split_first() {
        Some((program, rest)) => {
            let values = values(&variables)?;
            Err(program::replace(program, rest, &arguments.keep, &values, config).into())
        }
        None => {
            out.write_all(lines(&variables).as_bytes())?;
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

/// The values that the program gets.
fn values(variables: &BTreeMap<String, Variable>) -> Result<BTreeMap<&str, &str>, NotKnown> {
    // What others are composed of is named first.
    let is_composed = |variable: &Variable| matches!(variable.source, Source::Value { .. });
    let unknown = variables.iter().filter(|(_, variable)| variable.value.is_none());
    if let Some((name, variable)) = unknown.min_by_key(|(_, variable)| is_composed(variable)) {
        return Err(NotKnown {
            variable: name.clone(),
            from: variable.source.to_string(),
        });
    }
    let known = variables.iter();
    Ok(known
        .filter_map(|(name, variable)| Some((name.as_str(), variable.value.as_deref()?)))
        .collect())
}

/// One line per variable: name, value, source. What is secret is not shown.
fn lines(variables: &BTreeMap<String, Variable>) -> String {
    let printable = |text: &str| {
        if text.chars().any(char::is_control) {
            format!("{text:?}")
        } else {
            text.to_owned()
        }
    };
    let rows: Vec<_> = variables
        .iter()
        .map(|(name, it)| [printable(name), printable(&it.shown), it.source.to_string()])
        .collect();
    table(&rows)
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

    /// What is printed of a container with these variables; the Secret `s` holds an empty value.
    fn printed_of(variables: &[(&str, String)]) -> String {
        use std::fmt::Write as _;
        let mut text =
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {e: \"\"}\n---\napiVersion: v1\n\
                        kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n    - name: a\n      env:\n        - \
                        {name: EMPTY, valueFrom: {secretKeyRef: {name: s, key: e}}}\n"
                .to_owned();
        for (name, value) in variables {
            writeln!(text, "        - {{name: {name}, value: \"{value}\"}}").unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        printed(&["--print", "-f", file.path().to_str().unwrap(), "pod/a"])
    }

    #[test]
    fn a_long_name_or_value_is_printed() {
        let long = "x".repeat(70_000);
        let table = printed_of(&[("B", long.clone()), (&long, "1".to_owned())]);
        assert!(table.contains(&format!("\nB      {long}")) || table.contains(&format!("B      {long}  value")));
        assert!(table.contains(&format!("{long}  1")));
    }

    /// As the kernel: 131,072 bytes of `NAME=VALUE` with the NUL behind it are given to a program, and not one more.
    #[test]
    fn what_no_process_takes_is_refused() {
        let longest = 131_072 - "LONG=".len() - 1;
        assert!(printed_of(&[("LONG", "x".repeat(longest))]).contains("LONG"));
        let refused = printed_of(&[("LONG", "x".repeat(longest + 1))]);
        assert!(
            refused.starts_with(
                "error: pod/a, container a: variable LONG is too long for a process (argument list too long)"
            ),
            "{refused}"
        );
    }

    #[test]
    fn variables_that_repeat_each_other_do_not_fill_the_memory() {
        // What is shown of ten empty secrets is longer than they are.
        let names: Vec<String> = (0..12).map(|at| format!("A{at}")).collect();
        let mut before = "EMPTY".to_owned();
        let mut variables = Vec::new();
        for name in &names {
            variables.push((name.as_str(), format!("$({before})").repeat(10)));
            before.clone_from(name);
        }
        assert!(printed_of(&variables).len() < 1_000_000);
        let many: Vec<String> = (0..2_000).map(|at| format!("B{at}")).collect();
        let mut variables = vec![("LONG", "x".repeat(130_000))];
        variables.extend(many.iter().map(|name| (name.as_str(), "$(LONG)".to_owned())));
        let refused = printed_of(&variables);
        assert!(
            refused.contains("the variables up to B47 take more than 6291456 bytes together"),
            "{refused:.200}"
        );
    }

    #[test]
    fn nothing_secret_is_in_the_debug_output_of_a_variable() {
        let arguments = Line::try_parse_from(["run", "-f", "x", "pod/a", "--print", "-e", "TOKEN=hunter2"]).unwrap();
        assert!(!format!("{:?}", arguments.arguments).contains("hunter2"));
    }
}
