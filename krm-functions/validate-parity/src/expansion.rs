//! `$(NAME)` in the values of variables: Kubernetes expands it only where NAME stands earlier in the list.

use krm_fn::Node;

/// A reference that one side expands and the other does not, in the value of a variable that both have.
pub(crate) fn expanded_on_one_side(left: &[Node<'_>], at: usize, right: &[Node<'_>], other: usize) -> Option<String> {
    let value = left[at].text_at(&["value"]).filter(|value| value.contains("$("))?;
    let before =
        |list: &[Node<'_>], name: &str| list.iter().any(|one| one.text_at(&["name"]).is_some_and(|n| n == name));
    references(&value)
        .find(|name| before(&left[..at], name) != before(&right[..other], name))
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
