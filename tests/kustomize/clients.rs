//! How each client runs functions.

use harness::program::{binaries, binary, kustomize, pinned, tool};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Every function, and the kind of its configuration.
pub(crate) const FUNCTIONS: [(&str, &str); 5] = [
    ("inject-endpoints", "InjectEndpoints"),
    ("set-environment", "SetEnvironment"),
    ("generate-network-policies", "GenerateNetworkPolicies"),
    ("validate-practices", "ValidatePractices"),
    ("validate-parity", "ValidateParity"),
];

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

    /// A run that failed, printed this message and nothing on standard output.
    #[track_caller]
    pub(crate) fn is_refused(&self, message: &str) {
        assert!(!self.ok, "it was taken:\n{:.300}", self.stdout);
        assert_eq!(self.stdout, "", "half an answer");
        assert!(
            self.stderr.contains(message),
            "{message:?} is not in:\n{:.600}",
            self.stderr
        );
    }
}

/// The same answer, which a client gives twice.
#[track_caller]
pub(crate) fn twice(client: impl Fn() -> Answer) -> String {
    let first = client().rendered();
    assert_eq!(client().rendered(), first, "the second run renders something else");
    first
}

/// The newest kustomize and the oldest that is tested.
pub(crate) fn kustomizes() -> [PathBuf; 2] {
    [kustomize(), pinned("kustomize-oldest")]
}

/// kustomize, with the functions found in PATH and run by exec.
pub(crate) fn kustomize_exec(folder: &Path) -> Answer {
    exec_by(&kustomize(), folder)
}

/// As [`kustomize_exec`], of this version.
pub(crate) fn exec_by(kustomize: &Path, folder: &Path) -> Answer {
    let mut command = Command::new(kustomize);
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

/// Every kubectl there is, the newest last: the versions that some installations put beside the one in PATH, that one, and
/// the one of the pinned Kubernetes.
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
    all.push(pinned("kubectl-newest"));
    all
}

/// The oldest and the newest of both clients: what they agree on, those between them do not differ in.
pub(crate) fn outermost() -> Vec<PathBuf> {
    let kubectls = kubectls();
    let oldest = kubectls.first().expect("there is one at least").clone();
    let newest = kubectls.last().expect("there is one at least").clone();
    kustomizes().into_iter().chain([oldest, newest]).collect()
}

/// Whether a client is kubectl, whatever its version.
pub(crate) fn is_kubectl(client: &Path) -> bool {
    client
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("kubectl"))
}

/// kubectl or kustomize, with the functions as legacy plugins.
pub(crate) fn kubectl_plugin(client: &Path, folder: &Path) -> Answer {
    let home = plugin_home();
    let mut command = Command::new(client);
    command
        .args([
            if is_kubectl(client) { "kustomize" } else { "build" },
            "--enable-alpha-plugins",
            "--load-restrictor",
            "LoadRestrictionsNone",
        ])
        .arg(folder)
        .env("KUSTOMIZE_PLUGIN_HOME", home.path())
        .env("PATH", path());
    run(&mut command, "")
}

/// A function in a pipe; `with` are objects to read beside the stream.
pub(crate) fn pipe(function: &str, config: &Path, with: Option<&Path>, input: &str) -> Answer {
    let mut command = Command::new(binary(function));
    command.arg("--config").arg(config);
    if let Some(file) = with {
        command.arg("--with").arg(file);
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

/// The objects of a stream as kubectl reads them, whatever their order.
pub(crate) fn objects(stream: &str) -> Vec<String> {
    let json = as_kubectl_reads(stream);
    let read = serde_json::Deserializer::from_str(&json).into_iter::<serde_json::Value>();
    let mut objects: Vec<String> = read
        .map(|object| object.expect("kubectl prints JSON").to_string())
        .collect();
    objects.sort();
    objects
}

/// A folder in which kustomize finds the functions as plugins.
fn plugin_home() -> TempDir {
    let home = tempfile::tempdir().expect("a temporary folder");
    for (name, kind) in FUNCTIONS {
        let folder = home.path().join("mlplat.dev/v1alpha1").join(kind.to_lowercase());
        fs::create_dir_all(&folder).expect("the folder is new");
        symlink(binary(name), folder.join(kind)).expect("the link is new");
    }
    home
}

/// PATH with the functions in front.
pub(crate) fn path() -> OsString {
    for (name, _) in FUNCTIONS {
        binary(name);
    }
    let rest = env::var_os("PATH").unwrap_or_default();
    env::join_paths(std::iter::once(binaries()).chain(env::split_paths(&rest))).expect("folders without colons")
}

/// A command of `mlplat`, with the functions in PATH.
pub(crate) fn mlplat(arguments: &[&str], folders: &[&Path]) -> Answer {
    let mut command = Command::new(harness::mlplat());
    command
        .args(arguments)
        .args(folders)
        .env("PATH", path())
        .env("HOME", "/nonexistent");
    run(&mut command, "")
}

/// kpt.
pub(crate) fn kpt(arguments: &[&str], folder: &Path) -> Answer {
    let mut command = Command::new(tool("kpt", "install kpt: https://kpt.dev/installation/"));
    command
        .arg("fn")
        .args(arguments)
        .arg(folder)
        .env("PATH", path())
        .current_dir(folder);
    run(&mut command, "")
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
