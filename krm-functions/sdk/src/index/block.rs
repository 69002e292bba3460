//! Reads block style line by line: keys, scalars and flow collections on one line, literal blocks, comments.
//! This is what kustomize and most people write, at ten times the speed of a full parser. Whatever else it meets
//! (anchors, tags, folded text, tabs, an error) it declines, and the full parser reads that document instead.

use super::builder::{Builder, Flags, Kind};
use super::{flow, quoted};

/// Deeper documents go to the full parser, which knows the limit.
pub(super) const DEPTH: usize = 200;
/// YAML's limit for a key on one line is 1,024 characters; longer ones are the full parser's.
pub(super) const KEY_BYTES: usize = 1000;

/// Reads the document that begins at `at`; answers where the next one begins, or `None` to decline.
pub(super) fn document(text: &str, at: usize, builder: &mut Builder) -> Option<usize> {
    let mut lines = Lines {
        bytes: text.as_bytes(),
        builder,
        open: Vec::new(),
        value: None,
        rooted: false,
    };
    let mut at = at;
    if is_marker(lines.bytes, at, b"---") {
        at = lines.rest_is_blank(at + 3)?;
    }
    while at < text.len() {
        if lines.builder.is_full() {
            return None;
        }
        let indent = lines.bytes[at..]
            .iter()
            .position(|&b| b != b' ')
            .unwrap_or(text.len() - at);
        let first = at + indent;
        at = match lines.bytes.get(first) {
            None | Some(b'\n' | b'\r' | b'#') => lines.next_line(first),
            Some(b'\t' | b'%') => return None,
            Some(_) if indent == 0 && is_marker(lines.bytes, first, b"---") => break,
            Some(_) if indent == 0 && is_marker(lines.bytes, first, b"...") => return None,
            Some(_) => lines.line(first, indent)?,
        };
    }
    while !lines.open.is_empty() {
        lines.close();
    }
    Some(at)
}

/// Whether the line at `at` is a document marker: `---` or `...`, then white space or the end.
pub(super) fn is_marker(bytes: &[u8], at: usize, marker: &[u8]) -> bool {
    bytes[at..].starts_with(marker) && matches!(bytes.get(at + 3), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
}

struct Open {
    indent: usize,
    seq: bool,
}

struct Lines<'t, 'b> {
    bytes: &'t [u8],
    builder: &'b mut Builder,
    open: Vec<Open>,
    /// Where the value that the innermost collection waits for would stand, if it waits for one.
    value: Option<usize>,
    rooted: bool,
}

/// A scalar on one line: its kind, its end, and the place after it.
struct Token {
    kind: Kind,
    start: usize,
    end: usize,
}

impl Lines<'_, '_> {
    /// Reads the line whose first character, at `first`, is indented by `indent`; answers where the next line begins.
    fn line(&mut self, first: usize, indent: usize) -> Option<usize> {
        while self.open.last().is_some_and(|top| top.indent > indent) {
            self.close();
        }
        let dash = self.is_dash(first);
        // Whether a new node begins here, rather than the next entry of the collection that is open.
        let new = match self.open.last() {
            None => !std::mem::replace(&mut self.rooted, true),
            Some(top) if top.indent < indent => self.value.is_some(),
            Some(top) if top.seq && !dash => {
                // A sequence at its key's column ends at the next key.
                self.close();
                self.open
                    .last()
                    .is_some_and(|map| !map.seq && map.indent == indent)
                    .then_some(())?;
                return self.node(first, first - indent, false);
            }
            Some(top) if !top.seq && dash => return self.value.and_then(|_| self.node(first, first - indent, true)),
            Some(_) => {
                self.missing_value();
                return self.node(first, first - indent, false);
            }
        };
        if new {
            self.node(first, first - indent, true)
        } else {
            None
        }
    }

    /// Reads dashes, a key, a scalar from `at` to the end of the line that began at `line`.
    fn node(&mut self, mut at: usize, line: usize, mut new: bool) -> Option<usize> {
        while self.is_dash(at) {
            if new {
                self.begin(Kind::Seq, at, at - line)?;
            }
            self.value = Some(at + 1);
            at += 1 + self.spaces(at + 1);
            if self.ends(at) {
                return Some(self.next_line(at));
            }
            new = true;
        }
        if let Some(token) = self.token(at)? {
            let after = token.end + self.spaces(token.end);
            if self.bytes.get(after) == Some(&b':') && self.is_space_or_end(after + 1) {
                if new {
                    self.begin(Kind::Map, at, at - line)?;
                }
                if token.end - token.start > KEY_BYTES {
                    return None;
                }
                self.builder.leaf(token.kind, token.start, token.end, Flags::default());
                self.value = Some(after + 1);
                at = after + 1 + self.spaces(after + 1);
                if self.ends(at) {
                    return Some(self.next_line(at));
                }
                if self.is_dash(at) {
                    return None;
                }
                new = true;
            } else if !new {
                return None;
            }
        }
        if new { self.value_at(at) } else { None }
    }

    /// Reads the scalar or empty collection that is the awaited value.
    fn value_at(&mut self, at: usize) -> Option<usize> {
        self.value?;
        let end = match self.bytes[at] {
            b'|' => return self.literal(at),
            b'[' | b'{' => flow::collection(self.bytes, at, self.open.len(), self.builder)?,
            _ => {
                let token = self.token(at)??;
                self.builder.leaf(token.kind, token.start, token.end, Flags::default());
                token.end
            }
        };
        self.value = None;
        self.rest_is_blank(end)
    }

    /// The scalar at `at`, `Some(None)` when something else begins here; `None` declines.
    fn token(&self, at: usize) -> Option<Option<Token>> {
        let (kind, end) = match *self.bytes.get(at)? {
            b'"' => (Kind::Double, quoted::double(self.bytes, at)?),
            b'\'' => (Kind::Single, quoted::single(self.bytes, at)?),
            b'|' | b'[' | b'{' => return Some(None),
            b']' | b'}' | b',' | b'#' | b'&' | b'*' | b'!' | b'%' | b'@' | b'`' | b'>' => return None,
            b'-' | b'?' | b':' if self.is_space_or_end(at + 1) => return None,
            _ => (Kind::Plain, self.plain(at)?),
        };
        Some(Some(Token { kind, start: at, end }))
    }

    /// The end of a plain scalar: before `: `, ` #` or the line's end, without trailing spaces.
    fn plain(&self, start: usize) -> Option<usize> {
        let mut at = start;
        let mut end = start;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' | b'\r' => break,
                b'\t' => return None,
                b':' if self.is_space_or_end(at + 1) => break,
                b'#' if self.bytes[at - 1] == b' ' => break,
                b' ' => {}
                _ => end = at + 1,
            }
            at += 1;
        }
        Some(end)
    }

    /// A literal block scalar whose header is at `at`.
    fn literal(&mut self, at: usize) -> Option<usize> {
        let parent = self.open.last()?.indent;
        let sign = usize::from(matches!(self.bytes.get(at + 1), Some(b'-' | b'+')));
        let mut next = self.rest_is_blank(at + 1 + sign)?;
        let mut end = self.before_break(next);
        let mut content = None;
        let mut deepest_blank = 0;
        while next < self.bytes.len() {
            let indent = self.spaces(next);
            let first = self.bytes.get(next + indent);
            if matches!(first, None | Some(b'\n' | b'\r')) {
                if content.is_none() {
                    deepest_blank = deepest_blank.max(indent);
                }
            } else {
                // White space that is no space, less indented than the content: the full parser's to judge.
                if first == Some(&b'\t') && content.is_none_or(|content| indent < content) {
                    return None;
                }
                if indent < *content.get_or_insert(indent.max(parent + 1)) {
                    break;
                }
            }
            next = self.next_line(next + indent);
            end = self.before_break(next);
        }
        // Blank lines above the content that are deeper than it are an error.
        if content.is_some_and(|content| deepest_blank > content) {
            return None;
        }
        self.builder.leaf(Kind::Literal, at, end, Flags::default());
        self.value = None;
        Some(next)
    }

    /// Opens the collection that is the awaited value, or the root.
    fn begin(&mut self, kind: Kind, at: usize, indent: usize) -> Option<()> {
        (self.open.len() < DEPTH).then_some(())?;
        self.value = None;
        self.builder.open(kind, at, at, Flags::default());
        self.open.push(Open {
            indent,
            seq: kind == Kind::Seq,
        });
        Some(())
    }

    fn close(&mut self) {
        self.missing_value();
        self.open.pop();
        self.builder.close(None);
    }

    /// The awaited value is not written.
    fn missing_value(&mut self) {
        if let Some(at) = self.value.take() {
            self.builder.leaf(Kind::Plain, at, at, Flags::default());
        }
    }

    fn spaces(&self, at: usize) -> usize {
        self.bytes[at..].iter().take_while(|&&b| b == b' ').count()
    }

    fn is_dash(&self, at: usize) -> bool {
        self.bytes.get(at) == Some(&b'-') && matches!(self.bytes.get(at + 1), None | Some(b' ' | b'\n' | b'\r'))
    }

    fn is_space_or_end(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b' ' | b'\t' | b'\n' | b'\r'))
    }

    /// Whether nothing but a comment follows; `at` is the first byte that is no space.
    fn ends(&self, at: usize) -> bool {
        match self.bytes.get(at) {
            None | Some(b'\n' | b'\r') => true,
            Some(b'#') => self.bytes[at - 1] == b' ',
            Some(_) => false,
        }
    }

    /// The next line, if nothing but white space and a comment follows on this one.
    fn rest_is_blank(&self, at: usize) -> Option<usize> {
        let after = at + self.spaces(at);
        self.ends(after).then(|| self.next_line(after))
    }

    fn next_line(&self, at: usize) -> usize {
        self.bytes[at..]
            .iter()
            .position(|&b| b == b'\n')
            .map_or(self.bytes.len(), |i| at + i + 1)
    }

    /// The end of the line that ends where the next one begins, without its break.
    fn before_break(&self, next: usize) -> usize {
        let line = &self.bytes[..next];
        let line = line
            .strip_suffix(b"\n")
            .map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line));
        line.len()
    }
}
