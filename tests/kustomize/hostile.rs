//! Input that is broken or means harm: the right answer, or an error with its place; never half an answer.

use crate::clients::{Answer, run};
use harness::program::binary;
use std::process::Command;

fn function(input: impl AsRef<[u8]>) -> Answer {
    run(&mut Command::new(binary("inject-endpoints")), input)
}

/// A ResourceList with this item and a configuration that fits.
fn list(item: &str) -> String {
    format!(
        "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    \
         name: a\n  spec:\n    containers:\n    - name: a\n{item}functionConfig:\n  apiVersion: mlplat.dev/v1alpha1\n  \
         kind: InjectEndpoints\n  spec:\n    view: host\n    endpoints:\n      redis:\n        host: {{address: 127.0.0.1, \
         port: 6379}}\n        database: 0\n        tls: false\n"
    )
}

#[track_caller]
fn is_refused(input: impl AsRef<[u8]>, words: &str) {
    function(input).is_refused(words);
}

#[test]
fn the_input_of_these_tests_is_good_otherwise() {
    let answer = function(list(""));
    assert!(answer.ok && answer.stdout.contains("REDIS_URL"), "{answer:?}");
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let mut bytes = list("").into_bytes();
    let at = bytes.iter().position(|&b| b == b'P').expect("there is a Pod");
    bytes[at] = 0xFF;
    is_refused(&bytes, "line 5, column 9: this byte is not UTF-8");
    is_refused(
        list("      image: a\0b\n"),
        "line 11, column 15: the control character U+0000",
    );
}

#[test]
fn nesting_a_million_deep_is_refused() {
    for open in ["[", "{a: ", "- "] {
        is_refused(
            list(&format!("      args:\n      {}\n", open.repeat(1_000_000))),
            "line 12, column ",
        );
    }
    is_refused(format!("{{\"items\":{}", "[".repeat(1_000_000)), "line 1, column ");
    is_refused(
        format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000)),
        "line 1, column ",
    );
}

#[test]
fn a_stream_that_ends_early_is_refused_or_has_no_configuration() {
    let whole = list("      command: [\"a\", 'b']\n      args:\n      - |\n        c\n");
    for end in 1..whole.len() {
        let answer = function(&whole[..end]);
        // Without its last lines the configuration is another one, which the function may take.
        if answer.ok {
            assert!(
                whole[..end].contains("database: 0") && answer.stdout.starts_with(&whole[..40]),
                "{end}: {answer:?}"
            );
        } else {
            assert!(
                !answer.stderr.is_empty() && !answer.stdout.contains("REDIS_URL"),
                "{end}: {answer:?}"
            );
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
    let answer = function(list(&bomb));
    assert!(
        answer.ok && answer.stdout.contains("REDIS_URL"),
        "{:.300}",
        answer.stderr
    );
}

#[test]
fn an_empty_input_is_refused() {
    is_refused("", "no configuration is given");
    is_refused("\n# nothing\n---\n", "no configuration is given");
}
