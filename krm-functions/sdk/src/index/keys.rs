//! A key that stands twice in one mapping is an error: readers differ in which value they take.

use super::{Index, Kind};
use crate::node::Node;
use crate::position::SyntaxError;

/// Checks every mapping of the text.
pub(super) fn refuse_duplicates(index: &Index) -> Result<(), SyntaxError> {
    let mut keys: Vec<u32> = Vec::new();
    for (id, node) in index.nodes.iter().enumerate() {
        if node.kind != Kind::Map {
            continue;
        }
        keys.clear();
        let mut sorted = true;
        let mut child = u32::try_from(id).expect("ids are u32") + 1;
        while child < node.next {
            // Byte order of the sources is enough to see that kustomize's sorted keys are distinct.
            sorted &= keys.last().is_none_or(|&last| ascends(index, last, child));
            keys.push(child);
            let value = index.nodes[child as usize].next;
            child = index.nodes[value as usize].next;
        }
        let second = if sorted { None } else { duplicate(index, &keys) };
        if let Some(second) = second {
            let key = Node::new(index, second);
            let text = key.text().unwrap_or_default();
            let message = format!("the key {text:?} stands twice in this mapping. To fix: remove one of them");
            return Err(SyntaxError {
                position: key.position(),
                message,
            });
        }
    }
    Ok(())
}

/// Whether both keys are plain and the second is greater than the first.
fn ascends(index: &Index, first: u32, second: u32) -> bool {
    let (a, b) = (&index.nodes[first as usize], &index.nodes[second as usize]);
    let source = |n: &super::Raw| &index.text.as_bytes()[n.start as usize..n.end as usize];
    a.kind == b.kind && matches!(a.kind, Kind::Plain) && source(a) < source(b)
}

/// The second one of two keys with the same text, if any.
fn duplicate(index: &Index, keys: &[u32]) -> Option<u32> {
    let text = |id: u32| Node::new(index, id).text();
    // `<<` may stand twice: two merges.
    let is_merge = |id: u32| Node::new(index, id).is_merge_key();
    if keys.len() <= 12 {
        let texts: Vec<_> = keys.iter().map(|&key| text(key)).collect();
        return (1..keys.len())
            .find(|&i| texts[i].is_some() && !is_merge(keys[i]) && texts[..i].contains(&texts[i]))
            .map(|i| keys[i]);
    }
    // Sorted, not hashed: there may be millions, and their places take an eighth of the memory of their texts.
    let mut sorted: Vec<u32> = keys
        .iter()
        .copied()
        .filter(|&key| text(key).is_some() && !is_merge(key))
        .collect();
    sorted.sort_unstable_by(|&a, &b| text(a).cmp(&text(b)).then(a.cmp(&b)));
    let twice = sorted.windows(2).filter(|pair| text(pair[0]) == text(pair[1]));
    twice.map(|pair| pair[1]).min()
}
