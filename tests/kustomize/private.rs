//! What `mlplat render` keeps from others: its private folder, and files outside of the kustomization.

use crate::clients::{kubectls, kustomizes, path, run};
use crate::render::{POD, REPLACE, tree};
use harness::program::script;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Starts a render whose function waits; comes back when it does.
fn waiting(folder: &Path, runtime: &Path) -> Child {
    let waits = folder.join("waits");
    let mut command = Command::new("sh");
    let kubectl = kubectls().pop().expect("there is one at least");
    command
        .args([
            "-c",
            "umask 022; exec \"$0\" render --enable-exec --client \"$1\" \"$2\"",
        ])
        .arg(harness::mlplat())
        .arg(kubectl)
        .arg(folder)
        .env("PATH", path())
        .env("XDG_RUNTIME_DIR", runtime)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = command.spawn().expect("sh starts");
    let since = Instant::now();
    while !waits.is_file() {
        assert!(since.elapsed() < Duration::from_secs(60), "the function does not start");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder of the test");
    entries.map(|entry| entry.expect("it can be read").path()).collect()
}

#[test]
fn the_copy_is_private_and_no_signal_leaves_it() {
    for signal in ["TERM", "INT", "HUP"] {
        let wait = REPLACE.replace("path: set-environment", "path: ./wait.sh");
        let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: creds}\nstringData: {p: CANARY}\n";
        let folder = tree(&[
            ("pod.yaml", POD),
            ("secret.yaml", secret),
            ("wait.yaml", &wait),
            (
                "kustomization.yaml",
                "resources: [pod.yaml, secret.yaml]\ntransformers: [wait.yaml]\n",
            ),
        ]);
        script(
            &folder.path().join("wait.sh"),
            "echo $$ >waits.part; mv waits.part waits; exec sleep 60",
        );
        let runtime = tempfile::tempdir().expect("a temporary folder");
        let mut child = waiting(folder.path(), runtime.path());
        let made = entries(runtime.path());
        assert_eq!(made.len(), 1, "{made:?}");
        let mode = made[0].metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", made[0].display());
        let status = Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
        assert!(!child.wait().expect("it ends").success());
        assert_eq!(entries(runtime.path()), Vec::<PathBuf>::new(), "after SIG{signal}");
        // The function has ended with it.
        let waits = fs::read_to_string(folder.path().join("waits")).expect("it has started");
        let alive = || {
            let mut probe = Command::new("kill");
            probe.args(["-s", "0", waits.trim()]).stderr(Stdio::null());
            probe.status().expect("kill runs").success()
        };
        let since = Instant::now();
        while alive() {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "the function goes on after SIG{signal}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

#[test]
fn nothing_is_left_of_a_render_and_of_one_that_fails() {
    let runtime = tempfile::tempdir().expect("a temporary folder");
    let kubectl = kubectls().pop().expect("there is one at least");
    for set in [REPLACE.to_owned(), REPLACE.replace("from: app", "from: nowhere")] {
        let folder = tree(&[
            ("pod.yaml", POD),
            ("set.yaml", &set),
            (
                "kustomization.yaml",
                "resources: [pod.yaml]\ntransformers: [set.yaml]\n",
            ),
        ]);
        let mut command = Command::new(harness::mlplat());
        command
            .args(["render", "--client"])
            .arg(&kubectl)
            .arg(folder.path())
            .env("PATH", path())
            .env("XDG_RUNTIME_DIR", runtime.path());
        assert_eq!(run(&mut command, "").ok, set == REPLACE);
        assert_eq!(entries(runtime.path()), Vec::<PathBuf>::new());
    }
}

#[test]
fn files_outside_of_a_kustomization_stay_outside() {
    let outside = tree(&[("id_rsa", "VICTIM")]);
    let outside = outside.path().join("id_rsa");
    for name in [
        "link.txt".to_owned(),
        "../beside.txt".to_owned(),
        outside.display().to_string(),
    ] {
        for functions in ["", "transformers: [set.yaml]\n"] {
            let folder = tree(&[
                ("beside.txt", "VICTIM"),
                ("top/pod.yaml", POD),
                ("top/set.yaml", REPLACE),
                (
                    "top/kustomization.yaml",
                    &format!(
                        "resources: [pod.yaml]\nconfigMapGenerator:\n- {{name: leak, files: [\"{name}\"]}}\n{functions}"
                    ),
                ),
            ]);
            symlink(&outside, folder.path().join("top/link.txt")).expect("a link of the test");
            for client in [
                kustomizes()[0].clone(),
                kubectls().pop().expect("there is one at least"),
            ] {
                let render = |flags: &[&str]| {
                    let mut command = Command::new(harness::mlplat());
                    command
                        .args(["render", "--client"])
                        .arg(&client)
                        .args(flags)
                        .arg(folder.path().join("top"))
                        .env("PATH", path());
                    run(&mut command, "")
                };
                render(&[]).is_refused("is not in or below");
                let allowed = render(&["--unrestricted"]).rendered();
                assert!(allowed.contains("VICTIM"), "{name} by {}", client.display());
            }
        }
    }
}
