//! What an attribute's value must be, and what its siblings must be: checked on the configuration, before anything is planned.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::number::Number;
use crate::path::Path;
use crate::schema::{Attribute, Block, Kind, Nesting};
use crate::value::Value;

type Check = dyn Fn(&Value) -> Result<(), Complaint> + Send + Sync;

/// A check of one known, non-null value.
#[derive(Clone)]
pub struct Validator {
    description: String,
    check: Arc<Check>,
}

/// What a value must be, and what it is.
#[derive(Debug, PartialEq, Eq)]
struct Complaint {
    what: String,
    got: Option<String>,
}

/// What an attribute asks of its siblings, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// None of them may be set beside it.
    ConflictsWith(Vec<String>),
    /// All of them must be set beside it.
    RequiredWith(Vec<String>),
    /// Of it and them, one must be set and no more.
    ExactlyOneOf(Vec<String>),
    /// Of it and them, one or more must be set.
    AtLeastOneOf(Vec<String>),
}

impl Validator {
    /// A check in words of its own; the words follow the attribute's name: "must be a DNS label".
    pub(crate) fn custom<E: fmt::Display>(check: impl Fn(&Value) -> Result<(), E> + Send + Sync + 'static) -> Self {
        Self::new(String::new(), move |value| {
            check(value).map_err(|error| Complaint {
                what: error.to_string(),
                got: None,
            })
        })
    }

    /// One of these strings; in a collection, each element.
    pub(crate) fn one_of<S: AsRef<str>>(choices: impl IntoIterator<Item = S>) -> Self {
        let choices: Vec<String> = choices.into_iter().map(|choice| choice.as_ref().to_owned()).collect();
        let words = match choices.as_slice() {
            [only] => format!("`{only}`"),
            _ => format!("one of {}", list(&choices)),
        };
        Self::new(format!("Must be {words}."), move |value| {
            each(value, &|value| match value {
                Value::String(text) if !choices.contains(text) => Err(Complaint {
                    what: format!("must be {words}"),
                    got: Some(format!("`{text}`")),
                }),
                _ => Ok(()),
            })
        })
    }

    /// A number between these, both included; in a collection, each element.
    pub(crate) fn range(min: Option<Number>, max: Option<Number>) -> Self {
        let words = bounds(min.as_ref(), max.as_ref());
        Self::new(format!("Must be {words}."), move |value| {
            each(value, &|value| match value {
                Value::Number(number)
                    if min.as_ref().is_some_and(|min| number < min) || max.as_ref().is_some_and(|max| number > max) =>
                {
                    Err(Complaint {
                        what: format!("must be {words}"),
                        got: Some(number.to_string()),
                    })
                }
                _ => Ok(()),
            })
        })
    }

    /// A string of this many characters or a collection of this many elements, both ends included.
    pub(crate) fn length(min: Option<Number>, max: Option<Number>) -> Self {
        let words = bounds(min.as_ref(), max.as_ref());
        Self::new(format!("Its length must be {words}."), move |value| {
            let length = Number::from(match value {
                Value::String(text) => text.chars().count(),
                Value::List(elements) => elements.len(),
                Value::Map(elements) => elements.len(),
                _ => return Ok(()),
            });
            if min.as_ref().is_some_and(|min| length < *min) || max.as_ref().is_some_and(|max| length > *max) {
                return Err(Complaint {
                    what: format!("must have a length {words}"),
                    got: Some(length.to_string()),
                });
            }
            Ok(())
        })
    }

    fn new(description: String, check: impl Fn(&Value) -> Result<(), Complaint> + Send + Sync + 'static) -> Self {
        Self {
            description,
            check: Arc::new(check),
        }
    }

    /// A sentence for the documentation; empty when the attribute's own text says it.
    pub fn description(&self) -> &str {
        &self.description
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Validator").field(&self.description).finish()
    }
}

/// `a`, `b` and `c`.
fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn bounds(min: Option<&Number>, max: Option<&Number>) -> String {
    match (min, max) {
        (Some(min), Some(max)) => format!("between {min} and {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => "anything".to_owned(),
    }
}

fn each(value: &Value, check: &dyn Fn(&Value) -> Result<(), Complaint>) -> Result<(), Complaint> {
    match value {
        Value::List(elements) => elements.iter().try_for_each(check),
        Value::Map(elements) => elements.values().try_for_each(check),
        value => check(value),
    }
}

/// Checks a whole configuration against its schema. Unknown values pass: they are checked when they are known.
pub(crate) fn config(block: &Block, config: &Value, write_only_allowed: bool) -> Diagnostics {
    let mut walk = Walk {
        found: Diagnostics::none(),
        write_only_allowed,
    };
    walk.block(block, config, &Path::root());
    walk.found
}

struct Walk {
    found: Diagnostics,
    write_only_allowed: bool,
}

impl Walk {
    fn block(&mut self, block: &Block, value: &Value, at: &Path) {
        if !matches!(value, Value::Map(_)) {
            return;
        }
        for attribute in &block.attributes {
            let path = at.attribute(&attribute.name);
            self.relations(attribute, value, &path);
            self.attribute(attribute, value.attribute(&attribute.name), &path);
        }
        for nested in &block.blocks {
            let path = at.attribute(&nested.name);
            self.elements(nested.nesting, &nested.block, value.attribute(&nested.name), &path);
        }
    }

    fn attribute(&mut self, attribute: &Attribute, value: &Value, at: &Path) {
        if value.is_null() || value.is_unknown() {
            return;
        }
        if attribute.write_only && !self.write_only_allowed {
            self.found.push(
                Diagnostic::error(format!(
                    "`{at}` is write-only, and this Terraform has no write-only arguments"
                ))
                .detail("To fix: use Terraform or OpenTofu 1.11 or newer, or leave the argument out.")
                .at(at),
            );
            return;
        }
        if let Kind::Nested(nesting, block) = &attribute.kind {
            self.elements(*nesting, block, value, at);
        }
        if !value.is_wholly_known() {
            return;
        }
        let secret = attribute.sensitive || attribute.write_only;
        for validator in &attribute.validators {
            if let Err(complaint) = (validator.check)(value) {
                let got = complaint
                    .got
                    .filter(|_| !secret)
                    .map_or_else(String::new, |got| format!(", got {got}"));
                let joint = if complaint.what.starts_with("must ") { "" } else { ":" };
                self.found.push(
                    Diagnostic::error(format!("Invalid value for `{at}`"))
                        .detail(format!("`{at}`{joint} {}{got}", complaint.what))
                        .at(at),
                );
                break;
            }
        }
    }

    fn elements(&mut self, nesting: Nesting, block: &Block, value: &Value, at: &Path) {
        match (nesting, value) {
            (Nesting::Single, value) => self.block(block, value, at),
            (Nesting::List, Value::List(elements)) => {
                for (i, element) in elements.iter().enumerate() {
                    self.block(block, element, &at.index(i));
                }
            }
            (Nesting::Set, Value::List(elements)) => {
                for element in elements {
                    self.block(block, element, at);
                }
            }
            (Nesting::Map, Value::Map(elements)) => {
                for (key, element) in elements {
                    self.block(block, element, &at.key(key));
                }
            }
            _ => {}
        }
    }

    fn relations(&mut self, attribute: &Attribute, siblings: &Value, at: &Path) {
        let name = &attribute.name;
        let value = siblings.attribute(name);
        let set = |other: &&String| {
            let value = siblings.attribute(other);
            !value.is_null() && !value.is_unknown()
        };
        let null = |other: &&String| siblings.attribute(other).is_null();
        for relation in &attribute.relations {
            let (summary, fix) = match relation {
                Relation::ConflictsWith(others) if set(&name) => match others.iter().find(set) {
                    Some(other) => (
                        format!("`{name}` and `{other}` cannot both be set"),
                        format!("To fix: remove `{name}` or `{other}`."),
                    ),
                    None => continue,
                },
                Relation::RequiredWith(others) if set(&name) => match others.iter().find(null) {
                    Some(other) => (
                        format!("`{name}` needs `{other}` beside it"),
                        format!("To fix: set `{other}` too."),
                    ),
                    None => continue,
                },
                Relation::ExactlyOneOf(others) | Relation::AtLeastOneOf(others) => {
                    let mut all = vec![name.clone()];
                    all.extend(others.iter().cloned());
                    let given = all.iter().filter(set).count();
                    let exactly = matches!(relation, Relation::ExactlyOneOf(_));
                    if exactly && given > 1 && !value.is_null() {
                        (
                            format!("Only one of {} can be set", list(&all)),
                            "To fix: keep one of them.".to_owned(),
                        )
                    } else if all.iter().all(|name| null(&name)) {
                        (
                            format!("One of {} must be set", list(&all)),
                            "To fix: set one of them.".to_owned(),
                        )
                    } else {
                        continue;
                    }
                }
                Relation::ConflictsWith(_) | Relation::RequiredWith(_) => continue,
            };
            self.found.push(Diagnostic::error(summary).detail(fix).at(at));
        }
    }
}
