//! Reads a flow collection that begins and ends on one line: `{a: b, c: [d, "e"]}`. Like the block reader it declines
//! whatever it is not sure of.

use super::builder::{Builder, Flags, Kind};
use super::quoted;

const FLOW: Flags = Flags {
    flow: true,
    tagged: false,
    shared: false,
};

/// Reads the collection whose bracket is at `at`; answers the byte after its last one, or `None` to decline.
pub(super) fn collection(bytes: &[u8], at: usize, depth: usize, builder: &mut Builder) -> Option<usize> {
    // The brackets that must close what is open, the innermost last.
    let mut closing: Vec<u8> = Vec::new();
    let mut at = at;
    loop {
        if builder.is_full() {
            return None;
        }
        // An entry begins here, or the collection ends.
        at += spaces(bytes, at);
        if closing.last() == Some(&b'}') {
            let (kind, end) = scalar(bytes, at)?;
            (end - at <= super::block::KEY_BYTES).then_some(())?;
            builder.leaf(kind, at, end, FLOW);
            at = end + spaces(bytes, end);
            let adjacent = kind != Kind::Plain;
            let separated = matches!(bytes.get(at + 1), Some(b' '));
            (bytes.get(at) == Some(&b':') && (separated || adjacent)).then_some(())?;
            at += 1 + spaces(bytes, at + 1);
        }
        if matches!(bytes.get(at), Some(b'[' | b'{')) {
            let opens = bytes[at];
            (depth + closing.len() < super::block::DEPTH).then_some(())?;
            let (kind, close) = if opens == b'[' {
                (Kind::Seq, b']')
            } else {
                (Kind::Map, b'}')
            };
            builder.open(kind, at, at + 1, FLOW);
            at += 1;
            at += spaces(bytes, at);
            if bytes.get(at) != Some(&close) {
                closing.push(close);
                continue;
            }
            at += 1;
            builder.close(Some(at));
        } else {
            let (kind, end) = scalar(bytes, at)?;
            builder.leaf(kind, at, end, FLOW);
            at = end;
        }
        // After a value: a comma, or brackets that close.
        loop {
            let Some(&close) = closing.last() else { return Some(at) };
            at += spaces(bytes, at);
            match *bytes.get(at)? {
                b',' => {
                    at += 1;
                    break;
                }
                byte if byte == close => {
                    at += 1;
                    closing.pop();
                    builder.close(Some(at));
                }
                _ => return None,
            }
        }
    }
}

/// The scalar at `at` and its end.
fn scalar(bytes: &[u8], at: usize) -> Option<(Kind, usize)> {
    match *bytes.get(at)? {
        b'"' => Some((Kind::Double, quoted::double(bytes, at)?)),
        b'\'' => Some((Kind::Single, quoted::single(bytes, at)?)),
        b'[' | b']' | b'{' | b'}' | b',' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@' | b'`' | b'?'
        | b':' | b'-' => None,
        _ => plain(bytes, at).map(|end| (Kind::Plain, end)),
    }
}

/// The end of a plain scalar: before `: `, a comma or a bracket, without trailing spaces.
fn plain(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut end = start;
    loop {
        match *bytes.get(at)? {
            b',' | b']' | b'}' => break,
            b'[' | b'{' | b'\t' | b'\n' | b'\r' => return None,
            b':' if matches!(bytes.get(at + 1), Some(b' ')) => break,
            b':' if matches!(
                bytes.get(at + 1),
                None | Some(b',' | b']' | b'}' | b'[' | b'{' | b'\t' | b'\n' | b'\r')
            ) =>
            {
                return None;
            }
            b'#' if bytes[at - 1] == b' ' => return None,
            b' ' => {}
            _ => end = at + 1,
        }
        at += 1;
    }
    Some(end)
}

fn spaces(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|&&b| b == b' ').count()
}
