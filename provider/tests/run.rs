//! `mlplat run` as a process: what the program sees, and how it ends.
#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

const POD: &str = r#"
apiVersion: v1
kind: Secret
metadata: {name: credentials}
stringData: {password: canary-password}
---
apiVersion: v1
kind: Pod
metadata: {name: a}
spec:
  containers:
    - name: a
      env:
        - {name: PASSWORD, valueFrom: {secretKeyRef: {name: credentials, key: password}}}
        - {name: URL, value: "redis://:$(PASSWORD)@127.0.0.1"}
        - {name: EMPTY, value: ""}
"#;

/// Runs mlplat in an environment of its own, with the manifest on stdin.
fn mlplat(arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_terraform-provider-mlplat"))
        .args(["run", "-f", "-"])
        .args(arguments)
        .env_clear()
        .envs([
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/nowhere"),
            ("STRANGER", "yes"),
            ("WANTED", "yes"),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(POD.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn lines(output: &Output) -> Vec<&str> {
    let mut lines: Vec<_> = std::str::from_utf8(&output.stdout).unwrap().lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn the_program_gets_the_workloads_variables_path_and_home_and_nothing_else() {
    assert_eq!(
        lines(&mlplat(&["pod/a", "--", "env"])),
        [
            "EMPTY=",
            "HOME=/nowhere",
            "PASSWORD=canary-password",
            "PATH=/usr/bin:/bin",
            "URL=redis://:canary-password@127.0.0.1",
        ]
    );
}

#[test]
fn variables_can_be_kept_and_given() {
    let output = mlplat(&[
        "pod/a",
        "--keep",
        "WANTED",
        "--keep",
        "UNSET",
        "-e",
        "PASSWORD=other",
        "--",
        "env",
    ]);
    assert_eq!(
        lines(&output),
        [
            "EMPTY=",
            "HOME=/nowhere",
            "PASSWORD=other",
            "PATH=/usr/bin:/bin",
            "URL=redis://:other@127.0.0.1",
            "WANTED=yes",
        ]
    );
}

#[test]
fn mlplat_becomes_the_program_so_its_exit_code_is_the_programs() {
    assert_eq!(mlplat(&["pod/a", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
}

#[test]
fn a_program_that_is_not_there_is_named_with_where_it_was_looked_for() {
    let output = mlplat(&["pod/a", "--", "no-such-program"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "mlplat: cannot start no-such-program: No such file or directory (os error 2). To fix: install it, or name it \
         by its path; it was looked for in /usr/bin:/bin\n"
    );
}

#[test]
fn what_is_printed_holds_no_secret_value() {
    let output = mlplat(&["pod/a", "--print"]);
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "EMPTY                                  value\n\
         PASSWORD  (secret)                     Secret credentials, key password\n\
         URL       redis://:(secret)@127.0.0.1  value, with PASSWORD\n"
    );
}
