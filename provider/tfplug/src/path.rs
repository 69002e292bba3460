//! Where in a value something is: `postgres.port`, `buckets[0]`, `tags["team"]`.

use std::fmt;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An attribute or a block, by name.
    Attribute(String),
    /// An element of a list or tuple, from 0.
    Index(usize),
    /// An element of a map.
    Key(String),
}

/// The steps from a resource's root to a value. Elements of a set have no path of their own: theirs is the set's.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The whole value.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// This is the whole value.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path one step further in, to an attribute.
    pub fn attribute(&self, name: impl Into<String>) -> Self {
        self.join(Step::Attribute(name.into()))
    }

    /// The path one step further in, to an element of a list.
    pub fn index(&self, index: usize) -> Self {
        self.join(Step::Index(index))
    }

    /// The path one step further in, to an element of a map.
    pub fn key(&self, key: impl Into<String>) -> Self {
        self.join(Step::Key(key.into()))
    }

    /// The path one step further in.
    pub fn join(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// This path, and `inner` from there.
    pub fn extend(&self, inner: &Path) -> Self {
        Self(self.0.iter().chain(&inner.0).cloned().collect())
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

/// Reads what [`Path`] prints. Text that is no path becomes one attribute of that name, which no schema has.
impl From<&str> for Path {
    fn from(text: &str) -> Self {
        parse(text).unwrap_or_else(|| Self(vec![Step::Attribute(text.to_owned())]))
    }
}

impl From<&Path> for Path {
    fn from(path: &Path) -> Self {
        path.clone()
    }
}

fn parse(text: &str) -> Option<Path> {
    let mut steps = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix("[\"") {
            let end = quoted.find("\"]")?;
            steps.push(Step::Key(quoted[..end].to_owned()));
            rest = &quoted[end + 2..];
        } else if let Some(index) = rest.strip_prefix('[') {
            let end = index.find(']')?;
            steps.push(Step::Index(index[..end].parse().ok()?));
            rest = &index[end + 1..];
        } else {
            let name = if steps.is_empty() {
                rest
            } else {
                rest.strip_prefix('.')?
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Attribute(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    Some(Path(steps))
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if i == 0 => f.write_str(name)?,
                Step::Attribute(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[\"{key}\"]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        let path = Path::root()
            .attribute("rules")
            .index(2)
            .attribute("tags")
            .key("team.name");
        assert_eq!(path.to_string(), "rules[2].tags[\"team.name\"]");
        assert_eq!(Path::from(path.to_string().as_str()), path);
        assert_eq!(Path::from(""), Path::root());
    }

    #[test]
    fn text_that_is_no_path_is_one_unknown_attribute() {
        assert_eq!(Path::from("a..b"), Path::root().attribute("a..b"));
        assert_eq!(Path::from("a[x]"), Path::root().attribute("a[x]"));
    }
}
