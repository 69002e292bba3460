//! What a function has to say about the objects: the `results` of a ResourceList, and lines on stderr.

use std::collections::{BTreeMap, HashSet};
use std::fmt;

use crate::object::Object;
use crate::position::Position;
use crate::value::Value;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The answer is wrong or unsafe: the run fails.
    Error,
    /// The answer is right, but somebody should look.
    Warning,
    /// Good to know; not printed on stderr.
    Info,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        })
    }
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    severity: Severity,
    rule: Option<&'static str>,
    message: String,
    object: Option<Reference>,
    field: Option<String>,
    position: Option<Position>,
}

/// Who an object is, without the stream it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Reference {
    api_version: String,
    kind: String,
    name: String,
    namespace: Option<String>,
    /// The file it came from and its number there, where that is known.
    file: Option<(String, Option<i64>)>,
    /// Whether that file was read here, so that lines are those of it.
    read_here: bool,
    text: String,
}

impl Finding {
    /// A finding about nothing in particular.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            rule: None,
            message: message.into(),
            object: None,
            field: None,
            position: None,
        }
    }

    /// The finding is about this object.
    #[must_use]
    pub fn of(mut self, object: Object<'_>) -> Self {
        let annotation = |names: [&str; 2]| names.iter().find_map(|name| object.annotation(name));
        let index = annotation(["internal.config.kubernetes.io/index", "config.kubernetes.io/index"]);
        self.object = Some(Reference {
            api_version: object.api_version().into_owned(),
            kind: object.kind().into_owned(),
            name: object.name().into_owned(),
            namespace: object.namespace().map(std::borrow::Cow::into_owned),
            file: object
                .file()
                .map(|path| (path, index.and_then(|index| index.parse().ok()))),
            read_here: object.root().index().file.is_some(),
            text: object.to_string(),
        });
        self
    }

    /// The finding is about this field: a path such as `spec.template.spec.containers[0].env`.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.field = Some(path.into());
        self
    }

    /// The finding is of this rule, among several that a function has: its name stands before everything else.
    #[must_use]
    pub fn rule(mut self, name: &'static str) -> Self {
        self.rule = Some(name);
        self
    }

    /// Takes the place away where it is one of a text that the user never sees: a client has written it.
    pub(crate) fn without_place_in_stream(&mut self) {
        if !self.object.as_ref().is_some_and(|object| object.read_here) {
            self.position = None;
        }
    }

    /// The finding is about this place in the input.
    #[must_use]
    pub fn at(mut self, position: Position) -> Self {
        self.position = Some(position);
        self
    }

    /// How much it matters.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The finding as an entry of `results`.
    pub(crate) fn to_value(&self) -> Value {
        let mut entries = vec![
            ("message".to_owned(), Value::from(self.message.as_str())),
            ("severity".to_owned(), Value::from(self.severity.to_string())),
        ];
        if let Some(object) = &self.object {
            let mut reference = vec![
                ("apiVersion".to_owned(), Value::from(object.api_version.as_str())),
                ("kind".to_owned(), Value::from(object.kind.as_str())),
                ("name".to_owned(), Value::from(object.name.as_str())),
            ];
            if let Some(namespace) = &object.namespace {
                reference.push(("namespace".to_owned(), Value::from(namespace.as_str())));
            }
            entries.push(("resourceRef".to_owned(), Value::Map(reference)));
        }
        if let Some(path) = &self.field {
            entries.push(("field".to_owned(), Value::map([("path", path.as_str())])));
        }
        if let Some((path, index)) = self.object.as_ref().and_then(|object| object.file.as_ref()) {
            let mut file = vec![("path".to_owned(), Value::from(path.as_str()))];
            file.extend(index.map(|index| ("index".to_owned(), Value::Int(index))));
            entries.push(("file".to_owned(), Value::Map(file)));
        }
        if let Some(rule) = self.rule {
            entries.push(("tags".to_owned(), Value::map([("rule", rule)])));
        }
        Value::Map(entries)
    }
}

/// `rule: Deployment demo/backend (backend.yaml, line 4, column 3): spec.replicas: message`, as far as it is known.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = self.rule {
            write!(f, "{rule}: ")?;
        }
        let file = self
            .object
            .as_ref()
            .and_then(|object| object.file.as_ref())
            .map(|(path, _)| path.clone());
        let place = file
            .into_iter()
            .chain(self.position.map(|at| at.to_string()))
            .collect::<Vec<_>>()
            .join(", ");
        match (&self.object, place.is_empty()) {
            (Some(object), true) => write!(f, "{}: ", object.text)?,
            (Some(object), false) => write!(f, "{} ({place}): ", object.text)?,
            (None, false) => write!(f, "{place}: ")?,
            (None, true) => {}
        }
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// How many findings of one severity and rule are kept; of the others only the number is told.
const MOST_OF_A_RULE: usize = 100;

/// How many findings of one severity are kept.
const MOST: usize = 1000;

/// All that a run has found. Of very many findings the first are kept, and the others are counted: what goes to stderr and
/// into the results is to be read.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
    counts: BTreeMap<(Severity, Option<&'static str>), Count>,
    /// The objects that findings are about.
    objects: HashSet<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    all: usize,
    kept: usize,
}

impl Findings {
    /// Notes a finding.
    pub fn push(&mut self, finding: Finding) {
        let kept: usize = self.of_severity(finding.severity).map(|count| count.kept).sum();
        let count = self.counts.entry((finding.severity, finding.rule)).or_default();
        let most = if finding.rule.is_some() { MOST_OF_A_RULE } else { MOST };
        count.all += 1;
        if finding.severity != Severity::Info
            && let Some(object) = &finding.object
        {
            let place = (object.api_version.clone(), object.text.clone());
            self.objects.insert(place);
        }
        if count.kept < most && kept < MOST {
            count.kept += 1;
            self.list.push(finding);
        }
    }

    /// Notes an error about an object.
    pub fn error(&mut self, object: Object<'_>, message: impl Into<String>) {
        self.push(Finding::new(Severity::Error, message).of(object));
    }

    /// Notes a warning about an object.
    pub fn warning(&mut self, object: Object<'_>, message: impl Into<String>) {
        self.push(Finding::new(Severity::Warning, message).of(object));
    }

    /// The findings that are kept, in the order they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.list.iter()
    }

    /// Whether the run fails.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.of_severity(Severity::Error).next().is_some()
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn of_severity(&self, severity: Severity) -> impl Iterator<Item = Count> {
        let all = (severity, None)..;
        let of_it = self.counts.range(all).take_while(move |((one, _), _)| *one == severity);
        of_it.map(|(_, count)| *count)
    }

    /// Takes away the places in a text that the user never sees.
    pub(crate) fn without_places_in_stream(&mut self) {
        self.list.iter_mut().for_each(Finding::without_place_in_stream);
    }

    /// Ends the list: one finding says how many more there are of each kind.
    pub(crate) fn close(&mut self) {
        for ((severity, rule), count) in &self.counts {
            let more = count.all - count.kept;
            if more > 0 {
                let message = format!("{more} more are not shown. To fix: start with those above");
                let mut finding = Finding::new(*severity, message);
                finding.rule = *rule;
                self.list.push(finding);
            }
        }
    }

    /// One line about all findings, without a line break; `None` where one or none is printed.
    pub(crate) fn summary(&self) -> Option<String> {
        let sum = |severity| self.of_severity(severity).map(|count| count.all).sum::<usize>();
        let (errors, warnings) = (sum(Severity::Error), sum(Severity::Warning));
        if errors + warnings < 2 {
            return None;
        }
        let number = |count: usize, of: &str| format!("{count} {of}{}", if count == 1 { "" } else { "s" });
        let parts = [(errors, "error"), (warnings, "warning")];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, of)| number(count, of))
            .collect();
        let mut line = parts.join(" and ");
        if !self.objects.is_empty() {
            line.push_str(&format!(" in {}", number(self.objects.len(), "object")));
        }
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for ((severity, rule), count) in &self.counts {
            if let (Some(rule), true) = (rule, *severity != Severity::Info) {
                *rules.entry(rule).or_default() += count.all;
            }
        }
        let mut rules: Vec<(&str, usize)> = rules.into_iter().collect();
        rules.sort_by_key(|&(rule, count)| (std::cmp::Reverse(count), rule));
        if !rules.is_empty() {
            let rules: Vec<String> = rules.iter().map(|(rule, count)| format!("{rule} {count}")).collect();
            line.push_str(&format!("; rules: {}", rules.join(", ")));
        }
        Some(line)
    }

    pub(crate) fn to_value(&self) -> Value {
        Value::Seq(self.list.iter().map(Finding::to_value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_findings_the_first_are_told_and_the_others_counted() {
        let mut findings = Findings::default();
        for number in 0..5000 {
            findings.push(Finding::new(Severity::Warning, number.to_string()).rule("one"));
            findings.push(Finding::new(Severity::Info, number.to_string()));
        }
        for number in 0..20 {
            (0..200).for_each(|_| findings.push(Finding::new(Severity::Error, number.to_string())));
        }
        findings.push(Finding::new(Severity::Error, "of another rule").rule("two"));
        findings.close();
        let count = |severity| findings.iter().filter(|one| one.severity() == severity).count();
        assert_eq!(count(Severity::Warning), MOST_OF_A_RULE + 1);
        assert_eq!(count(Severity::Error), MOST + 2);
        assert_eq!(count(Severity::Info), MOST + 1);
        let last: Vec<String> = findings
            .iter()
            .skip(MOST_OF_A_RULE + 2 * MOST)
            .map(Finding::to_string)
            .collect();
        assert_eq!(
            last.join("\n"),
            "3000 more are not shown. To fix: start with those above\n\
             two: 1 more are not shown. To fix: start with those above\n\
             one: 4900 more are not shown. To fix: start with those above\n\
             4000 more are not shown. To fix: start with those above"
        );
        assert_eq!(
            findings.summary().unwrap(),
            "4001 errors and 5000 warnings; rules: one 5000, two 1"
        );
    }

    #[test]
    fn one_finding_needs_no_summary() {
        let mut findings = Findings::default();
        findings.push(Finding::new(Severity::Warning, "a"));
        findings.push(Finding::new(Severity::Info, "b"));
        assert_eq!(findings.summary(), None);
        findings.push(Finding::new(Severity::Error, "c"));
        assert_eq!(findings.summary().unwrap(), "1 error and 1 warning");
    }
}
