//! Changes to a text, kept beside it until all are known: what no edit names stays byte for byte.

mod splices;
mod unset;

use std::collections::HashSet;
use std::io::{self, Write};

use self::splices::Splices;
use crate::index::{Index, Kind};
use crate::layout::{column, dashes, end_of_line, line_break, next_dash};
use crate::node::Node;
use crate::position::Position;
use crate::value::{self, Value};

/// An edit that cannot be made without changing what nobody asked to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{position}: {message}")]
pub struct EditError {
    /// Where the edit was meant to be.
    pub position: Position,
    /// Why it is refused, and what to do.
    pub message: String,
}

/// Edits to one [`Stream`](crate::Stream). Nodes are always those of the unchanged text: two edits do not see each other.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    splices: Splices,
    /// Where the first item was put into an empty flow collection: what comes next needs a comma.
    begun: HashSet<usize>,
    removals: usize,
}

impl Edits {
    /// Whether nothing is to be changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.splices.is_empty()
    }

    /// Forgets all edits.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// How many objects were taken away.
    pub(crate) fn removals(&self) -> usize {
        self.removals
    }

    /// Counts objects that are taken away.
    pub(crate) fn count_removals(&mut self, objects: usize) {
        self.removals += objects;
    }

    /// Gives `key` of `map` a value: replaces the one it has, or adds the key at the end.
    pub fn set(&mut self, map: Node<'_>, key: &str, value: &Value) -> Result<(), EditError> {
        may_edit(map, Kind::Map)?;
        match map
            .entries()
            .find(|(name, _)| name.text().is_some_and(|text| text == key))
        {
            Some((name, old)) if is_flow(map) || value.is_inline() => self.replace_value(name, old, value),
            Some((name, old)) => self.replace_by_block(map, name, old, value),
            None if is_flow(map) => {
                let mut text = String::new();
                Value::map([(key, value.clone())]).write_flow(&mut text);
                let text = text[1..text.len() - 1].to_owned();
                self.insert_flow(map, map.entries().last().map(|(_, value)| value), &text);
                Ok(())
            }
            None => {
                let (column, line_break) = (column(map), line_break(map.index()));
                let mut text = String::with_capacity(64);
                value::start_line(column, line_break, &mut text);
                value::write_key(key, &mut text);
                value.write_after_key(column, dashes(map), line_break, &mut text);
                self.insert_after(map, column * 2, text);
                Ok(())
            }
        }
    }

    /// Puts `values` before the item at `at` of `seq`, or at its end. Several calls for one place keep their order.
    pub fn insert<'v>(
        &mut self,
        seq: Node<'_>,
        at: usize,
        values: impl IntoIterator<Item = &'v Value>,
    ) -> Result<(), EditError> {
        may_edit(seq, Kind::Seq)?;
        let before = at.checked_sub(1).and_then(|last| seq.items().take(last + 1).last());
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        if is_flow(seq) {
            let mut text = String::new();
            while let Some(value) = values.next() {
                value.write_flow(&mut text);
                text.push_str(if values.peek().is_some() { ", " } else { "" });
            }
            if before.is_none() && seq.items().next().is_some() {
                self.push(seq.raw().start as usize + 1, 0, text + ", ");
            } else {
                self.insert_flow(seq, before, &text);
            }
            return Ok(());
        }
        let (column, line_break) = (column(seq), line_break(seq.index()));
        let mut text = String::with_capacity(512);
        for value in values {
            // After an item the new line begins first, before one it ends last.
            if before.is_some() {
                value::start_line(column, line_break, &mut text);
            }
            text.push_str("- ");
            value.write_block(column + 2, line_break, &mut text);
            if before.is_none() {
                value::start_line(column, line_break, &mut text);
            }
        }
        match before {
            Some(before) => self.insert_after(before, column * 2 + 1, text),
            None => self.push(seq.raw().start as usize, 0, text),
        }
        Ok(())
    }

    /// Puts `value` in the place of a written node.
    pub fn replace(&mut self, node: Node<'_>, value: &Value) -> Result<(), EditError> {
        refuse_shared(node)?;
        let raw = node.raw();
        let mut text = String::new();
        if !is_flow(node) && matches!(raw.kind, Kind::Map | Kind::Seq) {
            value.write_block(column(node), line_break(node.index()), &mut text);
        } else {
            value.write_flow(&mut text);
        }
        self.splice(raw.start as usize, raw.end as usize, text);
        Ok(())
    }

    /// Takes the items at these places out of `seq`, with the lines they stand on. Name all of them in one call, and put
    /// nothing directly behind one that goes, nor replace a list that loses all it has.
    pub fn remove(&mut self, seq: Node<'_>, places: &[usize]) -> Result<(), EditError> {
        if places.is_empty() {
            return Ok(());
        }
        may_edit(seq, Kind::Seq)?;
        let items: Vec<Node<'_>> = seq.items().collect();
        let goes = |at: usize| places.contains(&at);
        let gone = (0..items.len()).filter(|&at| goes(at)).count();
        for (_, item) in items.iter().enumerate().filter(|(at, _)| goes(*at)) {
            refuse_shared(*item)?;
        }
        if gone == items.len() {
            // At its key's column a flow list would be no value of the key.
            let text = if is_flow(seq) { "[]" } else { "  []" };
            self.splice(seq.raw().start as usize, seq.raw().end as usize, text.to_owned());
            return Ok(());
        }
        let text = &seq.index().text;
        let end_of = |item: Node<'_>| {
            let end = item.raw().end as usize;
            if is_flow(seq) { end } else { end_of_line(text, end) }
        };
        let mut at = 0;
        while at < items.len() {
            let run = (at..items.len()).take_while(|&at| goes(at)).count();
            if run > 0 {
                let last = items[at + run - 1];
                // From the end of the item before to the end of the last one; the first ones up to the next.
                let (start, end) = match at.checked_sub(1) {
                    Some(before) => (end_of(items[before]), end_of(last)),
                    None if is_flow(seq) => (items[0].raw().start as usize, items[run].raw().start as usize),
                    None => (seq.raw().start as usize, next_dash(text, last.raw().end as usize)),
                };
                self.splice(start, end, String::new());
            }
            at += run + 1;
        }
        Ok(())
    }

    /// Takes a whole document's content away; its markers and comments stay.
    pub(crate) fn blank(&mut self, root: Node<'_>) {
        self.splice(root.raw().start as usize, root.raw().end as usize, String::new());
    }

    /// Adds text at the very end.
    pub(crate) fn append_text(&mut self, index: &Index, text: &str) {
        if let Some(last) = index.documents.last() {
            self.close_block_scalar(Node::new(index, *last));
        }
        self.push(index.text.len(), 0, text.to_owned());
    }

    fn replace_value(&mut self, name: Node<'_>, old: Node<'_>, value: &Value) -> Result<(), EditError> {
        refuse_shared(old)?;
        let raw = old.raw();
        let mut text = String::new();
        if raw.start == raw.end {
            let colon = colon(name)?;
            // After an anchor or tag, if there is one.
            let at = colon.max(raw.start as usize);
            text.push(' ');
            value.write_flow(&mut text);
            self.push(at, usize::MAX, text);
        } else {
            value.write_flow(&mut text);
            let block = !is_flow(old) && matches!(raw.kind, Kind::Map | Kind::Seq);
            let start = if block { colon(name)? } else { raw.start as usize };
            self.splice(start, raw.end as usize, if block { format!(" {text}") } else { text });
        }
        Ok(())
    }

    /// Takes the old value away and puts the new one on the lines below the key.
    fn replace_by_block(
        &mut self,
        map: Node<'_>,
        name: Node<'_>,
        old: Node<'_>,
        value: &Value,
    ) -> Result<(), EditError> {
        refuse_shared(old)?;
        let (colon, end) = (colon(name)?, old.raw().end as usize);
        if end > colon {
            self.splice(colon, end, String::new());
        }
        let mut text = String::new();
        value.write_after_key(column(map), dashes(map), line_break(map.index()), &mut text);
        self.push(end_of_line(&map.index().text, end), usize::MAX, text);
        Ok(())
    }

    /// Inserts after the line on which a block node ends, comment included.
    fn insert_after(&mut self, node: Node<'_>, rank: usize, text: String) {
        self.close_block_scalar(node);
        self.push(end_of_line(&node.index().text, node.raw().end as usize), rank, text);
    }

    /// Inserts into a flow collection, after its child `before` or at its beginning.
    fn insert_flow(&mut self, collection: Node<'_>, before: Option<Node<'_>>, text: &str) {
        let at = before.map_or(collection.raw().start as usize + 1, |child| child.raw().end as usize);
        let first = before.is_none() && self.begun.insert(at);
        self.push(at, 0, if first { text.to_owned() } else { format!(", {text}") });
    }

    /// A block scalar at the end of a text without a final line break has none in its value either: what follows it
    /// must not give it one.
    fn close_block_scalar(&mut self, node: Node<'_>) {
        let (index, text) = (node.index(), &node.index().text);
        let raw = &index.nodes[node.raw().next as usize - 1];
        let at_end = raw.end as usize == text.len() && !text.ends_with('\n');
        if at_end && matches!(raw.kind, Kind::Literal | Kind::Folded) {
            let start = raw.start as usize + 1;
            let signs = text[start..]
                .bytes()
                .take_while(|b| b"+-0123456789".contains(b))
                .count();
            let digits: String = text[start..start + signs]
                .chars()
                .filter(char::is_ascii_digit)
                .collect();
            self.splices.replace_once(start, start + signs, digits + "-");
        }
    }

    fn push(&mut self, at: usize, rank: usize, text: String) {
        self.splices.insert(at, rank, text);
    }

    fn splice(&mut self, start: usize, end: usize, text: String) {
        self.splices.replace(start, end, text);
    }

    /// Puts the edits in order and checks that none is inside another.
    pub(crate) fn settle(&mut self, index: &Index) -> Result<(), EditError> {
        self.splices.settle().map_err(|at| EditError {
            position: index.position(at),
            message: "two edits change the same bytes. This is a bug of the function; please report it".to_owned(),
        })
    }

    /// The settled edits: from where to where, and what stands there afterwards.
    pub(crate) fn splices(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.splices.iter()
    }

    /// Writes the text with the settled edits.
    pub(crate) fn write(&self, text: &str, to: &mut impl Write) -> io::Result<()> {
        self.splices.write(text, to)
    }
}

/// Whether the node is a flow collection, or inside one.
fn is_flow(node: Node<'_>) -> bool {
    node.raw().flags.flow
}

fn refuse_shared(node: Node<'_>) -> Result<(), EditError> {
    if node.is_shared() {
        return Err(refusal(
            node,
            "an alias (`*name` or `<<`) shows this elsewhere too, and an edit would change both places. \
             To fix: write it out in both places instead of using an anchor",
        ));
    }
    Ok(())
}

/// Refuses what is not a collection of this kind, is shared, or has no brackets to write into.
fn may_edit(node: Node<'_>, kind: Kind) -> Result<(), EditError> {
    refuse_shared(node)?;
    let raw = node.raw();
    if raw.kind == Kind::Alias {
        return Err(refusal(
            node,
            "this is an alias, and an edit would change the place it stands for too. To fix: write it out here",
        ));
    }
    if raw.kind != kind {
        let expected = if kind == Kind::Map { "a mapping" } else { "a list" };
        return Err(refusal(
            node,
            &format!("expected {expected} here. To fix: write {expected}"),
        ));
    }
    if is_flow(node) && !node.source().starts_with(['{', '[']) {
        return Err(refusal(
            node,
            "a mapping without braces inside a flow list cannot be edited. To fix: add the braces",
        ));
    }
    Ok(())
}

fn refusal(node: Node<'_>, message: &str) -> EditError {
    EditError {
        position: node.position(),
        message: message.to_owned(),
    }
}

/// The byte after the colon that follows a key.
fn colon(key: Node<'_>) -> Result<usize, EditError> {
    let bytes = key.index().text.as_bytes();
    let mut at = key.raw().end as usize;
    loop {
        match bytes.get(at) {
            Some(b':') => return Ok(at + 1),
            Some(b' ' | b'\t' | b'\n' | b'\r') => at += 1,
            Some(b'#') => at = end_of_line(&key.index().text, at),
            _ => {
                return Err(refusal(
                    key,
                    "this key has no value to replace. To fix: write `: null` after it",
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests;
