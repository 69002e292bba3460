//! A difference, and its place on both sides.

use krm_fn::{Node, NodeKind, Object, Position};

/// Something that is not the same on both sides, and that nothing allows.
#[derive(Clone, Debug)]
pub struct Difference<'a> {
    /// What is wrong.
    pub change: Change,
    /// The field's path; items of lists by name where they have one: `spec.template.spec.containers[web].image`. Empty for
    /// an object that one side lacks.
    pub field: String,
    /// The left side; `None` where it lacks the object.
    pub left: Option<Side<'a>>,
    /// The right side; `None` where it lacks the object. One of the two is there.
    pub right: Option<Side<'a>>,
    /// Whether a value looks like a credential, so that none is to be shown.
    pub secret: bool,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The values.
    Value,
    /// A namespace, which should be this one on the right side.
    Namespace(String),
    /// Only the left side has it.
    OnlyLeft,
    /// Only the right side has it.
    OnlyRight,
    /// The order of a list whose order matters.
    Order,
    /// One side does not expand `$(NAME)` in a variable's value, for NAME stands after it or is missing; the other does.
    Expansion {
        /// NAME.
        name: String,
        /// Whether it is the left side that does not.
        left: bool,
    },
    /// Nothing, as far as one can tell: the text is too deep, or its aliases stand for too much, to be compared.
    TooLarge,
}

/// One side of a difference.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The object.
    pub object: Object<'a>,
    /// The field or, where it is missing, the nearest that is there.
    pub node: Node<'a>,
}

impl<'a> Difference<'a> {
    /// The object, of the left side where that has it.
    ///
    /// # Panics
    /// Where neither side has it; no comparison finds that.
    #[must_use]
    pub fn object(&self) -> Object<'a> {
        self.left.or(self.right).expect("one side has the object").object
    }
}

impl Side<'_> {
    /// Where it is.
    #[must_use]
    pub fn position(&self) -> Position {
        self.node.position()
    }

    /// What a scalar says; `None` for mappings and lists, and for all of a Secret.
    fn text(&self) -> Option<std::borrow::Cow<'_, str>> {
        let node = self.node.resolve();
        let shown = node.kind() == NodeKind::Scalar && self.object.kind() != "Secret";
        shown.then(|| node.text()).flatten()
    }

    /// The same as it is written.
    fn source(&self) -> &str {
        self.node.resolve().source().trim()
    }
}

impl Difference<'_> {
    /// The values of both sides, each short and on one line; of two long ones the part where they first differ. `None` for a
    /// side without a scalar, and for credentials.
    #[must_use]
    pub fn values(&self) -> (Option<String>, Option<String>) {
        if self.secret {
            return (None, None);
        }
        let whole = |side: Option<Side<'_>>| side.and_then(|side| side.text().map(|_| short(side.source())));
        let (Some(one), Some(two)) = (self.left, self.right) else {
            return (whole(self.left), whole(self.right));
        };
        let (Some(left), Some(right)) = (one.text(), two.text()) else {
            return (whole(self.left), whole(self.right));
        };
        let fits = |side: &Side<'_>| side.source().chars().count() <= MOST && !side.source().contains('\n');
        if (fits(&one) && fits(&two)) || left == right {
            return (whole(self.left), whole(self.right));
        }
        let same: usize = left
            .chars()
            .zip(right.chars())
            .take_while(|(one, two)| one == two)
            .map(|(one, _)| one.len_utf8())
            .sum();
        // Some of what stands before, on the same line.
        let line = left[..same].rfind('\n').map_or(0, |at| at + 1);
        let mut start = line;
        if left[line..same].chars().count() > BEFORE {
            let before = left[line..same].char_indices().rev().nth(BEFORE - 1);
            start = line + before.map_or(0, |(at, _)| at);
        }
        let part = |text: &str| {
            let rest = &text[start..];
            let shown = if rest.is_empty() {
                "(end of text)".to_owned()
            } else {
                short(rest)
            };
            if start > 0 { format!("…{shown}") } else { shown }
        };
        (Some(part(&left)), Some(part(&right)))
    }
}

/// How many characters of a value are shown.
const MOST: usize = 60;

/// How many of them stand before the first that differs.
const BEFORE: usize = 20;

/// At most 60 characters, on one line.
fn short(text: &str) -> String {
    let line: String = text.chars().take_while(|&c| c != '\n').take(MOST).collect();
    if line.len() < text.len() {
        format!("{}…", line.trim_end())
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(left: &str, right: &str) -> (String, String) {
        let parse = |value: &str| krm_fn::Stream::parse(format!("kind: A\nvalue: {value}\n")).unwrap();
        let (left, right) = (parse(left), parse(right));
        fn side(stream: &krm_fn::Stream) -> Side<'_> {
            let object = stream.objects().next().unwrap();
            Side {
                object,
                node: object.root().get("value").unwrap(),
            }
        }
        let difference = Difference {
            change: Change::Value,
            field: "value".to_owned(),
            left: Some(side(&left)),
            right: Some(side(&right)),
            secret: false,
        };
        let (one, two) = difference.values();
        (one.unwrap(), two.unwrap())
    }

    #[test]
    fn of_long_values_the_part_that_differs_is_shown() {
        assert_eq!(values("a", "\"b\""), ("a".to_owned(), "\"b\"".to_owned()));
        let long = "x".repeat(100);
        assert_eq!(
            values(&format!("{long}local/y"), &format!("{long}prod/y")),
            (
                "…xxxxxxxxxxxxxxxxxxxxlocal/y".to_owned(),
                "…xxxxxxxxxxxxxxxxxxxxprod/y".to_owned()
            )
        );
        assert_eq!(
            values("|\n  first: 1\n  second: 2\n", "|\n  first: 1\n  second: 3\n"),
            ("…second: 2…".to_owned(), "…second: 3…".to_owned())
        );
        assert_eq!(values(&long, &format!("{long}é")).1, "…xxxxxxxxxxxxxxxxxxxxé");
        assert_eq!(
            values(&format!("|\n  {long}\n"), &format!("|\n  {long}\n  b\n")).0,
            "…(end of text)"
        );
        assert!(values("|\n  é\n", "|\n  è\n").0.starts_with('é'));
    }
}
