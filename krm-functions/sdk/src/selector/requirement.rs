//! Selectors over labels or annotations, in the words of `kubectl --selector`.

/// One requirement of a selector; all must be met.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Requirement {
    key: String,
    test: Test,
}

#[derive(Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    /// Met by an object without the key, too.
    NotIn(Vec<String>),
}

impl Requirement {
    /// The label's or annotation's name.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What it names: each must be met by some object, or fail one where it excludes. `None` is the key itself.
    pub(crate) fn names(&self) -> Vec<Option<&str>> {
        match &self.test {
            Test::Exists | Test::Absent => vec![None],
            Test::In(values) | Test::NotIn(values) => values.iter().map(|value| Some(value.as_str())).collect(),
        }
    }

    /// Whether it is about what is not meant.
    pub(crate) fn excludes(&self) -> bool {
        matches!(self.test, Test::Absent | Test::NotIn(_))
    }

    /// Whether a value, or its absence, meets the requirement.
    pub(crate) fn met_by(&self, value: Option<&str>) -> bool {
        match (&self.test, value) {
            (Test::Exists, value) => value.is_some(),
            (Test::Absent, value) => value.is_none(),
            (Test::In(values), value) => value.is_some_and(|value| values.iter().any(|one| *one == value)),
            (Test::NotIn(values), value) => value.is_none_or(|value| values.iter().all(|one| *one != value)),
        }
    }
}

/// Reads `a=b,c!=d,e in (f, g),h notin (i),j,!k`; an error quotes the part that is not understood.
pub(crate) fn parse(selector: &str) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    let mut rest = selector.trim();
    while !rest.is_empty() {
        // A comma inside parentheses separates values.
        let end = match (rest.find(','), rest.find('('), rest.find(')')) {
            (Some(comma), Some(open), Some(close)) if open < comma => {
                rest[close..].find(',').map_or(rest.len(), |comma| close + comma)
            }
            (Some(comma), _, _) => comma,
            (None, _, _) => rest.len(),
        };
        let part = rest[..end].trim();
        requirements.push(requirement(part).ok_or_else(|| part.to_owned())?);
        rest = rest[end..].strip_prefix(',').unwrap_or_default().trim_start();
    }
    Ok(requirements)
}

fn requirement(part: &str) -> Option<Requirement> {
    let (key, test) = if let Some((key, value)) = part.split_once("!=") {
        (key, Test::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (key, Test::In(vec![value.trim().to_owned()]))
    } else if let Some((words, values)) = part.split_once('(') {
        let values = values
            .strip_suffix(')')?
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        match words.trim().rsplit_once(char::is_whitespace)? {
            (key, "in") => (key, Test::In(values)),
            (key, "notin") => (key, Test::NotIn(values)),
            _ => return None,
        }
    } else if let Some(key) = part.strip_prefix('!') {
        (key, Test::Absent)
    } else {
        (part, Test::Exists)
    };
    let key = key.trim();
    let known = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
    (!key.is_empty() && key.bytes().all(known)).then(|| Requirement {
        key: key.to_owned(),
        test,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str, labels: &[(&str, &str)]) -> bool {
        let value = |key: &str| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        parse(selector)
            .unwrap()
            .iter()
            .all(|requirement| requirement.met_by(value(requirement.key())))
    }

    #[test]
    fn selectors_mean_what_kubectl_means() {
        let labels = [("app", "web"), ("tier", "front"), ("a.b/c", "d")];
        for selector in [
            "",
            "app=web",
            "app==web,tier!=back",
            "app in (x, web),!gone",
            "gone notin (a)",
            "gone!=x",
            "a.b/c",
            " app ",
        ] {
            assert!(selects(selector, &labels), "{selector}");
        }
        for selector in ["app=x", "gone", "!app", "app notin (web)", "tier in (back),app=web"] {
            assert!(!selects(selector, &labels), "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_quoted() {
        assert_eq!(parse("a=b,c ~ d").unwrap_err(), "c ~ d");
        assert_eq!(parse("a in (b").unwrap_err(), "a in (b");
        assert_eq!(parse("=x").unwrap_err(), "=x");
    }
}
