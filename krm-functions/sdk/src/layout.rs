//! Columns and lines: where an edit has to stand so that block style stays well-formed.

use crate::index::Index;
use crate::node::Node;

/// The column, from 0, of a block node's first byte; before it stand only spaces and indicators.
pub(crate) fn column(node: Node<'_>) -> usize {
    let start = node.raw().start as usize;
    start - start_of_line(&node.index().text, start)
}

fn start_of_line(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .rposition(|&b| matches!(b, b'\n' | b'\r'))
        .map_or(0, |i| i + 1)
}

/// The end of the line that `at` is on, before its break.
pub(crate) fn end_of_line(text: &str, at: usize) -> usize {
    text.as_bytes()[at..]
        .iter()
        .position(|&b| matches!(b, b'\n' | b'\r'))
        .map_or(text.len(), |i| at + i)
}

/// The dash of the item that follows the one that ended at `end`.
pub(crate) fn next_dash(text: &str, end: usize) -> usize {
    let mut at = end;
    while let Some(&byte) = text.as_bytes().get(at) {
        match byte {
            b'-' => break,
            b'#' => at = end_of_line(text, at),
            _ => at += 1,
        }
    }
    at
}

/// How the text ends its lines.
pub(crate) fn line_break(index: &Index) -> &'static str {
    let text = index.text.as_bytes();
    match text.iter().position(|&b| b == b'\n') {
        Some(at) if at > 0 && text[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// Where a sequence under a key of `map` begins: at the key's column or two to the right of it, as the sequence does
/// that `map` is an item of.
pub(crate) fn dashes(map: Node<'_>) -> usize {
    // Far enough up for any container; a bound, so that long lists stay cheap.
    const LINES: usize = 200;
    let text = &map.index().text;
    let own = column(map);
    let line = start_of_line(text, map.raw().start as usize);
    let Some(dash) = text[line..].find(|c| c != ' ').filter(|&dash| dash < own) else {
        return own;
    };
    for above in text[..line].lines().rev().take(LINES) {
        let indent = above.len() - above.trim_start_matches(' ').len();
        let rest = &above[indent..];
        if rest.is_empty()
            || rest.starts_with(['#', '\r'])
            || indent > dash
            || (indent == dash && rest.starts_with('-'))
        {
            continue;
        }
        return if indent < dash { own + 2 } else { own };
    }
    own
}
