//! Input that is broken or means harm, for every function: the right answer, or an error with its place; never half an
//! answer, never more memory than the input explains.

use crate::clients::{Answer, run};
use harness::program::binary;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Every function with a configuration that fits the Pod of these tests; `AGAINST` is a file with the same Pod.
const FUNCTIONS: [(&str, &str, &str); 5] = [
    (
        "inject-endpoints",
        "InjectEndpoints",
        r#"{"view": "host", "endpoints": {"redis": {"host": {"address": "127.0.0.1", "port": 6379}, "database": 0, "tls": false}}}"#,
    ),
    (
        "set-environment",
        "SetEnvironment",
        r#"{"logLevels": [{"value": "debug"}]}"#,
    ),
    (
        "generate-network-policies",
        "GenerateNetworkPolicies",
        r#"{"view": "host", "selectors": [{"kinds": ["Pod"]}], "endpoints": {"redis": {"host": {"address": "127.0.0.1", "port": 6379}, "database": 0, "tls": false}}}"#,
    ),
    (
        "validate-practices",
        "ValidatePractices",
        r#"{"rules": {"resource-requests": "off", "resource-limits": "off", "liveness-probe": "off", "readiness-probe": "off", "run-as-non-root": "off", "privilege-escalation": "off", "pinned-image": "off", "network-policy": "off", "service-account-token": "off"}}"#,
    ),
    ("validate-parity", "ValidateParity", r#"{"against": "AGAINST"}"#),
];

/// The limit of a run's memory, in KiB: a program's own and the largest input several times.
const MEMORY: u64 = 4 << 20;

/// The limit of a run's work, in seconds of a processor: what grows with the square of the input takes hours.
const WORK: u64 = 100;

/// The Pod, in its own file.
struct Pod(tempfile::TempDir);

impl Pod {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("pod.yaml"), POD).expect("the Pod is written");
        Self(folder)
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("pod.yaml")
    }
}

const POD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels:\n    app: a\nspec:\n  containers:\n  - name: a\n";

/// A ResourceList with the Pod, further lines of its container (indented by six), and a configuration.
fn list(container: &str, kind: &str, spec: &str, against: &Path) -> String {
    let indented: String = POD.lines().map(|line| format!("  {line}\n")).collect();
    let spec = spec.replace("AGAINST", &against.display().to_string());
    format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- {}{container}functionConfig:\n  apiVersion: \
         mlplat.dev/v1alpha1\n  kind: {kind}\n  spec: {spec}\n",
        &indented[2..]
    )
}

/// Runs a function under the limit.
fn function(name: &str, input: impl AsRef<[u8]>) -> Answer {
    run(&mut limited(name), input)
}

fn limited(name: &str) -> Command {
    let mut command = Command::new("sh");
    let limit = format!("ulimit -v {MEMORY} && ulimit -t {WORK} && exec \"$0\" \"$@\"");
    command.args(["-c", &limit]).arg(binary(name));
    // The folder of every Pod is below it, and so is what is compared with.
    command.current_dir(std::env::temp_dir());
    command
}

/// Every function refuses the Pod with these lines, and says why.
#[track_caller]
fn all_refuse(container: impl AsRef<[u8]>, words: &str) {
    let pod = Pod::new();
    for (name, kind, spec) in FUNCTIONS {
        let text = list("      MARK\n", kind, spec, &pod.path());
        let (before, after) = text.split_once("      MARK\n").expect("it is there");
        let input = [before.as_bytes(), container.as_ref(), after.as_bytes()].concat();
        function(name, input).is_refused(words);
    }
}

#[test]
fn the_input_of_these_tests_is_good_otherwise() {
    let pod = Pod::new();
    for (name, kind, spec) in FUNCTIONS {
        let answer = function(name, list("", kind, spec, &pod.path()));
        assert!(answer.ok && answer.stdout.contains("kind: Pod"), "{name}: {answer:?}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    all_refuse(b"      image: \xFF\n", "line 13, column 14: this byte is not UTF-8");
    all_refuse(
        "      image: a\0b\n",
        "line 13, column 15: the control character U+0000",
    );
}

#[test]
fn keys_that_stand_twice_and_tabs_for_indentation_are_refused_with_their_place() {
    all_refuse(
        "      image: a\n      image: b\n",
        "line 14, column 7: the key \"image\" stands twice",
    );
    all_refuse("      args:\n\t- a\n", "line 14, column ");
    all_refuse("      image: \"a\n", "line 17, column ");
}

#[test]
fn nesting_a_million_deep_is_refused() {
    for open in ["[", "{a: ", "- "] {
        all_refuse(
            format!("      args:\n      {}\n", open.repeat(1_000_000)),
            "line 14, column ",
        );
    }
    for input in [
        format!("{{\"items\":{}", "[".repeat(1_000_000)),
        format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000)),
    ] {
        FUNCTIONS
            .iter()
            .for_each(|(name, ..)| function(name, &input).is_refused("line 1, column "));
    }
}

#[test]
fn a_stream_that_ends_early_is_refused_or_has_no_configuration() {
    let pod = Pod::new();
    for (name, kind, spec) in FUNCTIONS {
        let whole = list(
            "      args:\n      - |\n        c\n      command: [\"a\", 'b']\n",
            kind,
            spec,
            &pod.path(),
        );
        // One function byte by byte; the others, which read by the same code, in strides.
        let stride = if name == "inject-endpoints" { 1 } else { 29 };
        for end in (1..whole.len()).step_by(stride) {
            let answer = function(name, &whole[..end]);
            // Without its last lines the configuration is another one, which the function may take.
            if answer.ok {
                assert!(
                    whole[..end].contains("kind: Validate") || whole[..end].contains("spec:"),
                    "{name}, {end}: {answer:?}"
                );
                assert!(answer.stdout.starts_with(&whole[..40]), "{name}, {end}: {answer:?}");
            } else {
                assert!(!answer.stderr.is_empty(), "{name}, {end}: {answer:?}");
                assert!(!answer.stdout.contains("REDIS_URL"), "{name}, {end}: {answer:?}");
            }
        }
    }
}

#[test]
fn an_alias_bomb_is_harmless() {
    let mut bomb = String::from("      x0: &x0 [a]\n");
    for level in 1..60 {
        let aliases = vec![format!("*x{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("      x{level}: &x{level} [{aliases}]\n"));
    }
    let pod = Pod::new();
    for (name, kind, spec) in FUNCTIONS {
        let answer = function(name, list(&bomb, kind, spec, &pod.path()));
        // The one that compares says that the other Pod has none of it; the others have no reason to look.
        if name == "validate-parity" {
            assert!(
                !answer.ok && answer.stderr.contains("x59: is set here and missing"),
                "{:.600}",
                answer.stderr
            );
        } else {
            assert!(answer.ok, "{name}: {:.600}", answer.stderr);
        }
    }
}

#[test]
fn crlf_and_json_are_answered_in_kind() {
    let pod = Pod::new();
    for (name, kind, spec) in FUNCTIONS {
        let answer = function(
            name,
            list("      image: a\n", kind, spec, &pod.path()).replace('\n', "\r\n"),
        );
        // The other environment has no image: one difference, and no other.
        assert!(answer.ok || name == "validate-parity", "{name}: {}", answer.stderr);
        assert_eq!(
            answer.stdout.matches('\n').count(),
            answer.stdout.matches("\r\n").count(),
            "{name}"
        );
        let spec = spec.replace("AGAINST", &pod.path().display().to_string());
        let json = format!(
            r#"{{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "a", "labels": {{"app": "a"}}}}, "spec": {{"containers": [{{"name": "a"}}]}}}}], "functionConfig": {{"apiVersion": "mlplat.dev/v1alpha1", "kind": "{kind}", "spec": {spec}}}}}"#
        );
        let answer = function(name, &json).rendered();
        assert!(
            serde_json::from_str::<serde_json::Value>(&answer).is_ok(),
            "{name}: {answer}"
        );
    }
}

#[test]
fn many_items_are_answered_by_every_function_in_bounded_memory_and_work() {
    const MANY: usize = 100_000;
    let pod = Pod::new();
    // The other environment has them too: without a name, none is told from the next.
    fs::write(pod.path(), format!("{POD}{}", "---\nkind: A\n".repeat(MANY))).expect("it is written");
    for (name, kind, spec) in FUNCTIONS {
        let text = list("", kind, spec, &pod.path());
        let (items, rest) = text.split_once("functionConfig:").expect("it is there");
        let input = format!("{items}{}functionConfig:{rest}", "- kind: A\n".repeat(MANY));
        let answer = function(name, &input).rendered();
        assert!(answer.matches("kind: A\n").count() == MANY, "{name}");
    }
}

/// An object that each function has something to say of, its name in the place of `#`, and what it says.
const BAD: [(&str, &str, &str, &str); 4] = [
    (
        "set-environment",
        r#"{"services": [{"type": "NodePort", "nodePorts": {"80": 30080}}]}"#,
        "{apiVersion: v1, kind: Service, metadata: {name: s#}, spec: {ports: [{port: 80}]}}",
        "node port 30080 is that of",
    ),
    (
        "generate-network-policies",
        FUNCTIONS[2].2,
        "{apiVersion: v1, kind: Pod, metadata: {name: p#}, spec: {containers: [{name: a}]}}",
        "the pods have no label",
    ),
    (
        "validate-practices",
        r#"{"rules": {"plain-secret": "off"}}"#,
        "{apiVersion: v1, kind: Pod, metadata: {name: p#}, spec: {hostNetwork: true, containers: [{name: a}]}}",
        "the pod shares the node's network",
    ),
    (
        "validate-parity",
        r#"{"against": "AGAINST"}"#,
        "{apiVersion: v1, kind: Pod, metadata: {name: p#}}",
        "is missing in",
    ),
];

#[test]
fn what_there_is_to_say_of_many_items_is_said_in_bounded_memory_and_work() {
    const MANY: usize = 20_000;
    let pod = Pod::new();
    for (name, spec, object, words) in BAD {
        let kind = FUNCTIONS.iter().find(|one| one.0 == name).expect("it is one of them").1;
        let text = list("", kind, spec, &pod.path());
        let (items, rest) = text.split_once("functionConfig:").expect("it is there");
        let many: String = (0..MANY)
            .map(|at| format!("- {}\n", object.replace('#', &at.to_string())))
            .collect();
        let answer = function(name, format!("{items}{many}functionConfig:{rest}"));
        assert!(!answer.ok, "{name}");
        let said = answer.stderr.matches(words).count();
        // All of it would be of no use to a reader; what is left out is counted.
        let shown = if name == "validate-practices" { 100 } else { 1000 };
        assert_eq!(said, shown, "{name}: {:.600}", answer.stderr);
        let summary = answer.stderr.lines().last().unwrap_or_default();
        let counted: usize = summary
            .split(' ')
            .find_map(|word| word.parse().ok())
            .unwrap_or_default();
        assert!(counted >= MANY - 1, "{name}: {summary}");
    }
}

#[test]
fn a_million_items_are_answered_in_bounded_memory() {
    let (name, kind, spec) = FUNCTIONS[0];
    let pod = Pod::new();
    let text = list("", kind, spec, &pod.path());
    let (items, rest) = text.split_once("functionConfig:").expect("it is there");
    let input = format!("{items}{}functionConfig:{rest}", "- kind: A\n".repeat(1_000_000));
    let answer = function(name, &input).rendered();
    assert!(answer.contains("REDIS_URL") && answer.len() > input.len());
}

/// A file of zeros that takes no place on the disk.
fn zeros(folder: &Path, bytes: u64) -> PathBuf {
    let path = folder.join("zeros");
    let file = fs::File::create(&path).expect("a file of the test");
    file.set_len(bytes).expect("the file system knows holes");
    path
}

#[test]
fn more_than_a_gibibyte_is_refused_wherever_it_comes_from() {
    let pod = Pod::new();
    let zeros = zeros(pod.0.path(), (1 << 30) + 1);
    let config = pod.0.path().join("config.yaml");
    let run = |command: &mut Command, stdin: &Path| {
        let stdin = fs::File::open(stdin).expect("it was written");
        let output = command.stdin(stdin).output().expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty(), "half an answer");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains("is larger than "), "{stderr}");
    };
    let write = |kind: &str, spec: &str| {
        let text = format!("apiVersion: mlplat.dev/v1alpha1\nkind: {kind}\nspec: {spec}\n");
        fs::write(&config, text).expect("a file of the test");
    };
    // All functions read by the same code: each is tried in one way.
    run(&mut limited("inject-endpoints"), &zeros);
    run(&mut limited("validate-practices"), &zeros);
    run(limited("set-environment").arg("--config").arg(&zeros), &pod.path());
    write("GenerateNetworkPolicies", "{}");
    let mut beside = limited("generate-network-policies");
    run(
        beside.arg("--config").arg(&config).arg("--with").arg(&zeros),
        &pod.path(),
    );
    write("ValidateParity", "{against: zeros}");
    let mut against = limited("validate-parity");
    against.arg("--config").arg(&config).current_dir(pod.0.path());
    run(&mut against, &pod.path());
}

#[test]
fn other_files_that_are_no_text_are_refused_with_their_place() {
    let pod = Pod::new();
    let write = |name: &str, text: &[u8]| fs::write(pod.0.path().join(name), text).expect("a file of the test");
    write("damaged.yaml", b"kind: A\nname: \xFF\n");
    for (name, kind, _) in FUNCTIONS {
        write(
            "config.yaml",
            format!("apiVersion: mlplat.dev/v1alpha1\nkind: {kind}\nspec: {{}}\n").as_bytes(),
        );
        let mut command = limited(name);
        command
            .args(["--config", "config.yaml", "--with", "damaged.yaml"])
            .current_dir(pod.0.path());
        run(&mut command, POD).is_refused("damaged.yaml cannot be read: line 2, column 7: this byte is not UTF-8");
    }
    write(
        "config.yaml",
        b"apiVersion: mlplat.dev/v1alpha1\nkind: ValidateParity\nspec: {against: damaged.yaml}\n",
    );
    let mut command = limited("validate-parity");
    command.args(["--config", "config.yaml"]).current_dir(pod.0.path());
    run(&mut command, POD).is_refused("damaged.yaml cannot be read: line 2, column 7: this byte is not UTF-8");
}

#[test]
fn an_empty_input_is_refused() {
    for (name, ..) in FUNCTIONS {
        function(name, "").is_refused("no configuration is given");
        function(name, "\n# nothing\n---\n").is_refused("no configuration is given");
    }
}
