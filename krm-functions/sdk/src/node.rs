//! A handle on one node: walks down paths, reads scalars, knows its place. Copying it costs nothing.

use std::borrow::Cow;

use crate::index::{Index, Kind, Raw};
use crate::position::Position;
use crate::scalar;

/// How many merged mappings one look-up visits: a mapping can merge itself, or thousands, by way of aliases.
const MERGES: usize = 64;

/// One node of a [`Stream`](crate::Stream).
#[derive(Clone, Copy)]
pub struct Node<'a> {
    index: &'a Index,
    id: u32,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Keys and values.
    Map,
    /// A list.
    Seq,
    /// Text, a number, a boolean or null.
    Scalar,
    /// `*name`: see [`Node::resolve`].
    Alias,
}

impl<'a> Node<'a> {
    pub(crate) fn new(index: &'a Index, id: u32) -> Self {
        Self { index, id }
    }

    pub(crate) fn raw(self) -> &'a Raw {
        &self.index.nodes[self.id as usize]
    }

    pub(crate) fn index(self) -> &'a Index {
        self.index
    }

    pub(crate) fn id(self) -> u32 {
        self.id
    }

    /// What the node is.
    #[must_use]
    pub fn kind(self) -> NodeKind {
        match self.raw().kind {
            Kind::Map => NodeKind::Map,
            Kind::Seq => NodeKind::Seq,
            Kind::Alias => NodeKind::Alias,
            _ => NodeKind::Scalar,
        }
    }

    /// The node's own bytes; empty for a value that is not written.
    #[must_use]
    pub fn source(self) -> &'a str {
        let raw = self.raw();
        &self.index.text[raw.start as usize..raw.end as usize]
    }

    /// Where the node begins.
    #[must_use]
    pub fn position(self) -> Position {
        self.index.position(self.raw().start as usize)
    }

    /// What a scalar says, whatever its type; `None` for collections and aliases.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let kind = self.raw().kind;
        if !kind.is_scalar() {
            return None;
        }
        if let Some(text) = self.index.decoded.get(&self.id) {
            return Some(Cow::Borrowed(text));
        }
        Some(match kind {
            Kind::Single => scalar::single_quoted(self.source()),
            Kind::Double => scalar::double_quoted(self.source()),
            Kind::Literal => {
                let text = &self.index.text;
                let unended = self.raw().end as usize == text.len() && !text.ends_with('\n');
                Cow::Owned(scalar::literal(self.source(), unended))
            }
            _ => Cow::Borrowed(self.source()),
        })
    }

    /// The text of a scalar that every reader takes for text; `None` for `5432`, `yes`, `2024-01-01`, null and for
    /// collections.
    #[must_use]
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let text = self.text()?;
        let raw = self.raw();
        let plain = raw.kind == Kind::Plain && (raw.flags.tagged || !scalar::is_plain_text(&text));
        (!plain).then_some(text)
    }

    /// Whether the node is null: not written, `~` or `null`.
    #[must_use]
    pub fn is_null(self) -> bool {
        self.raw().kind == Kind::Plain && !self.raw().flags.tagged && scalar::is_null(self.source())
    }

    /// The node that an alias stands for; itself for any other.
    #[must_use]
    pub fn resolve(self) -> Self {
        let aliases = &self.index.aliases;
        match aliases.binary_search_by_key(&self.id, |&(alias, _)| alias) {
            Ok(found) if self.raw().kind == Kind::Alias => Self {
                id: aliases[found].1,
                ..self
            },
            _ => self,
        }
    }

    /// Whether an alias elsewhere shows this node again, so that editing it here would change it there too.
    #[must_use]
    pub fn is_shared(self) -> bool {
        self.raw().flags.shared
    }

    /// Whether this is the merge key, `<<`.
    pub(crate) fn is_merge_key(self) -> bool {
        self.raw().kind == Kind::Plain && self.source() == "<<"
    }

    /// The keys and values of a mapping, in order; nothing for other nodes.
    pub fn entries(self) -> impl Iterator<Item = (Self, Self)> + use<'a> {
        let mut children = self.children(Kind::Map);
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }

    /// The items of a sequence, in order; nothing for other nodes.
    pub fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        self.children(Kind::Seq)
    }

    fn children(self, kind: Kind) -> impl Iterator<Item = Self> + use<'a> {
        let raw = self.raw();
        let end = if raw.kind == kind { raw.next } else { 0 };
        let mut id = self.id + 1;
        std::iter::from_fn(move || {
            (id < end).then(|| {
                let child = Self { id, ..self };
                id = child.raw().next;
                child
            })
        })
    }

    /// The value of `key`, as it is written in this mapping: neither aliases nor merges (`<<`) are followed.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Self> {
        self.entries().find(|(name, _)| name.says(key)).map(|(_, value)| value)
    }

    /// The value at the end of a path of keys, aliases and merges followed. For reading; what it finds may be shared.
    #[must_use]
    pub fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self.resolve(), |node, key| {
            Some(node.lookup(key, &mut { MERGES })?.resolve())
        })
    }

    /// The value of `key` in this mapping or in one that it merges; `merges` is how many more may be looked into.
    fn lookup(self, key: &str, merges: &mut usize) -> Option<Self> {
        if let Some(value) = self.get(key) {
            return Some(value);
        }
        for (name, value) in self.entries() {
            if !name.is_merge_key() {
                continue;
            }
            let source = value.resolve();
            for source in std::iter::once(source).chain(source.items().map(Self::resolve)) {
                *merges = merges.checked_sub(1)?;
                if let Some(value) = source.lookup(key, merges) {
                    return Some(value);
                }
            }
        }
        None
    }

    /// The text at the end of a path of keys; `None` where there is no scalar.
    #[must_use]
    pub fn text_at(self, path: &[&str]) -> Option<Cow<'a, str>> {
        self.at(path).filter(|node| !node.is_null()).and_then(Self::text)
    }

    /// Whether a key or text in it may say this: exactly where there is no alias, since what one shows is not looked at.
    /// Cheap: no path is walked.
    #[must_use]
    pub fn may_say(self, text: &str) -> bool {
        let below = &self.index.nodes[self.id as usize..self.raw().next as usize];
        below.iter().any(|raw| {
            let quotes = match raw.kind {
                Kind::Plain => 0,
                Kind::Single | Kind::Double => 1,
                Kind::Alias => return true,
                _ => return false,
            };
            let (start, end) = (raw.start as usize + quotes, (raw.end as usize).saturating_sub(quotes));
            end >= start && end - start == text.len() && &self.index.text.as_bytes()[start..end] == text.as_bytes()
        })
    }

    fn says(self, key: &str) -> bool {
        let raw = self.raw();
        let (start, end) = (raw.start as usize, raw.end as usize);
        match raw.kind {
            // The lengths differ nearly always: this is the innermost loop of every walk.
            Kind::Plain => end - start == key.len() && &self.index.text.as_bytes()[start..end] == key.as_bytes(),
            _ => self.text().is_some_and(|text| text == key),
        }
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.index, other.index) && self.id == other.id
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}: {}", self.kind(), self.position(), self.source())
    }
}
