//! What Secrets hold: those that are written out, and those that a controller makes in the cluster.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use serde::Deserialize;
use serde_json::Value;

use super::manifest::SecretData;

/// A Secret that is not among the manifests, but the object from which a controller makes it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MadeSecret {
    pub(super) name: String,
    /// Kind and name of that object.
    pub(super) maker: String,
    /// The keys that it names.
    pub(super) keys: BTreeSet<String>,
    /// Whether the Secret gets further keys, which the object does not name.
    pub(super) open: bool,
}

/// The Secret that is made from an object; `None` for objects of other kinds, and for those that make none.
pub(super) fn made(api_version: &str, kind: &str, name: &str, object: &Value) -> Option<MadeSecret> {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let spec = object.get("spec")?;
    let maker = format!("{kind} {name}");
    match (group, kind) {
        ("external-secrets.io", "ExternalSecret") => from_external_secret(name, maker, spec),
        ("bitnami.com", "SealedSecret") => Some(MadeSecret {
            name: name.to_owned(),
            maker,
            keys: keys(spec.get("encryptedData"))
                .chain(keys(spec.pointer("/template/data")))
                .collect(),
            open: false,
        }),
        _ => None,
    }
}

/// By the rules of the External Secrets Operator: a template replaces what `data` and `dataFrom` bring, unless its
/// `mergePolicy` is `Merge`.
fn from_external_secret(name: &str, maker: String, spec: &Value) -> Option<MadeSecret> {
    let text = |path: &str| spec.pointer(path).and_then(Value::as_str);
    if text("/target/creationPolicy") == Some("None") || spec.pointer("/target/manifest").is_some() {
        return None;
    }
    let is_filled = |path: &str| {
        spec.pointer(path)
            .and_then(Value::as_array)
            .is_some_and(|it| !it.is_empty())
    };
    let template: BTreeSet<String> = keys(spec.pointer("/target/template/data")).collect();
    let is_templated = !template.is_empty() || is_filled("/target/template/templateFrom");
    let is_replaced = is_templated && text("/target/template/mergePolicy") != Some("Merge");
    let fetched = spec.get("data").and_then(Value::as_array).into_iter().flatten();
    let fetched = fetched.filter_map(|one| one.get("secretKey")?.as_str());
    let fetched = fetched.filter(|_| !is_replaced).map(str::to_owned);
    Some(MadeSecret {
        name: text("/target/name").unwrap_or(name).to_owned(),
        maker,
        keys: fetched.chain(template).collect(),
        open: is_filled("/target/template/templateFrom")
            || (is_filled("/dataFrom") && !is_replaced)
            || text("/target/creationPolicy") == Some("Merge"),
    })
}

fn keys(map: Option<&Value>) -> impl Iterator<Item = String> {
    map.and_then(Value::as_object)
        .into_iter()
        .flat_map(|map| map.keys().cloned())
}

/// The decoded content. No message holds a value.
pub(super) fn content(object: &Value) -> Result<BTreeMap<String, String>, String> {
    let fields =
        SecretData::deserialize(object).map_err(|_| "`data` and `stringData` must map keys to strings".to_owned())?;
    let mut content = BTreeMap::new();
    for (key, encoded) in fields.data.unwrap_or_default() {
        let packed: String = encoded.split_ascii_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(packed)
            .map_err(|_| format!("`data.{key}` is not base64. To fix: encode it, or use `stringData`"))?;
        // A key that is not text (a keystore, say) may stand beside those that are; it only cannot be a variable.
        if let Ok(text) = String::from_utf8(bytes) {
            content.insert(key, text);
        }
    }
    content.extend(fields.string_data.unwrap_or_default());
    Ok(content)
}
