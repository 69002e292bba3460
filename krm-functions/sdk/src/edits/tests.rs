//! Outside the edits not a byte changes, and what was put in is read back.

use super::*;
use crate::Stream;
use crate::testing::{Random, edits_stay_inside};

const TEXTS: &[&str] = &[
    "kind: A\nspec:\n  list:\n  - name: a\n    value: \"1_000\" # c\n  # between\n  - name: b\n  empty: []\n  null:\n  text: |+\n    x\n\nlast: 'it''s'\n",
    "kind: A\r\nspec:\r\n    list:\r\n        - - x\r\n          - y\r\n        -   k: v\r\n            w: |\r\n              z",
    "# head\nkind: A\nlist:\n- a\n-\n- - b\nmap: {a: [1, {b: c}], d: {}, \"e\": []}\nü: ö # ü\n---\nkind: B\nx: &x\n  y: z\nq: !!str 1\n",
    "{\"kind\": \"A\", \"list\": [1, {\"a\": []}, {}], \"ü\": \"\\u00e9\"}",
    "kind: A\n? list\n: - >-\n    folded\n    text\n  - 'two\n    lines'\n  - |2\n     x",
];

/// All nodes below a node, itself included; no keys, and not the kind, without which there is no object.
fn below<'a>(node: Node<'a>, to: &mut Vec<Node<'a>>) {
    to.push(node);
    for (_, value) in node
        .entries()
        .filter(|(key, _)| key.source() != "kind" && key.source() != "\"kind\"")
    {
        below(value, to);
    }
    node.items().for_each(|item| below(item, to));
}

/// What a document says, with the path to each scalar.
fn content(node: Node<'_>, path: &str, to: &mut Vec<(String, String)>) {
    if let Some(text) = node.text() {
        to.push((path.to_owned(), text.into_owned()));
    }
    for (key, value) in node.entries() {
        content(value, &format!("{path}/{}", key.text().unwrap_or_default()), to);
    }
    for (at, item) in node.items().enumerate() {
        content(item, &format!("{path}/{at}"), to);
    }
}

fn all_content(text: &str) -> Vec<(String, String)> {
    let stream = Stream::parse(text.to_owned()).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    let mut all = Vec::new();
    for (at, object) in stream.objects().enumerate() {
        content(object.root(), &at.to_string(), &mut all);
    }
    all
}

#[test]
fn behind_a_key_without_a_colon_comes_a_new_line() {
    let text = "kind: A\nlist:\n- - x\n  - ? y\n- k: v\n";
    let stream = Stream::parse(text.to_owned()).unwrap();
    let list = stream.objects().next().unwrap().root().get("list").unwrap();
    let mut edits = Edits::default();
    edits.insert(list.items().next().unwrap(), 2, [&"z".into()]).unwrap();
    assert_eq!(stream.edited(edits).unwrap(), text.replace("? y\n", "? y\n  - \"z\"\n"));
}

#[test]
fn a_key_that_is_set_is_read_back_and_nothing_else_changes() {
    let value = Value::map([
        ("a", Value::from("x: #\n")),
        ("b", Value::Seq(vec!["1_000".into(), Value::Int(3)])),
    ]);
    for text in TEXTS {
        let stream = Stream::parse((*text).to_owned()).unwrap();
        let mut nodes = Vec::new();
        stream.objects().for_each(|object| below(object.root(), &mut nodes));
        for map in nodes.into_iter().filter(|node| node.kind() == crate::NodeKind::Map) {
            for value in [&value, &Value::from("0777"), &Value::Seq(vec!["y".into()])] {
                let old: Vec<String> = map.entries().map(|(key, _)| key.text().unwrap().into_owned()).collect();
                for key in old
                    .iter()
                    .map(String::as_str)
                    .filter(|key| *key != "kind")
                    .chain(["new"])
                {
                    let mut edits = Edits::default();
                    edits.set(map, key, value).unwrap();
                    let edited = stream.edited(edits).unwrap();
                    let after = all_content(&edited);
                    let mut expected = String::new();
                    value.write_flow(&mut expected);
                    let read = Stream::parse(format!("kind: A\nvalue: {expected}\n")).unwrap();
                    let mut inside = Vec::new();
                    content(
                        read.objects().next().unwrap().root().get("value").unwrap(),
                        "",
                        &mut inside,
                    );
                    for (path, text) in &inside {
                        let found = after
                            .iter()
                            .any(|(at, said)| at.ends_with(&format!("/{key}{path}")) && said == text);
                        assert!(found, "{key}{path} in\n{edited}");
                    }
                    let kept = |(at, _): &&(String, String)| !at.contains(&format!("/{key}"));
                    let before = all_content(text);
                    assert_eq!(
                        before.iter().filter(kept).collect::<Vec<_>>(),
                        after.iter().filter(kept).collect::<Vec<_>>(),
                        "{key} in\n{edited}"
                    );
                }
            }
        }
    }
}

/// Random edits at once, in texts that are whole and in damaged ones.
#[test]
fn outside_random_edits_no_byte_changes() {
    let mut random = Random::new(3);
    for _ in 0..4000 {
        let text = TEXTS[random.below(TEXTS.len())];
        edits_stay_inside(text, |bound| random.below(bound));
    }
    for round in 0..8000 {
        let mut text = TEXTS[random.below(TEXTS.len())].to_owned();
        for _ in 0..=random.below(2) {
            let at = random.below(text.len() + 1);
            let piece = [
                " ", "\n", "- ", "#", "'", "&a ", "*a", ": ", "{", "]", "? ", "\t", "|\n", "---\n", "\r",
            ][random.below(15)];
            if text.is_char_boundary(at) {
                text.insert_str(at, piece);
            }
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            edits_stay_inside(&text, |bound| random.below(bound));
        }));
        assert!(outcome.is_ok(), "round {round}: {text:?}");
    }
}

#[test]
fn items_are_removed_with_their_lines() {
    let remove = |text: &str, at: &[usize]| {
        let stream = Stream::parse(text.to_owned()).unwrap();
        let list = stream.objects().next().unwrap().root().get("list").unwrap();
        let mut edits = Edits::default();
        edits.remove(list, at).unwrap();
        stream.edited(edits).unwrap()
    };
    let block = "kind: A\nlist:\n- a: 1\n  b: 2 # c\n# above\n- - c\n  - d\n-\nend: x\n";
    assert_eq!(remove(block, &[0]), "kind: A\nlist:\n- - c\n  - d\n-\nend: x\n");
    assert_eq!(remove(block, &[1]), "kind: A\nlist:\n- a: 1\n  b: 2 # c\n-\nend: x\n");
    assert_eq!(
        remove(block, &[2]),
        "kind: A\nlist:\n- a: 1\n  b: 2 # c\n# above\n- - c\n  - d\nend: x\n"
    );
    assert_eq!(
        remove("kind: A\nlist:\n- a\nend: x\n", &[0]),
        "kind: A\nlist:\n  []\nend: x\n"
    );
    let flow = "kind: A\nlist: [a, {b: c}, d]\n";
    assert_eq!(remove(flow, &[0]), "kind: A\nlist: [{b: c}, d]\n");
    assert_eq!(remove(flow, &[1]), "kind: A\nlist: [a, d]\n");
    assert_eq!(remove(flow, &[1, 2]), "kind: A\nlist: [a]\n");
    assert_eq!(remove(flow, &[0, 1]), "kind: A\nlist: [d]\n");
    assert_eq!(remove("kind: A\nlist: [a]\n", &[0]), "kind: A\nlist: []\n");
    assert_eq!(remove(block, &[0, 1]), "kind: A\nlist:\n-\nend: x\n");
    assert_eq!(remove(block, &[0, 2]), "kind: A\nlist:\n- - c\n  - d\nend: x\n");
}

#[test]
fn two_edits_of_the_same_bytes_are_a_bug_that_is_reported() {
    let stream = Stream::parse("kind: A\nspec:\n  a: b\n".to_owned()).unwrap();
    let spec = stream.objects().next().unwrap().root().get("spec").unwrap();
    let mut edits = Edits::default();
    edits.replace(spec, &"x".into()).unwrap();
    edits.replace(spec.get("a").unwrap(), &"y".into()).unwrap();
    let error = stream.edited(edits).unwrap_err().to_string();
    assert!(
        error.starts_with("line 3, column 6: two edits change the same bytes"),
        "{error}"
    );
}

#[test]
fn keys_that_are_unset_are_gone_and_nothing_else_changes() {
    for text in TEXTS {
        let stream = Stream::parse((*text).to_owned()).unwrap();
        let mut nodes = Vec::new();
        stream.objects().for_each(|object| below(object.root(), &mut nodes));
        for map in nodes.into_iter().filter(|node| node.kind() == crate::NodeKind::Map) {
            let keys: Vec<String> = map.entries().map(|(key, _)| key.text().unwrap().into_owned()).collect();
            for chosen in 1..1_u32 << keys.len() {
                let gone: Vec<&str> = (0..keys.len())
                    .filter(|at| chosen >> at & 1 == 1)
                    .map(|at| keys[at].as_str())
                    .collect();
                if gone.contains(&"kind") {
                    continue;
                }
                let mut edits = Edits::default();
                if edits.unset(map, &gone).is_err() {
                    assert!(text.contains("&x"), "{gone:?} in\n{text}");
                    continue;
                }
                let edited = stream.edited(edits).unwrap();
                let mut lost = Vec::new();
                for (_, value) in map
                    .entries()
                    .filter(|(key, _)| gone.contains(&key.text().unwrap().as_ref()))
                {
                    content(value, "", &mut lost);
                }
                let (before, after) = (all_content(text), all_content(&edited));
                assert_eq!(
                    after.len() + lost.len(),
                    before.len(),
                    "{gone:?} of\n{text}\nbecame\n{edited}"
                );
                assert!(
                    after.iter().all(|one| before.contains(one)),
                    "{gone:?} of\n{text}\nbecame\n{edited}"
                );
            }
        }
    }
}

#[test]
fn unset_takes_the_lines_and_leaves_the_comments() {
    let text =
        "kind: A\nports:\n- nodePort: 1 # gone\n  # stays\n  port: 2\n  x: 3\n  nodePort2: 4\nlast: {a: 1, b: 2}\n";
    let stream = Stream::parse(text.to_owned()).unwrap();
    let root = stream.objects().next().unwrap().root();
    let port = root.get("ports").unwrap().items().next().unwrap();
    let mut edits = Edits::default();
    edits.unset(port, &["nodePort", "nodePort2", "absent"]).unwrap();
    edits.unset(root.get("last").unwrap(), &["a"]).unwrap();
    assert_eq!(
        stream.edited(edits).unwrap(),
        "kind: A\nports:\n- # stays\n  port: 2\n  x: 3\nlast: {b: 2}\n"
    );
}
