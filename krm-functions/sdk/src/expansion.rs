//! `$(NAME)` in the values of variables and in commands, as Kubernetes expands it: `$$` is a dollar sign, and what has no
//! closing bracket is text. One pass, whatever the text: nothing is looked for twice.

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// What stays as it is; never empty. Of `$$` it is one `$`.
    Text(&'t str),
    /// The NAME of `$(NAME)`, which may be empty.
    Reference(&'t str),
}

/// The pieces of a text, in order. The texts of several neighbours may be one text to a reader.
#[derive(Clone, Debug)]
pub struct Parts<'t> {
    rest: &'t str,
    /// Whether there may be another `)`.
    closes: bool,
}

/// Takes a text apart. It does not expand: what a name stands for is the caller's to know.
#[must_use]
pub fn parts(text: &str) -> Parts<'_> {
    Parts {
        rest: text,
        closes: true,
    }
}

/// The names that a text refers to, in order, each as often as it stands there.
pub fn references(text: &str) -> impl Iterator<Item = &str> {
    parts(text).filter_map(|part| match part {
        Part::Reference(name) => Some(name),
        Part::Text(_) => None,
    })
}

impl<'t> Iterator for Parts<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        let rest = self.rest;
        if rest.is_empty() {
            return None;
        }
        let mut take = |end: usize, part| {
            self.rest = &rest[end..];
            Some(part)
        };
        match rest.find('$') {
            None => return take(rest.len(), Part::Text(rest)),
            Some(0) => {}
            Some(at) => return take(at, Part::Text(&rest[..at])),
        }
        if rest[1..].starts_with('$') {
            return take(2, Part::Text(&rest[..1]));
        }
        if let Some(inside) = rest.strip_prefix("$(").filter(|_| self.closes) {
            match inside.find(')') {
                Some(end) => return take(end + 3, Part::Reference(&inside[..end])),
                None => self.closes = false,
            }
        }
        self.rest = &rest[1..];
        Some(Part::Text(&rest[..1]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_kubernetes_reads_them() {
        for (text, expected) in [
            ("a://$(B):$(C)@d", vec!["B", "C"]),
            ("$$(A) $B $$$(C) $(D", vec!["C"]),
            ("a$(B)c$$(D)$$$(E)$F $(G", vec!["B", "E"]),
            ("$()é$(ü)", vec!["", "ü"]),
            ("$($(A))", vec!["$(A"]),
            ("", vec![]),
        ] {
            assert_eq!(references(text).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn the_parts_are_the_whole_text() {
        for text in ["$$(A) $B $$$(C) $(D", "é$", "$(A)$(B)", "a$$$$b"] {
            let joined: String = parts(text)
                .map(|part| match part {
                    Part::Text("$") => "$".to_owned(),
                    Part::Text(text) => text.to_owned(),
                    Part::Reference(name) => format!("$({name})"),
                })
                .collect();
            assert_eq!(joined, text.replace("$$", "$"), "{text}");
        }
    }

    #[test]
    fn a_megabyte_of_openings_takes_no_time() {
        for text in ["$(".repeat(500_000), "$(A)".repeat(250_000), "$$(".repeat(300_000)] {
            let started = std::time::Instant::now();
            let found = references(&text).count();
            assert!(found == 0 || found == 250_000);
            assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
        }
    }
}
