//! Takes keys out of a mapping.

use super::{EditError, Edits, colon, is_flow, may_edit, refusal, refuse_shared};
use crate::index::Kind;
use crate::layout::end_of_line;
use crate::node::Node;

impl Edits {
    /// Takes `keys` out of `map`, with the lines they stand on; keys that are not there are none to take. Name all keys
    /// in one call, and set none in a mapping that loses all it has. A key that a merge (`<<`) brings is refused.
    pub fn unset(&mut self, map: Node<'_>, keys: &[&str]) -> Result<(), EditError> {
        let named = |key: Node<'_>| key.text().is_some_and(|text| keys.iter().any(|name| *name == text));
        if let Some(merged) = keys
            .iter()
            .find_map(|key| map.at(&[key]).filter(|_| map.get(key).is_none()))
        {
            return Err(refusal(
                merged,
                "a merge (`<<`) or an alias brings this, and it cannot be taken away where it is used. To fix: write \
                 the mapping out",
            ));
        }
        let entries: Vec<(Node<'_>, Node<'_>)> = map.entries().collect();
        if !entries.iter().any(|(key, _)| named(*key)) {
            return Ok(());
        }
        may_edit(map, Kind::Map)?;
        for (key, value) in entries.iter().filter(|(key, _)| named(*key)) {
            refuse_shared(*key)?;
            let inside = &map.index().nodes[value.id() as usize..value.raw().next as usize];
            if inside.iter().any(|raw| raw.flags.shared) {
                return Err(refusal(
                    *value,
                    "an alias (`*name` or `<<`) shows a part of this elsewhere, which would lose it. To fix: write it \
                     out in both places instead of using an anchor",
                ));
            }
        }
        if entries.iter().all(|(key, _)| named(*key)) {
            self.splice(map.raw().start as usize, map.raw().end as usize, "{}".to_owned());
            return Ok(());
        }
        let text = &map.index().text;
        let end_of = |(key, value): &(Node<'_>, Node<'_>)| {
            let end = colon(*key)?.max(value.raw().end as usize);
            Ok(if is_flow(map) { end } else { end_of_line(text, end) })
        };
        let mut at = 0;
        while at < entries.len() {
            let run = entries[at..].iter().take_while(|(key, _)| named(*key)).count();
            if run > 0 {
                let last = end_of(&entries[at + run - 1])?;
                // From the end of what stands before, or up to what stands after.
                let (start, end) = match at.checked_sub(1) {
                    Some(before) => (end_of(&entries[before])?, last),
                    None => {
                        let (start, next) = (entries[0].0.raw().start as usize, entries[run].0.raw().start as usize);
                        if text[..start].trim_end_matches([' ', '\t']).ends_with('?') {
                            return Err(refusal(
                                entries[0].0,
                                "a key after `?` cannot be taken away. To fix: write it as `key: value`",
                            ));
                        }
                        let gap = &text[last..next];
                        let comment = gap.find('#').filter(|_| !is_flow(map)).unwrap_or(gap.len());
                        (start, last + comment)
                    }
                };
                self.splice(start, end, String::new());
            }
            at += run + 1;
        }
        Ok(())
    }
}
