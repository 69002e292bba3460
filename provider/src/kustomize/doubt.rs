//! Text that clients may read otherwise than it is read here. Clients read YAML 1.1, of which every reader knows other
//! parts: what is hidden from one is a function to another.

use serde_json::Value;

/// Why it is not certain what a client reads; `None` when it is.
pub(super) fn doubt(text: &str) -> Option<&'static str> {
    let odd = |letter: char| {
        let is_break = matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{FEFF}');
        is_break || (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
    };
    if text.trim_start_matches('\u{FEFF}').contains(odd) {
        return Some("a control character or a line break that is none everywhere");
    }
    if text.lines().any(|line| line.starts_with('%')) {
        return Some("a directive (`%`)");
    }
    if text.lines().any(has_tag) {
        return Some("a tag (`!`)");
    }
    if text.match_indices("<<").any(|(at, _)| is_key(&text[at + 2..])) {
        return Some("a merge (`<<`)");
    }
    let options = serde_saphyr::options! { with_snippet: false };
    match serde_saphyr::from_multiple_with_options::<Value>(text, options) {
        Err(error) if error.to_string().contains("duplicate") => Some("a key that is there twice"),
        _ => None,
    }
}

/// Whether a node begins with a tag. `a != b` and `! a` do not.
fn has_tag(line: &str) -> bool {
    line.match_indices('!').any(|(at, _)| {
        let before = line[..at].trim_end();
        let after = line[at + 1..].chars().next();
        let begins = before.is_empty() || before.ends_with(['-', ':', '?', '[', '{', ',']);
        begins && after.is_some_and(|letter| !letter.is_whitespace() && letter != '=')
    })
}

fn is_key(rest: &str) -> bool {
    rest.trim_start_matches([' ', '"', '\'', '\t']).starts_with(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_readers_differ_in_is_in_doubt() {
        for text in [
            "# a\u{2028}transformers: [evil.yaml]\n",
            "a: 1\n%TAG ! tag:yaml.org,2002:\n",
            "transformers: [!!binary ZXZpbC55YW1s]\n",
            "transformers:\n- !<tag:yaml.org,2002:binary> ZXZpbC55YW1s\n",
            "a: &a {transformers: [evil.yaml]}\n<<: *a\n",
            "transformers: [a]\ntransformers: [b]\n",
        ] {
            assert!(doubt(text).is_some(), "{text}");
        }
        for text in [
            "\u{FEFF}transformers: [a]\r\n",
            "a: |\n  #!/bin/sh\n  if [ ! -f x ]; then cat <<EOF; fi\n",
            "target: {labelSelector: a != b}\nb: \"!x\"\nc: ünïcode!\n",
            "a: &a [b]\nc: *a\n",
        ] {
            assert_eq!(doubt(text), None, "{text}");
        }
    }
}
