//! `$(NAME)` in the value of a variable, by the rules of Kubernetes (its package `expansion`).

/// What stands in a value, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text that is kept as it is, `$$` already turned into `$`.
    Text(&'a str),
    /// `$(NAME)`; the name may be empty or hold any character but `)`.
    Reference(&'a str),
}

/// Cuts a value into text and references, in time that grows with its length alone.
///
/// `$$` is a literal `$`, so `$$(NAME)` is never a reference. A `$` before anything else, and a `$(` that is never
/// closed, are text.
pub(super) fn pieces(value: &str) -> Vec<Piece<'_>> {
    // No `$(` behind it is ever closed, so none needs to look for its end.
    let last_end = value.rfind(')').unwrap_or_default();
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(dollar) = value[at..].find('$').map(|found| at + found) {
        if dollar > at {
            pieces.push(Piece::Text(&value[at..dollar]));
        }
        let after = &value[dollar + 1..];
        let name = (dollar < last_end)
            .then(|| after.strip_prefix('(')?.split_once(')'))
            .flatten();
        if let Some((name, _)) = name {
            pieces.push(Piece::Reference(name));
            at = dollar + "$()".len() + name.len();
        } else {
            pieces.push(Piece::Text("$"));
            at = dollar + if after.starts_with('$') { 2 } else { 1 };
        }
    }
    if at < value.len() {
        pieces.push(Piece::Text(&value[at..]));
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Piece, pieces};

    fn expand(value: &str) -> String {
        let known = |name: &str| match name {
            "VAR_A" => Some("A"),
            "VAR_B" => Some("B"),
            "VAR_EMPTY" => Some(""),
            "VAR_REF" => Some("$(VAR_A)"),
            _ => None,
        };
        pieces(value)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.to_owned(),
                Piece::Reference(name) => known(name).map_or_else(|| format!("$({name})"), str::to_owned),
            })
            .collect()
    }

    /// The table of Kubernetes' own `expand_test.go`, and what it leaves out.
    #[test]
    fn values_expand_as_kubernetes_expands_them() {
        for (value, expected) in [
            ("$(VAR_A)", "A"),
            ("___$(VAR_B)___", "___B___"),
            ("___$(VAR_B)", "___B"),
            ("$(VAR_A)-1", "A-1"),
            ("$(VAR_A)_$(VAR_B)_$(VAR_A)", "A_B_A"),
            ("$$(VAR_B)_$(VAR_A)", "$(VAR_B)_A"),
            ("$$(VAR_A)_$$(VAR_B)", "$(VAR_A)_$(VAR_B)"),
            ("f000-$$VAR_A", "f000-$VAR_A"),
            ("foo\\$(VAR_C)bar", "foo\\$(VAR_C)bar"),
            ("foo\\\\$(VAR_C)bar", "foo\\\\$(VAR_C)bar"),
            ("foo$(VAR_EMPTY)bar", "foobar"),
            ("foo$(VAR_REF)bar", "foo$(VAR_A)bar"),
            ("foo$$(VAR_REF)bar", "foo$(VAR_REF)bar"),
            ("$(VAR_C)", "$(VAR_C)"),
            ("$$$$(BIG_MONEY)", "$$(BIG_MONEY)"),
            ("$$$$$(VAR_A)", "$$A"),
            ("$", "$"),
            ("$VAR_A", "$VAR_A"),
            ("a$", "a$"),
            ("$(VAR_A", "$(VAR_A"),
            ("$()", "$()"),
            ("$($(VAR_A)", "$($(VAR_A)"),
            ("$x$(VAR_A)", "$xA"),
            ("é$é$(VAR_A)é", "é$éAé"),
            ("", ""),
        ] {
            assert_eq!(expand(value), expected, "{value:?}");
        }
    }

    /// A text of 1 MB took more than a minute when every `$(` looked for its end.
    #[test]
    fn the_time_grows_with_the_length_alone() {
        let open = "$(".repeat(500_000);
        assert_eq!(pieces(&open).len(), 1_000_000);
        assert_eq!(pieces(&format!(")){open}")).len(), 1_000_001);
        let closed = format!("{open})");
        assert_eq!(pieces(&closed), [Piece::Reference(&closed[2..closed.len() - 1])]);
    }
}
