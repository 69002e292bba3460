//! Text that looks like something else stays text: what kubectl reads before a function it reads after it.

use crate::cases::case;
use crate::clients::{as_kubectl_reads, kustomize_exec, kustomize_plain, pipe};
use serde_json::{Deserializer, Value};
use std::fmt::Write;
use std::fs;

/// What some reader takes for a number, a boolean, a date, null or syntax.
pub(crate) const TOKENS: &[&str] = &[
    "1_000",
    "2024-01-01",
    "2024-01-01T00:00:00Z",
    "2024-1-1 10:00:00",
    "yes",
    "no",
    "Yes",
    "NO",
    "on",
    "off",
    "On",
    "y",
    "n",
    "Y",
    "N",
    "true",
    "false",
    "True",
    "TRUE",
    "null",
    "Null",
    "NULL",
    "~",
    "",
    " ",
    "0",
    "1",
    "-1",
    "+1",
    "0777",
    "017",
    "0o17",
    "0x1F",
    "0b11",
    "1e3",
    "1E3",
    "1e+3",
    "1.5",
    "1.",
    ".5",
    "-.5",
    "1_0.5",
    ".inf",
    "-.inf",
    ".Inf",
    "+.INF",
    ".nan",
    ".NaN",
    "NaN",
    "Infinity",
    "190:20:30",
    "1:30",
    "12:30:45.5",
    "0.0.0.0",
    "1.2.3",
    "1e",
    "0x",
    "0o8",
    "08",
    "09",
    "1__0",
    "_1",
    "1_",
    "<<",
    "=",
    "-",
    "--",
    "---",
    "...",
    "?",
    ":",
    "::",
    "a:",
    "a: b",
    "- a",
    "? a",
    "# a",
    "a #b",
    "a # b",
    "&a",
    "*a",
    "!a",
    "!!str a",
    "|",
    ">",
    "|-",
    "%a",
    "@a",
    "`a",
    "[a]",
    "{a}",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "a\\b",
    " a",
    "a ",
    "a\tb",
    "é",
    "日本",
    "😀",
    "0.1e-7",
    "9223372036854775808",
    "1e400",
    "100m",
    "1Gi",
    "$(A)",
    "$$(A)",
    "{{ .a }}",
    "nil",
    "none",
    "undefined",
    "<none>",
];

/// A Deployment and a ConfigMap that hold every token, each in one of the two quotes.
fn manifests(quote: impl Fn(&str) -> String) -> String {
    let mut text = String::from("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: tokens\ndata:\n");
    for (at, token) in TOKENS.iter().enumerate() {
        writeln!(text, "  t{at}: {}", quote(token)).expect("writing to a String cannot fail");
    }
    text.push_str("---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: tokens\n  annotations:\n");
    for (at, token) in TOKENS.iter().enumerate() {
        writeln!(text, "    t{at}: {}", quote(token)).expect("writing to a String cannot fail");
    }
    text.push_str("spec:\n  template:\n    spec:\n      containers:\n      - name: app\n        env:\n");
    for (at, token) in TOKENS.iter().enumerate() {
        writeln!(text, "        - name: T{at}\n          value: {}", quote(token))
            .expect("writing to a String cannot fail");
    }
    text
}

fn double(token: &str) -> String {
    serde_json::to_string(token).expect("text is JSON")
}

fn single(token: &str) -> String {
    format!("'{}'", token.replace('\'', "''"))
}

/// The tokens of every object that has them.
fn tokens(json: &str) -> Vec<Vec<String>> {
    let objects = Deserializer::from_str(json)
        .into_iter::<Value>()
        .map(|object| object.expect("kubectl prints JSON"));
    let mut all = Vec::new();
    for object in objects {
        let env = object
            .pointer("/spec/template/spec/containers/0/env")
            .and_then(Value::as_array);
        let env = env.map(|env| {
            let ours = env
                .iter()
                .filter(|entry| entry["name"].as_str().is_some_and(|name| name.starts_with('T')));
            ours.map(|entry| entry["value"].clone()).collect::<Vec<_>>()
        });
        let keyed = |map: &Value| {
            let map = map.as_object()?;
            map.contains_key("t0")
                .then(|| (0..TOKENS.len()).map(|at| map[&format!("t{at}")].clone()).collect())
        };
        for values in [env, keyed(&object["data"]), keyed(&object["metadata"]["annotations"])]
            .into_iter()
            .flatten()
        {
            let text = |value: &Value| {
                value
                    .as_str()
                    .unwrap_or_else(|| panic!("{value} is no text"))
                    .to_owned()
            };
            all.push(values.iter().map(text).collect());
        }
    }
    all
}

#[test]
fn quoted_tokens_are_the_same_for_kubectl_after_a_pipe() {
    for text in [manifests(double), manifests(single)] {
        let folder = case("inject-endpoints/exec");
        let (config, contract) = (folder.join("inject-endpoints.yaml"), folder.join("endpoints.yaml"));
        let after = pipe("inject-endpoints", &config, Some(&contract), &text).rendered();
        let read = tokens(&as_kubectl_reads(&after));
        assert_eq!(read.len(), 3, "{after}");
        for values in read {
            assert_eq!(values, TOKENS);
        }
    }
}

#[test]
fn quoted_tokens_are_the_same_under_kustomize_with_and_without_the_function() {
    for (at, text) in [manifests(double), manifests(single)].iter().enumerate() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("the folder is new");
        write("tokens.yaml", text);
        for name in ["endpoints.yaml", "inject-endpoints.yaml"] {
            fs::copy(case("inject-endpoints/exec").join(name), folder.path().join(name)).expect("the folder is new");
        }
        write("kustomization.yaml", "resources: [tokens.yaml]\n");
        let without = tokens(&as_kubectl_reads(&kustomize_plain(folder.path()).rendered()));
        write(
            "kustomization.yaml",
            "resources: [tokens.yaml, endpoints.yaml]\ntransformers: [inject-endpoints.yaml]\n",
        );
        let with = tokens(&as_kubectl_reads(&kustomize_exec(folder.path()).rendered()));
        assert_eq!(with, without, "quotes {at}");
        assert_eq!(with.len(), 3);
    }
}
