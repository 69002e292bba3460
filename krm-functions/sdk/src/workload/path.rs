//! Paths with places for every item, in the part of JSONPath that names places without looking at values.

use std::borrow::Cow;

use crate::node::{Node, NodeKind};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of a key.
    Key(Cow<'static, str>),
    /// Every item of a list, or every value of a mapping.
    Every,
}

/// The steps of a path of the table: `spec.workerGroupSpecs[*].template`, `spec.tfReplicaSpecs.*.template`.
pub(crate) fn of_table(path: &'static str) -> Vec<Step> {
    let mut steps = Vec::with_capacity(6);
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let key = part.trim_end_matches("[*]");
        steps.push(if key == "*" { Step::Every } else { Step::Key(key.into()) });
        steps.extend((key.len()..part.len()).step_by("[*]".len()).map(|_| Step::Every));
    }
    steps
}

/// Reads JSONPath: `.spec.template.spec.containers[*]`, `$.spec.tasks[*].template`, `.spec['a.b/c']`. `None` for what
/// looks at values or goes down at will: indexes, slices, filters, `..`.
pub(crate) fn parse(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (part, after) = inside.split_once(']')?;
            let quoted = |quote: char| {
                part.strip_prefix(quote)?
                    .strip_suffix(quote)
                    .filter(|key| !key.is_empty())
            };
            steps.push(match (part, quoted('\'').or_else(|| quoted('"'))) {
                ("*", _) => Step::Every,
                (_, Some(key)) => Step::Key(key.to_owned().into()),
                _ => return None,
            });
            rest = after;
        } else {
            let part = match rest.strip_prefix('.') {
                Some(part) => part,
                None if steps.is_empty() => rest,
                None => return None,
            };
            let end = part.find(['.', '[']).unwrap_or(part.len());
            steps.push(match &part[..end] {
                "" => return None,
                "*" => Step::Every,
                key => Step::Key(key.to_owned().into()),
            });
            rest = &part[end..];
        }
    }
    Some(steps)
}

/// The node at a path of the kind that [`walk`] notes: `spec.tasks[0].template`. Keys with a dot are not found.
pub(crate) fn at<'a>(from: Node<'a>, path: &str) -> Option<Node<'a>> {
    path.split('.').try_fold(from, |node, part| {
        let (key, indexes) = part.split_once('[').unwrap_or((part, ""));
        let node = node.at(&[key])?;
        let indexes = indexes.split('[').filter_map(|index| index.strip_suffix(']'));
        indexes.into_iter().try_fold(node, |node, index| {
            node.items().nth(index.parse().ok()?).map(Node::resolve)
        })
    })
}

/// Notes every node at the end of the steps with its path. Aliases and merges are followed, but not at the last step of a
/// list: an item that is an alias stays one.
pub(crate) fn walk<'a>(node: Node<'a>, steps: &[Step], path: &str, found: &mut Vec<(Node<'a>, String)>) {
    let Some((step, rest)) = steps.split_first() else {
        if !node.is_null() {
            found.push((node, path.to_owned()));
        }
        return;
    };
    let below = |key: &str| {
        if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        }
    };
    match step {
        Step::Key(key) => {
            if let Some(value) = node.at(&[key]) {
                walk(value, rest, &below(key), found);
            }
        }
        Step::Every => {
            let node = node.resolve();
            if node.kind() == NodeKind::Seq {
                for (at, item) in node.items().enumerate() {
                    walk(item, rest, &format!("{path}[{at}]"), found);
                }
            } else {
                for (key, value) in node.entries() {
                    walk(value, rest, &below(&key.text().unwrap_or_default()), found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Step {
        Step::Key(text.to_owned().into())
    }

    #[test]
    fn paths_are_read_as_jsonpath() {
        for (text, steps) in [
            (".spec.containers[*]", vec![key("spec"), key("containers"), Step::Every]),
            ("$.a['b.c/d'].*", vec![key("a"), key("b.c/d"), Step::Every]),
            ("name", vec![key("name")]),
            ("", vec![]),
        ] {
            assert_eq!(parse(text), Some(steps), "{text}");
        }
        for text in [".a[0]", "..a", ".a[?(@.b)]", ".a[1:2]", ".", ".a[", "[*]b", "a['']"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let stream = crate::Stream::parse("kind: A\na: {b: [[x, y]]}\n".to_owned()).unwrap();
        let root = stream.objects().next().unwrap().root();
        assert_eq!(at(root, "a.b[0][1]").and_then(Node::text).as_deref(), Some("y"));
        assert_eq!(at(root, "a.c"), None);
        assert_eq!(
            of_table("spec.a[*].*.b[*][*].c"),
            parse(".spec.a[*].*.b[*][*].c").unwrap()
        );
    }
}
