//! Reads any YAML with granit-parser and evens out its spans: where a sequence's first `-`, a block scalar's header
//! and a missing value really are.

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

use super::builder::{Builder, Flags, Kind};
use crate::position::SyntaxError;

/// Reads from `at` to the next document marker, or to the end where directives or `...` make that unsafe.
/// Answers where it stopped.
pub(super) fn documents(text: &str, at: usize, builder: &mut Builder) -> Result<usize, SyntaxError> {
    let end = boundary(text, at);
    let options = granit_parser::options! {
        emit_comments: false,
        block_scalar_eof_without_line_feed: end == text.len(),
        block_nesting_limit: super::NESTING_LIMIT,
        flow_nesting_limit: super::NESTING_LIMIT,
    };
    let mut reading = Reading {
        text,
        base: at,
        end,
        anchors: HashMap::new(),
        builder,
    };
    for event in Parser::new_from_str_with_options(&text[at..end], options) {
        let (event, span) = event.map_err(|error| {
            let byte = at + error.marker().byte_offset().unwrap_or(0);
            SyntaxError::at(text, byte, error.info())
        })?;
        let range = span.byte_range().unwrap_or_default();
        reading.event(event, at + range.start, at + range.end);
        if reading.builder.is_full() {
            break;
        }
    }
    builder.refuse_overflow(text)?;
    Ok(end)
}

/// The start of the next line that begins with a document marker; the end of the text if there is none.
fn boundary(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut from = at;
    while let Some(found) = bytes[from..].iter().position(|&b| b == b'\n') {
        from += found + 1;
        let line = &bytes[from..];
        if line.starts_with(b"%") || line.starts_with(b"...") || bytes[at..].starts_with(b"%") {
            return text.len();
        }
        if super::block::is_marker(bytes, from, b"---") {
            return from;
        }
    }
    text.len()
}

struct Reading<'t, 'b> {
    text: &'t str,
    base: usize,
    end: usize,
    anchors: HashMap<usize, u32>,
    builder: &'b mut Builder,
}

impl Reading<'_, '_> {
    fn event(&mut self, event: Event<'_>, start: usize, end: usize) {
        match event {
            Event::DocumentStart(..) => {
                self.anchors.clear();
                self.builder.start_at(end.max(self.base));
            }
            Event::DocumentEnd if self.builder.last_document_is_empty() => self.builder.drop_last_document(),
            Event::MappingStart(style, anchor, tag) => {
                let flags = self.flags(style == StructureStyle::Flow, tag.is_some());
                let id = self.builder.open(Kind::Map, start, end, flags);
                self.anchors.insert(anchor, id);
            }
            Event::SequenceStart(style, anchor, tag) => {
                let flow = style == StructureStyle::Flow;
                let flags = self.flags(flow, tag.is_some());
                let (start, end) = if flow {
                    (start, end)
                } else {
                    // Only a mapping's value can begin at its parent's column, and only there granit's span is late.
                    let value = self.builder.parent().is_some_and(|(kind, _)| kind == Kind::Map);
                    let dash = if value { self.find(b'-').unwrap_or(start) } else { start };
                    (dash, dash)
                };
                let id = self.builder.open(Kind::Seq, start, end, flags);
                self.anchors.insert(anchor, id);
            }
            Event::MappingEnd | Event::SequenceEnd => self.builder.close((end > start).then_some(end)),
            Event::Scalar(text, style, anchor, tag) => {
                let id = self.scalar(&text, style, tag.is_some(), start, end);
                self.anchors.insert(anchor, id);
            }
            Event::Alias(anchor) => {
                let flags = self.flags(false, false);
                let id = self.builder.leaf(Kind::Alias, start, end, flags);
                if let Some(&target) = self.anchors.get(&anchor) {
                    self.builder.alias(id, target);
                }
            }
            _ => {}
        }
    }

    fn flags(&self, flow: bool, tagged: bool) -> Flags {
        Flags {
            flow: flow || self.builder.parent().is_some_and(|(_, flow)| flow),
            tagged,
            shared: false,
        }
    }

    fn scalar(&mut self, said: &str, style: ScalarStyle, tagged: bool, start: usize, end: usize) -> u32 {
        let flags = self.flags(false, tagged);
        let (kind, start, end) = match style {
            ScalarStyle::Plain if start == end => {
                let at = self.missing_value(start);
                (Kind::Plain, at, at)
            }
            ScalarStyle::Plain => (Kind::Plain, start, end),
            ScalarStyle::SingleQuoted => (Kind::Single, start, end),
            ScalarStyle::DoubleQuoted => (Kind::Double, start, end),
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let (kind, sign) = if style == ScalarStyle::Literal {
                    (Kind::Literal, b'|')
                } else {
                    (Kind::Folded, b'>')
                };
                let header = self.find(sign).unwrap_or(start);
                (kind, header, self.block_scalar_end(header, end))
            }
        };
        let many_lines = self.text[start..end].contains(['\n', '\r']);
        let id = self.builder.leaf(kind, start, end, flags);
        if many_lines {
            self.builder.decoded(id, said.into());
        }
        id
    }

    /// The next byte of `sign` after the last token, over white space, comments, anchors, tags and indicators.
    fn find(&self, sign: u8) -> Option<usize> {
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = self.builder.last_end();
        while let Some(&byte) = bytes.get(at) {
            match byte {
                b if b == sign => return Some(at),
                b'#' => {
                    at += bytes[at..]
                        .iter()
                        .position(|&b| matches!(b, b'\n' | b'\r'))
                        .unwrap_or(bytes.len() - at)
                }
                b'&' | b'!' => {
                    at += bytes[at..]
                        .iter()
                        .position(u8::is_ascii_whitespace)
                        .unwrap_or(bytes.len() - at)
                }
                _ => at += 1,
            }
        }
        None
    }

    /// Where a value that is not written would stand: right after its key's colon or its dash, its anchor and tag.
    fn missing_value(&self, said: usize) -> usize {
        let bytes = &self.text.as_bytes()[..self.end];
        let mut at = self.builder.last_end();
        let sign = match self.builder.parent() {
            Some((Kind::Seq, false)) => self.find(b'-'),
            _ => {
                at += bytes[at..].iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
                (bytes.get(at) == Some(&b':')).then_some(at)
            }
        };
        let Some(sign) = sign else {
            // A key without a colon: `? key`. granit's place is that of the next token, perhaps lines below.
            let from = self.builder.last_end();
            return from + bytes[from..said.max(from)].trim_ascii_end().len();
        };
        let mut value = sign + 1;
        at = value;
        while at < said {
            match bytes[at] {
                b'&' | b'!' => {
                    at += bytes[at..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
                    value = at;
                }
                b'#' => at += bytes[at..].iter().take_while(|b| !matches!(b, b'\n' | b'\r')).count(),
                b' ' | b'\t' | b'\n' | b'\r' => at += 1,
                _ => break,
            }
        }
        value
    }

    /// A block scalar's end before its last line break; granit's is where the next token begins.
    fn block_scalar_end(&self, header: usize, said: usize) -> usize {
        let bytes = self.text.as_bytes();
        let line_end = |from: usize| {
            let end = bytes[from..]
                .iter()
                .position(|&b| b == b'\n')
                .map_or(bytes.len(), |i| from + i);
            if end > from && bytes[end - 1] == b'\r' && end < bytes.len() {
                end - 1
            } else {
                end
            }
        };
        let mut end = said;
        if end < bytes.len() {
            while end > header && bytes[end - 1] == b' ' {
                end -= 1;
            }
        }
        if end > header && bytes[end - 1] == b'\n' {
            end -= 1;
            if end > header && bytes[end - 1] == b'\r' {
                end -= 1;
            }
        } else if end < bytes.len() {
            end = said;
        }
        end.max(line_end(header))
    }
}
