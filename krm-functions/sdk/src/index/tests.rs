//! The fast readers must see what the full parser sees, or decline.

use super::*;
use crate::testing::{Random, readers_agree};

/// Every construct that the block reader knows, and many that it must decline.
const TEXTS: &[&str] = &[
    "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  labels: {}\nspec:\n  containers:\n  - name: x\n    args: []\n    env:\n    - name: A\n      value: \"1_000\"\n",
    "items:\n- a\n- name: x\n  v:\n  w: # c\n  t: |\n    text\n\n\n  u: 'it''s' # c\n# c\nz: b\n",
    "a:\n  - # x - y\n    b: 1\n  -\n  - - d\n    - e\n  -   f: g\n      h: i\nk: |+\n  x\n\n\nl: |-\n   f\n     g\n# c\nz: \"a\\u00e9\\n\"\n",
    "---\na: b\n---\n# only a comment\n---\nc:\n- d\n...\n---\ne: f\n",
    "# c\n---\na: |\n  x\n y: z\n",
    "a: b\n c\nd: [e, {f: g}]\nh: &i j\nk: *i\nl: !!str m\n? n\n: o\n",
    "a: |\n\n    \n  x\nb: >\n  folded\n  text\n",
    "a: |\n  x\n  \nb:\n",
    "\"q\": 'r'\n's' : t\nu:v: w\nx: y # z\na#b: c#d\n-e: -f\n?g: :h\n",
    "a:\r\n- b: c\r\n  d: |\r\n    e\r\n    f\r\ng: h\r\n",
    "a:\tb\nc: d\t# e\nf: \"g\th\"\n",
    "a: 'b\n  c'\nd: \"e\n  f\"\n",
    "- a\n- b: c\n  d:\n  - e\n-\n  f: g\n",
    "ä: ö # ü\n- \n",
    "a: b: c\n",
    "a: - b\n",
    "a: b\na: c\n",
    "{\"a\": [1, {\"b\": null}], \"c\": \"d\\ud83d\\ude00\"}",
    "a: |\n  b",
    "a: |2\n    b\nc: |-2\n   d\n",
    "a:\n   b: c\n  d: e\n",
    "a: \"\\q\"\n",
    "[a, b]\n",
    "text\n",
    "a:\n- b\n-c\n",
    "%YAML 1.1\n---\na: b\n",
    "a: b\n...\nc: d\n",
    "a: @b\nc: `d\n",
    "a: ]\n",
    "a: b #c\nd: e# f\n",
    "a: |\n\tb\n",
    "a: {b: c, d: [e, \"f\" , 'g'], \"h\":i, j: {}, k: [ ]}  # l\nm:\n- [n, {o: p}]\n- {q: \"r\", s: http://t:1/u}\n",
    "a: [b: c]\nd: {e}\nf: {g: }\nh: [i, ]\nj: [k,l]\nm: {n: o p , q : r}\n",
    "a: [-b, ?c, :d, - e]\n",
    "a: [b] c\n",
    "[a]: b\n",
    "a: {b: [c}]\n",
    "a:\n    - b\n    -  - c\n       - d\n    -  e: f\n       g: |\n        h\n       i: j\n",
];

#[test]
fn the_fast_readers_agree_with_the_full_parser() {
    for text in TEXTS {
        readers_agree(text);
    }
}

#[test]
fn they_agree_on_damaged_texts_too() {
    let pieces: &[&str] = &[
        " ", "  ", "\n", "- ", ": ", "#", " #", "'", "\"", "|", "[", "]", "{", "}", "&a ", "*a", "!t ", "---\n", "\t",
        "...\n", "?", "\r\n", "a", "|-\n", ">", "%", ",", "\\", "ü", "\u{feff}", "\u{85}", "|\n\n  ", "- - ", "\r",
        "[]", "{}", ", ", ": {", "]: ", "}",
    ];
    let mut random = Random::new(7);
    for round in 0..15_000 {
        let mut text = TEXTS[random.below(TEXTS.len())].to_owned();
        for _ in 0..=random.below(3) {
            let Some(at) = (0..8)
                .map(|_| random.below(text.len() + 1))
                .find(|&at| text.is_char_boundary(at))
            else {
                continue;
            };
            match random.below(3) {
                0 => text.insert_str(at, pieces[random.below(pieces.len())]),
                1 => {
                    let to = (at + random.below(6)).min(text.len());
                    if text.is_char_boundary(to) {
                        text.replace_range(at..to, "");
                    }
                }
                _ => {
                    let other = TEXTS[random.below(TEXTS.len())];
                    let line = other.lines().nth(random.below(4)).unwrap_or_default();
                    text.insert_str(at, &format!("{line}\n"));
                }
            }
        }
        let outcome = std::panic::catch_unwind(|| readers_agree(&text));
        assert!(outcome.is_ok(), "round {round}: {text:?}");
    }
}

#[test]
fn deep_nesting_is_an_error_and_not_a_crash() {
    for open in ["[", "{\"a\":", "- ", "{a: "] {
        let error = Index::parse(open.repeat(1_000_000)).unwrap_err();
        assert_eq!(error.position.line, 1, "{error}");
    }
    let stairs: String = (0..3000).map(|depth| " ".repeat(depth) + "a:\n").collect();
    assert!(Index::parse(stairs).is_err());
}

#[test]
fn an_alias_bomb_costs_nothing() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        let alias = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{}]\n", alias.trim_end_matches(", ")));
    }
    assert_eq!(Index::parse(text).unwrap().aliases.len(), 199 * 9);
}

#[test]
fn more_than_may_be_kept_is_refused_by_every_reader() {
    for text in [
        "{\"kind\": [1, 2, 3, 4, 5]}",
        "- a\n- b\n- c\n- d\n- e\n- f\n",
        "kind: [a, b, c, d, {e: f}]\n",
        "a: b\n c\nd: [e, {f: g}]\n",
        "- 'a\n  b'\n- 'c\n  d'\n",
        "- &a b\n- *a\n- *a\n- *a\n",
    ] {
        assert!(Index::parse_up_to(text.to_owned(), 20).is_ok(), "{text}");
        let error = Index::parse_up_to(text.to_owned(), 5).unwrap_err().to_string();
        assert!(
            error.contains("there are more than 5 keys, values and lists"),
            "{error}"
        );
    }
}

#[test]
fn errors_name_the_place() {
    let error = |text: &str| Index::parse(text.to_owned()).unwrap_err().to_string();
    assert_eq!(
        error("a: b\nc: d\u{0}\n"),
        "line 2, column 5: the control character U+0000 is not allowed in YAML or JSON. To fix: remove it, or write it as an escape in double quotes"
    );
    assert_eq!(
        error("a: b\n---\nü: 1\n\"\\u00fc\": 2\n"),
        "line 4, column 1: the key \"ü\" stands twice in this mapping. To fix: remove one of them"
    );
    assert!(error("a: b\n---\nc: \"d\n").starts_with("line "));
}
