//! `$(NAME)` in the values of variables: Kubernetes expands it only where NAME stands earlier in the list.

use std::borrow::Cow;
use std::collections::HashMap;

use krm_fn::{Node, expansion};

/// A list of variables, and where each name first stands in it.
pub(crate) struct Variables<'a>(HashMap<Cow<'a, str>, usize>);

/// Where a variable stands in a list, and the list.
pub(crate) type Place<'v, 'a> = (Node<'a>, &'v Variables<'a>, usize);

impl<'a> Variables<'a> {
    pub(crate) fn of(list: &[Node<'a>]) -> Self {
        let mut places = HashMap::with_capacity(list.len());
        for (at, name) in list
            .iter()
            .enumerate()
            .filter_map(|(at, one)| Some((at, one.text_at(&["name"])?)))
        {
            places.entry(name).or_insert(at);
        }
        Self(places)
    }

    fn has_before(&self, name: &str, at: usize) -> bool {
        self.0.get(name).is_some_and(|first| *first < at)
    }
}

/// The first reference that the variable of the first place does not expand, though the second place's expands it, or does
/// not ask for it and the name stands too late. What neither side expands is the same on both.
pub(crate) fn broken<'a>((one, ours, at): Place<'_, 'a>, (two, theirs, other): Place<'_, 'a>) -> Option<String> {
    let value = one.text_at(&["value"]).filter(|value| value.contains("$("))?;
    let other_value = two.text_at(&["value"]).unwrap_or_default();
    let asked: std::collections::HashSet<&str> = expansion::references(&other_value).collect();
    expansion::references(&value)
        .find(|name| {
            let is_late = ours.0.get(*name).is_some_and(|place| *place >= at);
            !ours.has_before(name, at)
                && match asked.contains(name) {
                    true => theirs.has_before(name, other),
                    false => is_late,
                }
        })
        .map(str::to_owned)
}
