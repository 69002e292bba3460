//! Bytes that give way to others: kept in any order, settled once, written in one pass.

use std::io::{self, Write};

/// Bytes `start..end` give way to `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Splice {
    start: usize,
    end: usize,
    /// Of insertions at one place, the higher ranks come first: the deeper ones.
    rank: usize,
    text: String,
}

/// All of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Splices(Vec<Splice>);

impl Splices {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts text between two bytes.
    pub(super) fn insert(&mut self, at: usize, rank: usize, text: String) {
        let (start, end) = (at, at);
        self.0.push(Splice { start, end, rank, text });
    }

    /// Puts text in the place of bytes.
    pub(super) fn replace(&mut self, start: usize, end: usize, text: String) {
        let rank = 0;
        self.0.push(Splice { start, end, rank, text });
    }

    /// As [`Self::replace`], before all that is put in at `start`; asked for again, it stays one.
    pub(super) fn replace_once(&mut self, start: usize, end: usize, text: String) {
        let rank = usize::MAX;
        let splice = Splice { start, end, rank, text };
        if !self.0.contains(&splice) {
            self.0.push(splice);
        }
    }

    /// Puts them in order; an error is the place where two change the same bytes.
    pub(super) fn settle(&mut self) -> Result<(), usize> {
        self.0.sort_by(|a, b| {
            let replaces = |splice: &Splice| splice.end > splice.start;
            (a.start, replaces(a), b.rank).cmp(&(b.start, replaces(b), a.rank))
        });
        let inside = self.0.windows(2).find(|pair| pair[1].start < pair[0].end);
        inside.map_or(Ok(()), |pair| Err(pair[1].start))
    }

    /// The settled ones: from where to where, and what stands there afterwards.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.0
            .iter()
            .map(|splice| (splice.start, splice.end, splice.text.as_str()))
    }

    /// Writes the text with the settled ones.
    pub(super) fn write(&self, text: &str, to: &mut impl Write) -> io::Result<()> {
        let mut from = 0;
        for (start, end, put) in self.iter() {
            to.write_all(&text.as_bytes()[from..start])?;
            to.write_all(put.as_bytes())?;
            from = end;
        }
        to.write_all(&text.as_bytes()[from..])
    }
}
