//! The contract's variables as entries of `env`, and the part of them that a ConfigMap may hold.

use contract_source::Contract;
use endpoint_contract::{Variable, VariableValue};
use krm_fn::{Error, Node, Value};

use crate::config::Config;

/// One variable and its entry.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) name: &'static str,
    pub(crate) entry: Value,
    /// The variables that its value refers to by `$(NAME)`.
    pub(crate) refers_to: Vec<String>,
    value: VariableValue,
}

/// The variables to inject, in the contract's order.
pub(crate) fn wanted(contract: &Contract, config: &Config) -> Result<Vec<Wanted>, Error> {
    let protocols = contract.protocols(config.protocols.as_deref())?;
    let variables = contract
        .endpoints
        .variables_of(&protocols, config.view)
        .map_err(|error| Error::Failed(error.to_string()))?;
    if variables.is_empty() {
        return Err(Error::refused(
            "the environment offers no endpoint, so there is nothing to inject",
            "add one in Terraform, or list one in `spec.protocols`",
        ));
    }
    Ok(variables.into_iter().map(Wanted::from).collect())
}

/// What the ConfigMap holds: all that is no secret and made of none.
pub(crate) fn public(wanted: &[Wanted], environment: Option<&str>) -> Vec<(String, String)> {
    let environment = environment.map(|name| ("MLPLAT_ENVIRONMENT".to_owned(), name.to_owned()));
    let literals = wanted.iter().filter_map(|one| match &one.value {
        VariableValue::Literal(text) => Some((one.name.to_owned(), text.clone())),
        VariableValue::Composed(_) | VariableValue::SecretKey(_) => None,
    });
    environment.into_iter().chain(literals).collect()
}

impl Wanted {
    /// Whether an entry that is there says the same already.
    pub(crate) fn is(&self, entry: Node<'_>) -> bool {
        let text = |path: &[&str]| entry.at(path).and_then(Node::as_str);
        let keys = |path: &[&str]| entry.at(path).map_or(0, |node| node.entries().count());
        keys(&[]) == 2
            && match &self.value {
                VariableValue::Literal(wanted) | VariableValue::Composed(wanted) => {
                    text(&["value"]).is_some_and(|text| text == *wanted)
                }
                VariableValue::SecretKey(wanted) => {
                    let from = ["valueFrom", "secretKeyRef"];
                    keys(&from[..1]) == 1
                        && keys(&from) == 2
                        && text(&[from[0], from[1], "name"]).is_some_and(|text| text == wanted.name)
                        && text(&[from[0], from[1], "key"]).is_some_and(|text| text == wanted.key)
                }
            }
    }

    /// The new value of an entry that has nothing but a name and a `value`; its other bytes can stay.
    pub(crate) fn plain_value(&self) -> Option<Value> {
        match &self.value {
            VariableValue::Literal(text) | VariableValue::Composed(text) => Some(Value::from(text.as_str())),
            VariableValue::SecretKey(_) => None,
        }
    }
}

impl From<Variable> for Wanted {
    fn from(variable: Variable) -> Self {
        let (key, value) = match &variable.value {
            VariableValue::Literal(text) | VariableValue::Composed(text) => ("value", Value::from(text.as_str())),
            VariableValue::SecretKey(secret) => {
                let reference = Value::map([("name", secret.name.as_str()), ("key", secret.key.as_str())]);
                ("valueFrom", Value::map([("secretKeyRef", reference)]))
            }
        };
        let refers_to = match &variable.value {
            VariableValue::Composed(text) => references(text),
            VariableValue::Literal(_) | VariableValue::SecretKey(_) => Vec::new(),
        };
        let entry = Value::map([("name", Value::from(variable.name)), (key, value)]);
        Self {
            name: variable.name,
            entry,
            refers_to,
            value: variable.value,
        }
    }
}

/// The names in `$(NAME)`, as Kubernetes reads them: `$$` is a dollar sign and begins no reference.
pub(crate) fn references(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(inside) = rest.strip_prefix('(') {
            if let Some(end) = inside.find(')') {
                names.push(inside[..end].to_owned());
                rest = &inside[end + 1..];
            }
        } else if let Some(after) = rest.strip_prefix('$') {
            rest = after;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::references;

    #[test]
    fn references_are_read_as_kubernetes_reads_them() {
        assert_eq!(references("a://$(B):$(C)@d"), ["B", "C"]);
        assert_eq!(references("$$(A) $B $$$(C) $(D"), ["C"]);
    }
}
