//! Manifests written in every way at random: what kubectl reads beside a function's edits is what it read before them.

use crate::cases::case;
use crate::clients::{as_kubectl_reads, pipe};
use crate::tokens::TOKENS;
use krm_fn::testing::Random;
use serde_json::{Deserializer, Value};
use std::collections::BTreeMap;

const SEEDS: u64 = 20;
const DOCUMENTS: usize = 40;
const WORDS: [&str; 8] = [
    "a",
    "model",
    "x-y.z",
    "eu-central-1",
    "ünïcode",
    "日本",
    "v1",
    "path/to",
];

fn pick<'a>(random: &mut Random, from: &[&'a str]) -> &'a str {
    from[random.below(from.len())]
}

/// A string in one of YAML's styles, for a key at this column.
fn scalar(random: &mut Random, column: usize) -> String {
    let comment = if random.below(4) == 0 { "  # \"b: [" } else { "" };
    let words = |random: &mut Random| {
        let count = 1 + random.below(4);
        (0..count).map(|_| pick(random, &WORDS)).collect::<Vec<_>>().join(" ")
    };
    match random.below(5) {
        0 => format!("{}{comment}", words(random)),
        1 => format!(
            "{}{comment}",
            serde_json::to_string(pick(random, TOKENS)).expect("text is JSON")
        ),
        2 => format!("'{}'{comment}", pick(random, TOKENS).replace('\'', "''")),
        style => {
            let header = if style == 3 { "|" } else { ">" };
            let chomp = pick(random, &["", "-", "+"]);
            let lines = 1 + random.below(3);
            let indent = " ".repeat(column + 1 + random.below(3));
            let lines: Vec<String> = (0..lines).map(|_| format!("\n{indent}{}", words(random))).collect();
            format!("{header}{chomp}{}", lines.concat())
        }
    }
}

/// Pairs of one mapping, each key at this column.
fn pairs(random: &mut Random, column: usize) -> String {
    let count = 1 + random.below(5);
    let line = |at| format!("{}k{at}: {}\n", " ".repeat(column), scalar(random, column));
    (0..count).map(line).collect()
}

fn env(random: &mut Random) -> String {
    let count = random.below(4);
    if count == 0 {
        return pick(
            random,
            &["", "        env: []\n", "        env:\n", "        env: null # none\n"],
        )
        .to_owned();
    }
    if random.below(3) == 0 {
        let entry = |at| format!("{{name: T{at}, \"value\": {:?}}}", pick(random, &WORDS));
        let entries: Vec<String> = (0..count).map(entry).collect();
        return format!(
            "        env: [{}]\n",
            entries.join(pick(random, &[", ", " ,", ",\n          "]))
        );
    }
    let column = 8 + 2 * random.below(2);
    let dash = " ".repeat(column);
    let entry = |at| {
        let value = scalar(random, column + 2);
        match random.below(2) {
            0 => format!("{dash}- name: T{at}\n{dash}  value: {value}\n"),
            _ => format!("{dash}- \"value\": {value}\n{dash}  name: 'T{at}'\n"),
        }
    };
    let entries: String = (0..count).map(entry).collect();
    format!("        env:\n{entries}")
}

fn document(random: &mut Random, at: usize) -> String {
    let annotations = pairs(random, 4);
    if random.below(2) == 0 {
        return format!(
            "# {at}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c{at}\n  annotations:\n{annotations}data:\n{}",
            pairs(random, 2)
        );
    }
    let env = env(random);
    format!(
        "kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: d{at}\n  annotations:\n{annotations}\
         spec:\n  template:\n    spec:\n      containers:\n      - name: app\n{env}        image: a:1\n"
    )
}

/// Every object by kind and name, without the variables that the function has given.
fn objects(json: &str) -> BTreeMap<String, Value> {
    let read = Deserializer::from_str(json).into_iter::<Value>();
    let objects = read.map(|object| {
        let mut object = object.expect("kubectl prints JSON");
        let container = object.pointer_mut("/spec/template/spec/containers/0");
        if let Some(container) = container.and_then(Value::as_object_mut) {
            let env = container.remove("env");
            let ours = env
                .as_ref()
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter(|entry| {
                    let name = entry["name"].as_str().unwrap_or_default();
                    name.starts_with('T')
                });
            let ours: Vec<Value> = ours.cloned().collect();
            container.insert("env".to_owned(), ours.into());
        }
        (format!("{}/{}", object["kind"], object["metadata"]["name"]), object)
    });
    objects.collect()
}

#[test]
fn kubectl_reads_the_same_beside_the_edits_however_it_is_written() {
    let folder = case("inject-endpoints/exec");
    let (config, contract) = (folder.join("inject-endpoints.yaml"), folder.join("endpoints.yaml"));
    for seed in 0..SEEDS {
        let random = &mut Random::new(seed);
        let documents: Vec<String> = (0..DOCUMENTS).map(|at| document(random, at)).collect();
        let text = documents.join("---\n");
        let after = pipe("inject-endpoints", &config, Some(&contract), &text).rendered();
        assert!(after.contains("REDIS_URL"), "seed {seed}: nothing was injected");
        let before = objects(&as_kubectl_reads(&text));
        let mut after = objects(&as_kubectl_reads(&after));
        after
            .remove("\"ConfigMap\"/\"mlplat-endpoints\"")
            .expect("the function makes it");
        assert_eq!(before.len(), DOCUMENTS);
        assert_eq!(after, before, "seed {seed}");
    }
}
