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
    with(POD, &[], arguments)
}

/// The same with another manifest and further variables.
fn with(manifest: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
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
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
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

/// A pod whose container has these variables.
fn pod(env: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, env: [{env}]}}]}}\n")
}

#[test]
fn what_a_terminal_program_needs_is_kept() {
    let needed = [
        ("COLORTERM", "truecolor"),
        ("LANG", "en_GB.UTF-8"),
        ("LC_TIME", "C"),
        ("LOGNAME", "ada"),
        ("NO_COLOR", "1"),
        ("TERM", "xterm-256color"),
        ("TZ", "Europe/Berlin"),
        ("USER", "ada"),
    ];
    let output = with(&pod(""), &needed, &["pod/a", "--", "env"]);
    let seen = lines(&output);
    for (name, value) in needed {
        assert!(seen.contains(&format!("{name}={value}").as_str()), "{name}: {seen:?}");
    }
    assert!(!seen.iter().any(|line| line.starts_with("STRANGER")), "{seen:?}");
    // What the workload says wins.
    let output = with(&pod("{name: TZ, value: UTC}"), &needed, &["pod/a", "--", "env"]);
    assert!(lines(&output).contains(&"TZ=UTC"));
}

#[test]
fn the_callers_path_decides_what_is_run_and_the_manifests_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let evil = folder.path().join("env");
    std::os::unix::fs::symlink("/bin/false", &evil).unwrap();
    let path = folder.path().display().to_string();
    let manifest = pod(&format!(
        "{{name: PATH, value: \"{path}\"}}, {{name: LD_PRELOAD, value: \"\"}}, {{name: PYTHONUNBUFFERED, value: \"1\"}}"
    ));
    let output = with(&manifest, &[], &["pod/a", "--", "env"]);
    assert!(output.status.success());
    assert!(lines(&output).contains(&format!("PATH={path}").as_str()), "{output:?}");
    let warning = String::from_utf8(output.stderr).unwrap();
    assert!(
        warning.starts_with("mlplat: warning: the manifest sets LD_PRELOAD, PATH, which"),
        "{warning}"
    );
    let given = with(
        &manifest,
        &[],
        &["pod/a", "-e", "PATH=/bin", "-e", "LD_PRELOAD=", "--", "env"],
    );
    assert_eq!(String::from_utf8(given.stderr).unwrap(), "");
}

#[test]
fn a_program_that_is_not_executable_is_told_from_one_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    let path = folder.path().display().to_string();
    let output = with(&pod(""), &[("PATH", &path)], &["pod/a", "--", "plain"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains("Permission denied") && error.contains("To fix: make it executable"),
        "{error}"
    );
}

#[test]
fn a_value_that_only_the_cluster_knows_is_printed_as_such_and_asked_for() {
    let manifest = "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nmetadata: {name: s}\nspec: {data: [{secretKey: k}]}\n---\n"
        .to_owned()
        + &pod("{name: P, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: A, value: \"u:$(P)\"}");
    let printed = with(&manifest, &[], &["pod/a", "--print"]);
    assert_eq!(
        String::from_utf8(printed.stdout).unwrap(),
        "A  u:(secret)  value, with P\nP  (secret)    Secret s, key k, made by ExternalSecret s\n"
    );
    let refused = with(&manifest, &[], &["pod/a", "--", "env"]);
    assert_eq!(refused.status.code(), Some(1));
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(
        error.starts_with("mlplat: P comes from Secret s, key k, made by ExternalSecret s: its value"),
        "{error}"
    );
    let given = with(&manifest, &[], &["pod/a", "-e", "P=1", "--", "env"]);
    assert!(lines(&given).contains(&"A=u:1"));
}
