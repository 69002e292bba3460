//! What must hold for every text, whole or damaged. The tests try it on seeded random texts, the fuzz targets on others.

use crate::edits::Edits;
use crate::index::Index;
use crate::node::{Node, NodeKind};
use crate::stream::Stream;
use crate::value::Value;

/// The fast readers see what the full parser sees, or what it calls wrong.
///
/// # Panics
/// When they do not.
pub fn readers_agree(text: &str) {
    // serde_json takes what granit takes differently: longer keys, escaped halves of surrogate pairs.
    if text.trim_start().starts_with('{') {
        return;
    }
    match (Index::parse(text.to_owned()), Index::parse_fully(text)) {
        (Ok(fast), Ok(full)) => {
            assert_eq!(fast.nodes, full.nodes, "nodes of {text:?}");
            assert_eq!(fast.documents, full.documents, "documents of {text:?}");
            for id in 0..u32::try_from(fast.nodes.len()).expect("ids are u32") {
                let (a, b) = (Node::new(&fast, id), Node::new(&full, id));
                assert_eq!(a.text(), b.text(), "{:?} in {text:?}", a.source());
            }
        }
        (Err(fast), Err(full)) => assert_eq!(fast, full, "{text:?}"),
        (fast, full) => panic!("{text:?}: {fast:?} but the full parser says {full:?}"),
    }
}

/// Edits at places that `choose` picks (a number below its argument) change no byte but their own, and leave a text that is
/// well-formed and has its objects. An edit may be refused.
///
/// # Panics
/// When that is not so.
pub fn edits_stay_inside(text: &str, mut choose: impl FnMut(usize) -> usize) {
    let Ok(stream) = Stream::parse(text.to_owned()) else {
        return;
    };
    let mut nodes = Vec::new();
    stream.objects().for_each(|object| below(object.root(), &mut nodes));
    if nodes.is_empty() {
        return;
    }
    let mut edits = Edits::default();
    let mark = Value::from("\u{1}inserted");
    for _ in 0..=choose(3) {
        let node = nodes[choose(nodes.len())];
        let done = match node.kind() {
            NodeKind::Map => edits.set(node, &format!("new{}", choose(9999)), &mark),
            NodeKind::Seq => edits.insert(node, choose(4), [&mark]),
            NodeKind::Alias => Ok(()),
            NodeKind::Scalar if node.source().is_empty() => Ok(()),
            NodeKind::Scalar => edits.replace(node, &mark),
        };
        if done.is_err() {
            return;
        }
    }
    if stream.settle(&mut edits).is_err() {
        return;
    }
    let edited = stream.edited(edits.clone()).expect("they are settled");
    let mut rest = edited.as_str();
    let mut from = 0;
    for (start, end, put) in edits.splices() {
        for part in [&text[from..start], put] {
            rest = rest
                .strip_prefix(part)
                .unwrap_or_else(|| panic!("{part:?} is lost in\n{edited}"));
        }
        from = end;
    }
    assert_eq!(rest, &text[from..], "the end of\n{edited}");
    let again = Stream::parse(edited.clone()).unwrap_or_else(|error| panic!("{error} in\n{edited}"));
    assert_eq!(
        again.objects().len(),
        stream.objects().len(),
        "the objects of\n{edited}"
    );
}

/// All nodes below a node, itself included, but for keys and what makes an object of a mapping.
fn below<'a>(node: Node<'a>, to: &mut Vec<Node<'a>>) {
    to.push(node);
    for (key, value) in node.entries() {
        let makes_an_object = key
            .text()
            .is_some_and(|key| ["kind", "apiVersion", "items"].contains(&&*key));
        if !makes_an_object && !key.is_merge_key() {
            below(value, to);
        }
    }
    node.items().for_each(|item| below(item, to));
}
