//! `envFrom`: sources whose keys become variables. What a container has stays, ours come after it.

use krm_fn::{EditError, Edits, Error, Node, NodeKind, Value};

use crate::config::EnvFrom;
use crate::variables::Reference;

/// The entries, and what they refer to.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    entries: Vec<Value>,
    pub(crate) references: Vec<Reference>,
}

impl Sources {
    /// Reads `spec.envFrom`.
    pub(crate) fn read(list: &[EnvFrom]) -> Result<Self, Error> {
        let mut sources = Self::default();
        for (at, one) in list.iter().enumerate() {
            let (key, kind, source) = match (&one.config_map_ref, &one.secret_ref) {
                (Some(source), None) => ("configMapRef", "ConfigMap", source),
                (None, Some(source)) => ("secretRef", "Secret", source),
                _ => {
                    return Err(Error::refused(
                        format!("spec.envFrom[{at}] must name one source"),
                        "set exactly one of `configMapRef` and `secretRef`",
                    ));
                }
            };
            let mut fields = vec![("name".to_owned(), Value::from(source.name.as_str()))];
            fields.extend(
                source
                    .optional
                    .map(|optional| ("optional".to_owned(), Value::Bool(optional))),
            );
            let mut entry: Vec<(String, Value)> = Vec::new();
            entry.extend(
                one.prefix
                    .as_ref()
                    .map(|prefix| ("prefix".to_owned(), Value::from(prefix.as_str()))),
            );
            entry.push((key.to_owned(), Value::Map(fields)));
            sources.entries.push(Value::Map(entry));
            sources.references.push(Reference {
                kind,
                name: source.name.clone(),
                key: None,
                optional: source.optional == Some(true),
            });
        }
        Ok(sources)
    }

    /// Whether there is nothing to add.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// `Secret a, ConfigMap b`.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self
            .references
            .iter()
            .map(|one| format!("{} {}", one.kind, one.name))
            .collect();
        names.join(", ")
    }

    /// Notes the edits that give a container the sources that it has not.
    pub(crate) fn apply(&self, container: Node<'_>, edits: &mut Edits) -> Result<(), EditError> {
        if self.is_empty() {
            return Ok(());
        }
        // What a merge (`<<`) brings along counts: a list beside it would hide it.
        let list = container.get("envFrom").or_else(|| container.at(&["envFrom"]));
        let Some(list) = list.filter(|list| !list.is_null()) else {
            return edits.set(container, "envFrom", &Value::Seq(self.entries.clone()));
        };
        let is_there = |entry: &&Value| list.resolve().items().any(|node| entry.is_said_by(node));
        let missing: Vec<&Value> = self.entries.iter().filter(|entry| !is_there(entry)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        if list.kind() == NodeKind::Seq && list.items().next().is_none() {
            return edits.set(container, "envFrom", &Value::Seq(self.entries.clone()));
        }
        edits.insert(list, list.items().count(), missing)
    }
}

/// Whether a container has sources of variables whose keys are not known here.
pub(crate) fn has_sources(container: Node<'_>) -> bool {
    container
        .at(&["envFrom"])
        .is_some_and(|list| list.items().next().is_some())
}
