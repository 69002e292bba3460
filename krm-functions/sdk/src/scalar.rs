//! What a scalar on one line says, whether every reader takes it for text, and how text is written.

use std::borrow::Cow;

/// Removes the quotes of a single-quoted scalar on one line.
pub(crate) fn single_quoted(source: &str) -> Cow<'_, str> {
    let inner = &source[1..source.len() - 1];
    if inner.contains("''") {
        Cow::Owned(inner.replace("''", "'"))
    } else {
        Cow::Borrowed(inner)
    }
}

/// Removes the quotes and escapes of a double-quoted scalar on one line.
pub(crate) fn double_quoted(source: &str) -> Cow<'_, str> {
    let inner = &source[1..source.len() - 1];
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let mut escape = rest[at + 1..].chars();
        match escape.next() {
            Some(letter @ ('x' | 'u' | 'U')) => {
                let digits = match letter {
                    'x' => 2,
                    'u' => 4,
                    _ => 8,
                };
                let (unit, mut after) = code(escape.as_str(), digits);
                let mut character = char::from_u32(unit);
                if let (0xD800..=0xDBFF, Some(low)) = (unit, after.strip_prefix("\\u")) {
                    let (low, rest) = code(low, 4);
                    if (0xDC00..=0xDFFF).contains(&low) {
                        character = char::from_u32(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00));
                        after = rest;
                    }
                }
                text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = after;
            }
            other => {
                text.push(other.map_or('\\', escaped));
                rest = escape.as_str();
            }
        }
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// The number that the first `digits` characters spell, and what follows them.
fn code(text: &str, digits: usize) -> (u32, &str) {
    let (digits, rest) = text.split_at_checked(digits).unwrap_or((text, ""));
    (u32::from_str_radix(digits, 16).unwrap_or(u32::MAX), rest)
}

/// The character that a backslash and `letter` stand for.
fn escaped(letter: char) -> char {
    match letter {
        '0' => '\0',
        'a' => '\x07',
        'b' => '\x08',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\x0B',
        'f' => '\x0C',
        'r' => '\r',
        'e' => '\x1B',
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        other => other,
    }
}

/// What a literal block scalar without an indentation indicator says; `source` begins with its `|`. Where the text ends
/// without a line break, `unended`, the value has none at its end either: so it is for every reader of Kubernetes'.
pub(crate) fn literal(source: &str, unended: bool) -> String {
    let mut lines = source.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    let header = lines.next().unwrap_or_default();
    let lines: Vec<&str> = lines.collect();
    let indent_of = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let indent = lines
        .iter()
        .find(|line| indent_of(line) < line.len())
        .map_or(usize::MAX, |line| indent_of(line));
    let content = lines
        .iter()
        .map(|line| line.get(indent..).unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    if header.starts_with("|+") {
        return if lines.is_empty() || unended {
            content
        } else {
            content + "\n"
        };
    }
    let trimmed = content.trim_end_matches('\n');
    let unended = unended && trimmed.len() == content.len();
    let content = trimmed;
    if header.starts_with("|-") || content.is_empty() || unended {
        content.to_owned()
    } else {
        format!("{content}\n")
    }
}

/// Whether a plain scalar is null for every reader.
pub(crate) fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// Whether a plain scalar is text for every reader of Kubernetes' (YAML 1.1 and 1.2): neither null, boolean, number
/// nor date. On the safe side: false for some that are text.
pub(crate) fn is_plain_text(plain: &str) -> bool {
    if is_null(plain) || plain == "<<" || plain == "=" {
        return false;
    }
    let word = plain.len() <= 5
        && plain.starts_with(['y', 'Y', 'n', 'N', 'o', 'O', 't', 'T', 'f', 'F'])
        && ["y", "n", "yes", "no", "on", "off", "true", "false"]
            .iter()
            .any(|word| plain.eq_ignore_ascii_case(word));
    !word && !looks_like_number(plain)
}

/// Digits with signs, separators, exponents, prefixes or colons; `.inf` and `.nan`; dates.
fn looks_like_number(plain: &str) -> bool {
    let unsigned = plain.trim_start_matches(['+', '-']);
    let Some(first) = unsigned.chars().next() else {
        return !plain.is_empty() && plain.len() > 1;
    };
    if [".inf", ".nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return true;
    }
    let fraction = first == '.' && unsigned[1..].starts_with(|c: char| c.is_ascii_digit());
    if !first.is_ascii_digit() && !fraction {
        return false;
    }
    // An address such as 127.0.0.1 is text: no number has two points.
    let points = unsigned.matches('.').count();
    let date = unsigned.len() >= 8 && unsigned.as_bytes().get(4) == Some(&b'-');
    let digits = unsigned
        .bytes()
        .all(|b| b.is_ascii_hexdigit() || b"xXoO_.:+-".contains(&b));
    date || (digits && points < 2)
}

/// Writes `text` in double quotes with JSON's escapes: text for every reader, whatever it looks like.
pub(crate) fn quote(text: &str, to: &mut String) {
    to.push('"');
    if text
        .bytes()
        .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
    {
        to.push_str(text);
        return to.push('"');
    }
    let mut from = 0;
    for (at, character) in text.char_indices() {
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            // What YAML takes for a line break or does not allow, beside the control characters.
            '\u{0}'..='\u{1F}'
            | '\u{7F}'..='\u{9F}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{FEFF}'
            | '\u{FFFE}'
            | '\u{FFFF}' => "",
            _ => continue,
        };
        to.push_str(&text[from..at]);
        if escape.is_empty() {
            to.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            to.push_str(escape);
        }
        from = at + character.len_utf8();
    }
    to.push_str(&text[from..]);
    to.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_survives_quoting() {
        for text in [
            "",
            "a",
            "1_000",
            "q\"\\q",
            "l\nl\tt\r",
            "\u{1}\u{7f}\u{85}\u{2028}\u{feff}",
            "ü😀",
        ] {
            let mut quoted = String::new();
            quote(text, &mut quoted);
            assert_eq!(double_quoted(&quoted), text, "{quoted}");
            assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn every_escape_is_read() {
        assert_eq!(
            double_quoted(r#""\x41\u00e9\ud83d\ude00\U0001F600\/\_\N""#),
            "Aé😀😀/\u{a0}\u{85}"
        );
        assert_eq!(single_quoted("'it''s'"), "it's");
    }

    #[test]
    fn a_literal_block_loses_its_indentation_and_what_its_sign_drops() {
        assert_eq!(literal("|\n  a\n\n   b\n\n", false), "a\n\n b\n");
        assert_eq!(literal("|-\r\n  a\r\n  b", false), "a\nb");
        assert_eq!(literal("|+\n  a\n", false), "a\n\n");
        assert_eq!(literal("|", false), "");
        assert_eq!(literal("|\n  a", true), "a");
        assert_eq!(literal("|+\n  a", true), "a");
        assert_eq!(literal("|\n  a\n", true), "a\n");
    }

    #[test]
    fn what_some_reader_takes_for_something_else_is_not_text() {
        for plain in [
            "",
            "~",
            "null",
            "yes",
            "Off",
            "y",
            "TRUE",
            "1",
            "0777",
            "017",
            "1_000",
            "1e3",
            "-1",
            "+.5",
            ".inf",
            "-.INF",
            "0x1F",
            "0o17",
            "190:20:30",
            "2024-01-01",
            "2024-01-01T00:00:00Z",
            "1.5",
            "<<",
            "12e03",
            "1.",
            "0b1",
        ] {
            assert!(!is_plain_text(plain), "{plain}");
        }
        for plain in [
            "127.0.0.1",
            "a",
            "host-1",
            "-x",
            "http://x:1",
            "v1",
            "nope",
            "/healthz",
            "100m",
            "1.2.3",
        ] {
            assert!(is_plain_text(plain), "{plain}");
        }
    }
}
