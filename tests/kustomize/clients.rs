//! How each client runs a function.

use harness::program::{binaries, binary, kustomize, repository, tool};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// What a client printed.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    /// Standard output of a run that succeeded.
    #[track_caller]
    pub(crate) fn rendered(self) -> String {
        assert!(self.ok, "{}", self.stderr);
        self.stdout
    }
}

/// A folder of `tests/kustomize/cases`.
pub(crate) fn case(path: &str) -> PathBuf {
    repository().join("tests/kustomize/cases").join(path)
}

/// kustomize, with the function found in PATH and run by exec.
pub(crate) fn kustomize_exec(folder: &Path) -> Answer {
    binary("inject-endpoints");
    let mut command = Command::new(kustomize());
    command
        .args(["build", "--enable-alpha-plugins", "--enable-exec"])
        .arg(folder)
        .env("PATH", path());
    run(&mut command, "")
}

/// kustomize without functions.
pub(crate) fn kustomize_plain(folder: &Path) -> Answer {
    run(Command::new(kustomize()).arg("build").arg(folder), "")
}

/// Every kubectl there is: the one in PATH and the versions that some installations put beside it.
pub(crate) fn kubectls() -> Vec<PathBuf> {
    let first = tool(
        "kubectl",
        "install kubectl 1.27 or newer: https://kubernetes.io/docs/tasks/tools/",
    );
    let real = fs::canonicalize(&first).expect("a program that was found");
    let beside = fs::read_dir(real.parent().expect("a program lies in a folder")).expect("its folder can be read");
    let mut all: Vec<PathBuf> = beside
        .map(|entry| entry.expect("a folder's entries can be read").path())
        .filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("kubectl.1."))
        })
        .collect();
    all.sort();
    all.push(first);
    all
}

/// `kubectl kustomize`, with the function as a legacy plugin.
pub(crate) fn kubectl_plugin(kubectl: &Path, folder: &Path) -> Answer {
    let home = plugin_home();
    let mut command = Command::new(kubectl);
    command
        .args([
            "kustomize",
            "--enable-alpha-plugins",
            "--load-restrictor",
            "LoadRestrictionsNone",
        ])
        .arg(folder)
        .env("KUSTOMIZE_PLUGIN_HOME", home.path())
        .env("PATH", path());
    run(&mut command, "")
}

/// The function in a pipe.
pub(crate) fn pipe(arguments: &[&Path], input: &str) -> Answer {
    let mut command = Command::new(binary("inject-endpoints"));
    for (flag, file) in ["--config", "--with"].iter().zip(arguments) {
        command.arg(flag).arg(file);
    }
    run(&mut command, input)
}

/// What kubectl makes of a stream, as JSON; it needs no cluster for that.
pub(crate) fn as_kubectl_reads(stream: &str) -> String {
    let kubectl = kubectls().pop().expect("there is one at least");
    let mut command = Command::new(kubectl);
    command
        .args(["label", "--local", "-f", "-", "-o", "json", "read-by=kubectl"])
        .env("KUBECONFIG", "/dev/null");
    run(&mut command, stream).rendered()
}

/// A folder in which kustomize finds the function as a plugin.
fn plugin_home() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    let folder = home.path().join("mlplat.dev/v1alpha1/injectendpoints");
    fs::create_dir_all(&folder).expect("the folder is new");
    std::os::unix::fs::symlink(binary("inject-endpoints"), folder.join("InjectEndpoints")).expect("the link is new");
    home
}

/// PATH with the functions in front.
fn path() -> OsString {
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(binaries()).chain(env::split_paths(&rest))).expect("folders without colons")
}

/// Runs a command with this input.
pub(crate) fn run(command: &mut Command, input: impl AsRef<[u8]>) -> Answer {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("it is piped");
    let input = input.as_ref().to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().expect("its output is read");
    // A command that does not read its input ends the pipe early.
    let _ = writer.join().expect("writing does not panic");
    Answer {
        ok: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
