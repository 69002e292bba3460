//! What the contract of one side gives: the values of its variables, and the Secrets that Terraform publishes for it. Without
//! the contract in the stream nothing is known of them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use endpoint_contract::{EnvironmentEndpoints, KIND, Profile, Protocol, SecretKey, VariableValue, View};
use krm_fn::{Node, NodeKind, Object, Stream};

use crate::allow::Allow;

/// The label that Terraform gives what it publishes.
pub(crate) const ENVIRONMENT: &str = "mlplat.dev/environment";

/// The contracts of one side; nearly always one.
pub(crate) struct Given {
    environments: HashSet<String>,
    values: HashMap<&'static str, Vec<VariableValue>>,
    /// By Secret.
    keys: HashMap<String, BTreeSet<String>>,
    /// What the External Secrets Operator makes of other keys.
    templates: BTreeMap<SecretKey, String>,
}

impl Given {
    /// By the contracts in a stream; `None` where there is none that can be read.
    pub(crate) fn of(stream: &Stream) -> Option<Self> {
        let objects = stream
            .objects()
            .filter(|object| object.kind() == KIND && object.group() == "mlplat.dev");
        let contracts: Vec<EnvironmentEndpoints> = objects
            .filter_map(|object| object.parse().ok())
            .filter(|contract: &EnvironmentEndpoints| contract.validate().is_ok())
            .collect();
        if contracts.is_empty() {
            return None;
        }
        let mut given = Self {
            environments: HashSet::new(),
            values: HashMap::new(),
            keys: HashMap::new(),
            templates: BTreeMap::new(),
        };
        for contract in contracts {
            let endpoints = contract.spec.endpoints;
            for view in [View::Host, View::Cluster] {
                for protocol in Protocol::ALL {
                    // An endpoint without that view gives nothing.
                    let variables = endpoints.variables_of(&[protocol], &Profile::ALL, view);
                    for variable in variables.unwrap_or_default() {
                        given.values.entry(variable.name).or_default().push(variable.value);
                    }
                }
            }
            for SecretKey { name, key } in endpoints.secret_keys() {
                given.keys.entry(name).or_default().insert(key);
            }
            given.templates.extend(endpoints.url_templates());
            given.environments.insert(contract.metadata.name);
        }
        Some(given)
    }

    /// Whether an entry of `env` says what the contract gives the variable.
    pub(crate) fn gives(&self, name: &str, entry: Node<'_>, allow: &Allow) -> bool {
        let text = entry.text_at(&["value"]);
        let reference = |field| entry.text_at(&["valueFrom", "secretKeyRef", field]);
        let values = self.values.get(name).into_iter().flatten();
        values.into_iter().any(|value| match value {
            VariableValue::Literal(wanted) | VariableValue::Composed(wanted) => {
                text.as_ref().is_some_and(|text| text == wanted)
            }
            VariableValue::SecretKey(SecretKey { name, key }) => {
                reference("key").is_some_and(|found| found == *key)
                    && reference("name").is_some_and(|found| allow.stem(&found) == name)
            }
        })
    }

    /// Whether a key of the functions' ConfigMap says what the contract gives it.
    pub(crate) fn gives_key(&self, key: &str, text: &str) -> bool {
        if key == "MLPLAT_ENVIRONMENT" {
            return self.environments.contains(text);
        }
        let literal = |value: &VariableValue| matches!(value, VariableValue::Literal(wanted) if wanted == text);
        self.values.get(key).is_some_and(|values| values.iter().any(literal))
    }

    /// Whether the contract refers to a Secret.
    fn refers_to(&self, secret: &str) -> bool {
        self.keys.contains_key(secret)
    }

    /// Whether an object is what Terraform publishes for the contract: a Secret or ExternalSecret with exactly its keys, and
    /// with nothing beside them. Where a store keeps the values, and in which, is not the contract's to say.
    fn is_published(&self, object: Object<'_>) -> bool {
        let root = object.root();
        let Some(keys) = self.keys.get(object.name().as_ref()) else {
            return false;
        };
        if !object
            .label(ENVIRONMENT)
            .is_some_and(|name| self.environments.contains(name.as_ref()))
        {
            return false;
        }
        let found = match (object.kind().as_ref(), object.group().as_ref()) {
            ("Secret", "") => {
                let is_opaque = root.text_at(&["type"]).is_none_or(|of| of == "Opaque");
                let only = has_only(root, &["apiVersion", "kind", "metadata", "type", "stringData", "data"]);
                (is_opaque && only).then(|| {
                    let data = ["stringData", "data"].into_iter().filter_map(|field| root.at(&[field]));
                    data.flat_map(names).collect()
                })
            }
            ("ExternalSecret", "external-secrets.io") => self.keys_of_external(object),
            _ => None,
        };
        found.is_some_and(|found: BTreeSet<String>| found == *keys)
    }

    /// The keys that an ExternalSecret makes, if it is made of references and of the contract's templates alone.
    fn keys_of_external(&self, object: Object<'_>) -> Option<BTreeSet<String>> {
        let root = object.root();
        let spec = root.at(&["spec"])?;
        let mut found = BTreeSet::new();
        let shape = has_only(root, &["apiVersion", "kind", "metadata", "spec"])
            && has_only(spec, &["refreshInterval", "secretStoreRef", "target", "data"])
            && spec
                .at(&["secretStoreRef"])
                .is_some_and(|store| has_only(store, &["kind", "name"]));
        if !shape {
            return None;
        }
        if let Some(target) = spec.at(&["target"]) {
            let template = target.at(&["template"])?;
            let merges = template
                .text_at(&["mergePolicy"])
                .is_some_and(|policy| policy == "Merge");
            if !(merges && has_only(target, &["template"]) && has_only(template, &["mergePolicy", "data"])) {
                return None;
            }
            for (key, text) in template.at(&["data"])?.entries() {
                let key = SecretKey {
                    name: object.name().into_owned(),
                    key: key.text()?.into_owned(),
                };
                if *self.templates.get(&key)? != text.resolve().text()? {
                    return None;
                }
                found.insert(key.key);
            }
        }
        for item in spec.at(&["data"]).into_iter().flat_map(Node::items).map(Node::resolve) {
            let remote = item.at(&["remoteRef"])?;
            let plain = has_only(item, &["secretKey", "remoteRef"]) && has_only(remote, &["key", "property"]);
            let fresh = found.insert(item.text_at(&["secretKey"])?.into_owned());
            if !(plain && fresh) {
                return None;
            }
        }
        Some(found)
    }
}

/// The names of the Secrets that Terraform publishes on both sides, each by its own contract, and of those that only one
/// side's contract refers to.
pub(crate) fn published(
    (left, here): (&[Object<'_>], Option<&Given>),
    (right, there): (&[Object<'_>], Option<&Given>),
) -> HashSet<String> {
    let (Some(here), Some(there)) = (here, there) else {
        return HashSet::new();
    };
    let of = |objects: &[Object<'_>], given: &Given| -> HashMap<String, bool> {
        let mut found = HashMap::new();
        let is_one =
            |object: &&Object<'_>| matches!(object.kind().as_ref(), "Secret" | "ExternalSecret" | "SealedSecret");
        for object in objects.iter().filter(is_one) {
            let all = found.entry(object.name().into_owned()).or_insert(true);
            *all &= given.is_published(*object);
        }
        found
    };
    let (left, right) = (of(left, here), of(right, there));
    let missing_is_well = |name: &String, side: &HashMap<String, bool>, given: &Given| match side.get(name) {
        Some(published) => *published,
        None => !given.refers_to(name),
    };
    let names = left.keys().chain(right.keys());
    names
        .filter(|name| missing_is_well(name, &left, here) && missing_is_well(name, &right, there))
        .cloned()
        .collect()
}

fn has_only(map: Node<'_>, known: &[&str]) -> bool {
    let map = map.resolve();
    map.kind() == NodeKind::Map
        && map
            .entries()
            .all(|(key, _)| key.text().is_some_and(|key| known.contains(&key.as_ref())))
}

fn names(map: Node<'_>) -> impl Iterator<Item = String> {
    map.entries().filter_map(|(key, _)| Some(key.text()?.into_owned()))
}
