//! Where lines begin, found once: a forgotten mapping of namespaces makes a difference of every object, and counting lines
//! from the beginning for each would take minutes.

use krm_fn::{Node, Position, Stream};

/// A text and where its lines begin.
#[derive(Debug)]
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(stream: &'a Stream) -> Self {
        let text = stream.text();
        let after_breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, b)| *b == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// The same as the node's own answer.
    pub(crate) fn position(&self, node: Node<'_>) -> Position {
        // A node's source is a part of its stream's text.
        let at = (node.source().as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let line = self.starts.partition_point(|start| *start <= at);
        match self.text.get(self.starts[line - 1]..at) {
            Some(before) => Position {
                line,
                column: before.chars().count() + 1,
            },
            None => node.position(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_that_nodes_say() {
        let text = "kind: A\nü: {é: ä, b: [1, x]}\nc:\nd: |\n  t\n";
        let stream = Stream::parse(text.to_owned()).unwrap();
        let lines = Lines::of(&stream);
        let mut nodes = vec![stream.objects().next().unwrap().root()];
        let mut seen = 0;
        while let Some(node) = nodes.pop() {
            seen += 1;
            assert_eq!(lines.position(node), node.position());
            nodes.extend(node.items());
            nodes.extend(node.entries().flat_map(|(key, value)| [key, value]));
        }
        assert_eq!(seen, 15);
    }
}
