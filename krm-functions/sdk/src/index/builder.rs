//! Collects nodes in document order; the readers say where tokens stand, the builder closes what they open.

use std::collections::HashMap;

use super::Index;
use crate::position::{Places, SyntaxError};

/// What a node is, and for a scalar how it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Map,
    Seq,
    Plain,
    Single,
    Double,
    Literal,
    Folded,
    Alias,
}

impl Kind {
    /// Whether the node is a scalar; an alias is none.
    pub(crate) fn is_scalar(self) -> bool {
        !matches!(self, Self::Map | Self::Seq | Self::Alias)
    }
}

/// What else must be known of a node before it is edited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags {
    /// A collection in flow style, or anything inside one.
    pub(crate) flow: bool,
    /// A tag stands before the node.
    pub(crate) tagged: bool,
    /// An alias elsewhere shows this node, or one around it, again.
    pub(crate) shared: bool,
}

/// One node: 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Raw {
    /// The node's first byte, after its anchor and tag; of a block sequence the first `-`, of a block scalar its `|` or `>`.
    pub(crate) start: u32,
    /// The byte after its last one; a block scalar ends before its final line break.
    pub(crate) end: u32,
    /// The node after this one and all that is inside it.
    pub(crate) next: u32,
    pub(crate) kind: Kind,
    pub(crate) flags: Flags,
}

/// Where a builder stood, to go back to.
pub(super) struct Mark {
    nodes: usize,
    documents: usize,
}

/// See the module.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<Raw>,
    open: Vec<u32>,
    documents: Vec<u32>,
    aliases: Vec<(u32, u32)>,
    decoded: HashMap<u32, Box<str>>,
    /// Where the last token ended.
    last_end: usize,
    /// How much may be kept, in nodes.
    most: usize,
    /// Whether there was more; a reader that is taken back does not change that.
    overflown: bool,
}

fn offset(byte: usize) -> u32 {
    u32::try_from(byte).expect("the index refuses texts beyond 4 GiB")
}

impl Builder {
    pub(super) fn with_capacity(nodes: usize, most: usize) -> Self {
        Self {
            nodes: Vec::with_capacity(nodes.min(most)),
            most,
            ..Self::default()
        }
    }

    /// Whether nothing more may be kept: a reader then ends.
    pub(super) fn is_full(&mut self) -> bool {
        // What cannot be decoded from its own bytes takes about five nodes more.
        self.overflown |= self.nodes.len() + self.aliases.len() + 5 * self.decoded.len() > self.most;
        self.overflown
    }

    /// The error of a text with more than may be kept.
    pub(super) fn refuse_overflow(&self, text: &str) -> Result<(), SyntaxError> {
        if self.overflown {
            let message = format!(
                "there are more than {} keys, values and lists up to here, more than any kustomization renders. To fix: split \
                 the input",
                self.most
            );
            return Err(SyntaxError::at(text, self.last_end, message));
        }
        Ok(())
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            nodes: self.nodes.len(),
            documents: self.documents.len(),
        }
    }

    /// Forgets what came after `mark`. Only the readers that know neither aliases nor decoded text are taken back.
    pub(super) fn rewind(&mut self, mark: Mark) {
        self.nodes.truncate(mark.nodes);
        self.documents.truncate(mark.documents);
        self.open.clear();
    }

    /// The number of collections that are open.
    pub(super) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Where the last token ended.
    pub(super) fn last_end(&self) -> usize {
        self.last_end
    }

    fn push(&mut self, kind: Kind, start: usize, end: usize, flags: Flags) -> u32 {
        let id = offset(self.nodes.len());
        if self.open.is_empty() {
            self.documents.push(id);
        }
        self.nodes.push(Raw {
            start: offset(start),
            end: offset(end),
            next: id + 1,
            kind,
            flags,
        });
        self.last_end = end;
        id
    }

    /// A scalar or an alias.
    pub(super) fn leaf(&mut self, kind: Kind, start: usize, end: usize, flags: Flags) -> u32 {
        self.push(kind, start, end, flags)
    }

    /// A collection whose children follow; `end` of its first token.
    pub(super) fn open(&mut self, kind: Kind, start: usize, end: usize, flags: Flags) -> u32 {
        let id = self.push(kind, start, end, flags);
        self.open.push(id);
        id
    }

    /// Closes the innermost collection: at `end`, or where its last child ended.
    pub(super) fn close(&mut self, end: Option<usize>) {
        if let Some(id) = self.open.pop() {
            if let Some(end) = end {
                self.last_end = end;
            }
            let next = offset(self.nodes.len());
            let node = &mut self.nodes[id as usize];
            node.end = offset(self.last_end).max(node.end);
            node.next = next;
        }
    }

    /// What the scalar `node` says.
    pub(super) fn decoded(&mut self, node: u32, text: Box<str>) {
        self.decoded.insert(node, text);
    }

    /// `alias` stands for `target`.
    pub(super) fn alias(&mut self, alias: u32, target: u32) {
        self.aliases.push((alias, target));
    }

    /// Drops the last document again: a null one.
    pub(super) fn drop_last_document(&mut self) {
        if let Some(root) = self.documents.pop() {
            self.nodes.truncate(root as usize);
        }
    }

    /// Whether the last document's root is a value that is not written.
    pub(super) fn last_document_is_empty(&self) -> bool {
        self.documents.last().is_some_and(|&root| {
            let node = self.nodes[root as usize];
            node.kind == Kind::Plain && node.start == node.end && !node.flags.tagged
        })
    }

    /// The kind of the innermost open collection and whether it is in flow style.
    pub(super) fn parent(&self) -> Option<(Kind, bool)> {
        self.open.last().map(|&id| {
            let node = &self.nodes[id as usize];
            (node.kind, node.flags.flow)
        })
    }

    /// A document's content begins at `byte`.
    pub(super) fn start_at(&mut self, byte: usize) {
        self.last_end = byte;
    }

    pub(super) fn finish(self, text: String) -> Index {
        Index {
            text,
            nodes: self.nodes,
            documents: self.documents,
            aliases: self.aliases,
            decoded: self.decoded,
            places: Places::default(),
            file: None,
        }
    }
}
