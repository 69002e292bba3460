//! The light index over a text: where each node starts and ends, and nothing of what it means.
//! Three readers fill it: [`block`] (what kustomize writes, fast), [`json`], and [`full`] (all of YAML, granit-parser).
//! The first two decline what they are not sure of; only [`full`] may call a text wrong.

mod block;
mod builder;
mod characters;
mod flow;
mod full;
mod json;
mod keys;
mod quoted;

pub(crate) use builder::{Kind, Raw};

use std::collections::HashMap;

use crate::position::{Places, Position, SyntaxError};

/// Collections nested deeper than this are refused; Kubernetes' own types stay below 60.
pub(crate) const NESTING_LIMIT: usize = 1000;

/// A text has at most this many nodes, which take 2 GiB: twice what a million objects have.
const MOST: usize = 1 << 27;

/// A text and where its nodes are. Nodes stand in document order, a parent before its children.
#[derive(Debug)]
pub(crate) struct Index {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Raw>,
    /// The root node of every document that has content.
    pub(crate) documents: Vec<u32>,
    /// Alias node and the node it stands for, sorted by alias.
    pub(crate) aliases: Vec<(u32, u32)>,
    /// What scalars say that cannot be decoded from their own bytes alone: folded and many-line ones.
    pub(crate) decoded: HashMap<u32, Box<str>>,
    pub(crate) places: Places,
    /// The file that the text was read from, as the user wrote it; `None` for what came on stdin.
    pub(crate) file: Option<String>,
}

impl Index {
    /// Reads `text`; an error names the place.
    pub(crate) fn parse(text: String) -> Result<Self, SyntaxError> {
        Self::parse_up_to(text, MOST)
    }

    fn parse_up_to(text: String, most: usize) -> Result<Self, SyntaxError> {
        let Ok(length) = u32::try_from(text.len()) else {
            return Err(SyntaxError::at(&text, 0, "the input is larger than 4 GiB"));
        };
        let plain_breaks = characters::check(&text)?;
        let mut builder = builder::Builder::with_capacity(length as usize / 16, most);
        if !json::read(&text, &mut builder) {
            builder.refuse_overflow(&text)?;
            let mut at = 0;
            while at < text.len() {
                let mark = builder.mark();
                let next = if plain_breaks {
                    block::document(&text, at, &mut builder)
                } else {
                    None
                };
                at = match next {
                    Some(next) => next,
                    None => {
                        builder.refuse_overflow(&text)?;
                        builder.rewind(mark);
                        full::documents(&text, at, &mut builder)?
                    }
                };
            }
        }
        let mut index = builder.finish(text);
        keys::refuse_duplicates(&index)?;
        index.mark_shared();
        Ok(index)
    }

    /// Reads `text` by the full parser alone: what the fast readers are held to.
    pub(crate) fn parse_fully(text: &str) -> Result<Self, SyntaxError> {
        characters::check(text)?;
        let mut builder = builder::Builder::with_capacity(0, MOST);
        let mut at = 0;
        while at < text.len() {
            at = full::documents(text, at, &mut builder)?;
        }
        let mut index = builder.finish(text.to_owned());
        keys::refuse_duplicates(&index)?;
        index.mark_shared();
        Ok(index)
    }

    /// The line and column of a byte.
    pub(crate) fn position(&self, byte: usize) -> Position {
        self.places.of(&self.text, byte)
    }

    /// Flags every node that an alias shows a second time: editing one would change both places.
    fn mark_shared(&mut self) {
        let mut targets: Vec<u32> = self.aliases.iter().map(|&(_, target)| target).collect();
        targets.sort_unstable();
        targets.dedup();
        let mut done = 0;
        for target in targets {
            let end = self.nodes[target as usize].next;
            for node in target.max(done)..end {
                self.nodes[node as usize].flags.shared = true;
            }
            done = done.max(end);
        }
    }
}

#[cfg(test)]
mod tests;
