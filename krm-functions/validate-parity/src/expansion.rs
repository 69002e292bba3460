//! `$(NAME)` in the values of variables: Kubernetes expands it only where NAME stands earlier in the list.

use std::borrow::Cow;
use std::collections::HashMap;

use krm_fn::Node;

/// A list of variables, and where each name first stands in it.
pub(crate) struct Variables<'a>(HashMap<Cow<'a, str>, usize>);

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

/// A reference that one side expands and the other does not, in the value of a variable that both have: it is the left
/// side's `at` and the right one's `other`.
pub(crate) fn expanded_on_one_side(
    variable: Node<'_>,
    (left, at): (&Variables<'_>, usize),
    (right, other): (&Variables<'_>, usize),
) -> Option<String> {
    let value = variable.text_at(&["value"]).filter(|value| value.contains("$("))?;
    references(&value)
        .find(|name| left.has_before(name, at) != right.has_before(name, other))
        .map(str::to_owned)
}

/// The names in `$(NAME)`; `$$` is a dollar sign.
fn references(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find('$')? + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                rest = after;
                return Some(name);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn a_doubled_dollar_sign_is_no_reference() {
        let found: Vec<&str> = references("a$(B)c$$(D)$$$(E)$F $(G").collect();
        assert_eq!(found, ["B", "E"]);
    }
}
