//! The ConfigMap that the bases depend on. Only this function makes it, so that a pod whose overlay skipped the function
//! does not start instead of talking to the wrong place.

use std::borrow::Cow;
use std::collections::BTreeSet;

use krm_fn::{Context, Error, Node, Object, Value};

use crate::config::Config;

/// Marks the ConfigMap as the function's own.
const MADE_BY: (&str, &str) = ("mlplat.dev/made-by", "inject-endpoints");

/// Makes or updates the ConfigMap of every namespace (`None`: the one that the client applies to).
pub(crate) fn provide(
    context: &mut Context<'_, Config>,
    namespaces: &BTreeSet<Option<String>>,
    data: &[(String, String)],
) -> Result<(), Error> {
    let name = context.config.config_map.name.clone();
    let of_that_name = |object: &Object<'_>| object.kind() == "ConfigMap" && object.name() == name;
    let mut missing = namespaces.clone();
    for object in context.stream.objects().filter(of_that_name) {
        if !missing.remove(&object.namespace().map(Cow::into_owned)) {
            continue;
        }
        if object.annotation(MADE_BY.0).as_deref() != Some(MADE_BY.1) {
            return Err(Error::refused(
                format!(
                    "{object} was not made by this function, and pods would start with it when the function is skipped"
                ),
                "remove it from the bases, or set `spec.configMap.name` and the `envFrom` of the bases to another name",
            ));
        }
        if !holds(object.root().get("data"), data) {
            context.edits.set(object.root(), "data", &values(data))?;
        }
    }
    let new: Vec<Value> = missing
        .iter()
        .map(|namespace| config_map(&name, namespace.as_deref(), data))
        .collect();
    Ok(context.stream.add(&new, &mut context.edits)?)
}

/// Whether a ConfigMap's data is this already.
fn holds(found: Option<Node<'_>>, data: &[(String, String)]) -> bool {
    let Some(found) = found else { return false };
    found.entries().count() == data.len()
        && data
            .iter()
            .all(|(key, value)| found.get(key).and_then(Node::as_str).is_some_and(|text| text == *value))
}

fn config_map(name: &str, namespace: Option<&str>, data: &[(String, String)]) -> Value {
    let mut metadata = vec![
        ("annotations".to_owned(), Value::map([MADE_BY])),
        ("name".to_owned(), Value::from(name)),
    ];
    metadata.extend(namespace.map(|namespace| ("namespace".to_owned(), Value::from(namespace))));
    Value::map([
        ("apiVersion", Value::from("v1")),
        ("data", values(data)),
        ("kind", Value::from("ConfigMap")),
        ("metadata", Value::Map(metadata)),
    ])
}

fn values(data: &[(String, String)]) -> Value {
    Value::map(data.iter().map(|(key, value)| (key.as_str(), value.as_str())))
}
