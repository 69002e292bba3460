//! Reads a text of JSON values: serde_json says whether it is well-formed, then the structure is plain to see.

use super::builder::{Builder, Flags, Kind};

const FLOW: Flags = Flags {
    flow: true,
    tagged: false,
    shared: false,
};

/// Fills the builder and says true when `text` is one JSON object or several, one after the other.
pub(super) fn read(text: &str, builder: &mut Builder) -> bool {
    if !text.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
        return false;
    }
    let mark = builder.mark();
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    let mut from = 0;
    while let Some(value) = values.next() {
        let to = values.byte_offset();
        if value.is_err() || !object(text.as_bytes(), from, to, builder) {
            builder.rewind(mark);
            return false;
        }
        from = to;
    }
    true
}

/// Indexes one well-formed value; false when it is no object or nested too deep.
fn object(bytes: &[u8], from: usize, to: usize, builder: &mut Builder) -> bool {
    let mut at = from;
    while at < to {
        if builder.is_full() {
            return false;
        }
        match bytes[at] {
            b'{' | b'[' => {
                let kind = if bytes[at] == b'{' { Kind::Map } else { Kind::Seq };
                if (builder.depth() == 0 && kind == Kind::Seq) || builder.depth() >= super::NESTING_LIMIT {
                    return false;
                }
                builder.open(kind, at, at + 1, FLOW);
                at += 1;
            }
            b'}' | b']' => {
                at += 1;
                builder.close(Some(at));
            }
            b'"' => {
                let start = at;
                at += 1;
                while bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
                builder.leaf(Kind::Double, start, at, FLOW);
            }
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' => at += 1,
            _ => {
                let start = at;
                while at < to && !matches!(bytes[at], b' ' | b'\t' | b'\r' | b'\n' | b',' | b'}' | b']') {
                    at += 1;
                }
                if builder.depth() == 0 {
                    return false;
                }
                builder.leaf(Kind::Plain, start, at, FLOW);
            }
        }
    }
    true
}
