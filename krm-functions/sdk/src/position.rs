//! Places in a text, as people count them, and the error of a text that cannot be read.

use std::fmt;
use std::sync::OnceLock;

/// A place in a text: both count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The place of the byte at `byte` in `text`; beyond the end it is the end.
    #[must_use]
    pub fn of(text: &str, byte: usize) -> Self {
        Self::START.after(&text.as_bytes()[..byte.min(text.len())])
    }

    const START: Self = Self { line: 1, column: 1 };

    /// The place behind these bytes, which begin here.
    fn after(self, bytes: &[u8]) -> Self {
        let lines = bytes.iter().filter(|&&b| b == b'\n').count();
        let last = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |i| i + 1);
        let characters = bytes[last..].iter().filter(|&&b| b & 0xC0 != 0x80).count();
        let before = if lines == 0 { self.column } else { 1 };
        Self {
            line: self.line + lines,
            column: before + characters,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// The places of a text's blocks, found when they are first asked for: there may be something to say of every object, and
/// counting lines from the beginning for each would take minutes.
#[derive(Debug, Default)]
pub(crate) struct Places(OnceLock<Vec<Position>>);

impl Places {
    const BLOCK: usize = 1024;

    /// As [`Position::of`].
    pub(crate) fn of(&self, text: &str, byte: usize) -> Position {
        let (bytes, byte) = (text.as_bytes(), byte.min(text.len()));
        let blocks = self.0.get_or_init(|| {
            let behind = bytes.chunks(Self::BLOCK).scan(Position::START, |place, block| {
                *place = place.after(block);
                Some(*place)
            });
            std::iter::once(Position::START).chain(behind).collect()
        });
        let block = byte / Self::BLOCK;
        blocks[block].after(&bytes[block * Self::BLOCK..byte])
    }
}

/// A text that is not well-formed: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct SyntaxError {
    /// Where reading stopped.
    pub position: Position,
    /// What is wrong there.
    pub message: String,
}

impl SyntaxError {
    pub(crate) fn at(text: &str, byte: usize, message: impl Into<String>) -> Self {
        Self {
            position: Position::of(text, byte),
            message: message.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_start_at_one() {
        let text = "a: b\nü: é\n";
        assert_eq!(Position::of(text, 0), Position { line: 1, column: 1 });
        assert_eq!(
            Position::of(text, text.find('é').unwrap()),
            Position { line: 2, column: 4 }
        );
        assert_eq!(Position::of(text, 999).to_string(), "line 3, column 1");
    }

    #[test]
    fn places_by_blocks_are_those_counted_from_the_beginning() {
        let block = Places::BLOCK;
        for text in [
            String::new(),
            "a".repeat(3 * block),
            "ü: é\n".repeat(block / 4),
            "日".repeat(block) + "\r\n\n",
        ] {
            let places = Places::default();
            for byte in (0..text.len() + 2).filter(|&byte| text.is_char_boundary(byte) || byte > text.len()) {
                assert_eq!(places.of(&text, byte), Position::of(&text, byte), "{byte}");
            }
        }
    }
}
