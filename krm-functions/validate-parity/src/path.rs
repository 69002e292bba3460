//! Where the walk is: a chain of steps on the stack, collected only for a difference.

/// One step down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<'p> {
    /// A key of a mapping.
    Key(&'p str),
    /// An item of a list, by what tells it from the others.
    Item(&'p str),
    /// An item of a list, by its number.
    At(usize),
}

/// A step and those above it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'p> {
    above: Option<&'p Path<'p>>,
    step: Step<'p>,
    depth: usize,
}

impl<'p> Path<'p> {
    /// The step to `step` from `above`; `None` is the object itself.
    pub(crate) fn below(above: Option<&'p Path<'p>>, step: Step<'p>) -> Self {
        Self {
            above,
            step,
            depth: above.map_or(0, |path| path.depth) + 1,
        }
    }

    /// How many steps it is from the object.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// The key of the last step; `None` for an item.
    pub(crate) fn key(&self) -> Option<&'p str> {
        match self.step {
            Step::Key(key) => Some(key),
            Step::Item(_) | Step::At(_) => None,
        }
    }

    /// The steps, from the object down.
    pub(crate) fn steps(&self) -> Vec<Step<'p>> {
        let mut steps = Vec::with_capacity(self.depth);
        let mut next = Some(self);
        while let Some(path) = next {
            steps.push(path.step);
            next = path.above;
        }
        steps.reverse();
        steps
    }
}

/// The steps in words: `spec.template.spec.containers[backend].env[PORT].value`; a key with other characters stands in
/// brackets too.
pub(crate) fn written(steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Key(key) if is_word(key) => {
                text.push_str(if text.is_empty() { "" } else { "." });
                text.push_str(key);
            }
            Step::Key(name) | Step::Item(name) => text.extend(["[", name, "]"]),
            Step::At(number) => text.extend(["[", &number.to_string(), "]"]),
        }
    }
    text
}

fn is_word(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}
