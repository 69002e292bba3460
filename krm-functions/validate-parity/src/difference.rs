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
    /// One side expands `$(NAME)` in a variable's value and the other does not, for NAME stands after it or is missing.
    Expansion(String),
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

    /// The value of a scalar, short and on one line; `None` for mappings and lists, and for all of a Secret.
    #[must_use]
    pub fn value(&self) -> Option<String> {
        let node = self.node.resolve();
        let shown = node.kind() == NodeKind::Scalar && self.object.kind() != "Secret";
        shown.then(|| short(node.source().trim()))
    }
}

/// At most 60 characters, on one line.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line: String = text.chars().take_while(|&c| c != '\n').take(MOST).collect();
    if line.len() < text.len() {
        format!("{}…", line.trim_end())
    } else {
        line
    }
}
