//! What an edit puts in: a small tree, written in block or flow style. Strings are always double-quoted.

use crate::node::{Node, NodeKind};
use crate::scalar;

/// Something to insert. Mappings keep the order they are given in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Text; written so that every reader takes it for text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Keys and values.
    Map(Vec<(String, Value)>),
    /// A list.
    Seq(Vec<Value>),
}

impl Value {
    /// A mapping of these keys and values.
    pub fn map<K: Into<String>, V: Into<Self>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }

    /// The value as JSON without white space.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        self.write_json(&mut text);
        text
    }

    fn write_json(&self, to: &mut String) {
        match self {
            Self::Map(entries) => {
                to.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    to.push_str(if i > 0 { "," } else { "" });
                    scalar::quote(key, to);
                    to.push(':');
                    value.write_json(to);
                }
                to.push('}');
            }
            Self::Seq(items) => {
                to.push('[');
                for (i, item) in items.iter().enumerate() {
                    to.push_str(if i > 0 { "," } else { "" });
                    item.write_json(to);
                }
                to.push(']');
            }
            scalar => scalar.write_flow(to),
        }
    }

    /// Whether a node says this already, for every reader. The order of keys means nothing.
    #[must_use]
    pub fn is_said_by(&self, node: Node<'_>) -> bool {
        let node = node.resolve();
        match self {
            Self::Text(text) => node.as_str().is_some_and(|found| found == *text),
            Self::Bool(flag) => node.source() == if *flag { "true" } else { "false" },
            Self::Int(number) => node.source() == number.to_string(),
            Self::Map(entries) => {
                node.kind() == NodeKind::Map
                    && node.entries().count() == entries.len()
                    && entries
                        .iter()
                        .all(|(key, value)| node.get(key).is_some_and(|node| value.is_said_by(node)))
            }
            Self::Seq(items) => {
                node.kind() == NodeKind::Seq
                    && node.items().count() == items.len()
                    && node.items().zip(items).all(|(node, value)| value.is_said_by(node))
            }
        }
    }

    /// Whether the value is written on one line in block style too.
    pub(crate) fn is_inline(&self) -> bool {
        match self {
            Self::Map(entries) => entries.is_empty(),
            Self::Seq(items) => items.is_empty(),
            _ => true,
        }
    }

    /// Writes flow style, which is JSON.
    pub(crate) fn write_flow(&self, to: &mut String) {
        match self {
            Self::Text(text) => scalar::quote(text, to),
            Self::Bool(value) => to.push_str(if *value { "true" } else { "false" }),
            Self::Int(value) => to.push_str(&value.to_string()),
            Self::Map(entries) => {
                to.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    to.push_str(if i > 0 { ", " } else { "" });
                    scalar::quote(key, to);
                    to.push_str(": ");
                    value.write_flow(to);
                }
                to.push('}');
            }
            Self::Seq(items) => {
                to.push('[');
                for (i, item) in items.iter().enumerate() {
                    to.push_str(if i > 0 { ", " } else { "" });
                    item.write_flow(to);
                }
                to.push(']');
            }
        }
    }

    /// Writes block style; the cursor stands at `column`, where the value's further lines begin too.
    pub(crate) fn write_block(&self, column: usize, line_break: &str, to: &mut String) {
        match self {
            Self::Map(entries) if !entries.is_empty() => {
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        start_line(column, line_break, to);
                    }
                    write_key(key, to);
                    value.write_after_key(column, column, line_break, to);
                }
            }
            Self::Seq(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        start_line(column, line_break, to);
                    }
                    to.push_str("- ");
                    item.write_block(column + 2, line_break, to);
                }
            }
            inline => inline.write_flow(to),
        }
    }

    /// Writes the value after `key:`; the key stands at `column`, a sequence begins at `dashes`.
    pub(crate) fn write_after_key(&self, column: usize, dashes: usize, line_break: &str, to: &mut String) {
        if self.is_inline() {
            to.push(' ');
            return self.write_flow(to);
        }
        let column = if matches!(self, Self::Seq(_)) {
            dashes
        } else {
            column + 2
        };
        start_line(column, line_break, to);
        self.write_block(column, line_break, to);
    }
}

/// Writes a block mapping's key and its colon.
pub(crate) fn write_key(key: &str, to: &mut String) {
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
        && scalar::is_plain_text(key);
    if plain {
        to.push_str(key);
    } else {
        scalar::quote(key, to);
    }
    to.push(':');
}

/// Ends the line and indents the next one.
pub(crate) fn start_line(column: usize, line_break: &str, to: &mut String) {
    to.push_str(line_break);
    const SPACES: &str = "                                                                ";
    let mut left = column;
    while left > 0 {
        let now = left.min(SPACES.len());
        to.push_str(&SPACES[..now]);
        left -= now;
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Seq(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_and_flow_style_say_the_same() {
        let value = Value::map([
            ("name", Value::from("PG\"HOST")),
            ("yes", Value::map([("key", "a")])),
            (
                "list",
                Value::Seq(vec![
                    Value::map([("a", Value::Int(1)), ("b", Value::Bool(true))]),
                    "x".into(),
                ]),
            ),
            ("none", Value::Map(Vec::new())),
        ]);
        let mut flow = String::new();
        value.write_flow(&mut flow);
        assert_eq!(
            flow,
            r#"{"name": "PG\"HOST", "yes": {"key": "a"}, "list": [{"a": 1, "b": true}, "x"], "none": {}}"#
        );
        assert_eq!(
            value.to_json(),
            r#"{"name":"PG\"HOST","yes":{"key":"a"},"list":[{"a":1,"b":true},"x"],"none":{}}"#
        );
        let mut block = String::new();
        value.write_block(2, "\n", &mut block);
        assert_eq!(
            block,
            "name: \"PG\\\"HOST\"\n  \"yes\":\n    key: \"a\"\n  list:\n  - a: 1\n    b: true\n  - \"x\"\n  none: {}"
        );
    }
}
