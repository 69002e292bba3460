//! Objects that ask for the endpoints and get nothing: a pod that reads the ConfigMap of this run and has no credentials
//! would start and fail later, so the run fails at once.

use std::collections::BTreeSet;

use krm_fn::{Finding, Node, NodeKind, Object, Severity};

use crate::meant::Meant;
use crate::variables::Wanted;

/// What becomes of the containers of an unknown kind.
pub(crate) const LEFT_ALONE: &str = "its containers are given nothing";

/// Keys under which objects refer to a ConfigMap, and to a Secret.
const CONFIG_MAPS: [&str; 3] = ["configMapRef", "configMapKeyRef", "configMap"];
const SECRETS: [&str; 3] = ["secretRef", "secretKeyRef", "secret"];

/// How deep objects are looked into, and at how many nodes: aliases can multiply them.
const DEPTH: usize = 60;
const NODES: usize = 1_000_000;

/// What an object refers to that asks.
#[derive(Debug)]
pub(crate) struct Asking<'v> {
    config_map: &'v str,
    /// The Secrets of the contract.
    secrets: BTreeSet<&'v str>,
    variables: BTreeSet<&'v str>,
}

impl<'v> Asking<'v> {
    pub(crate) fn of(wanted: &'v [Wanted], config_map: &'v str) -> Self {
        let of_contract = wanted.iter().filter(|one| one.origin.starts_with("contract:"));
        let references = of_contract.filter_map(|one| one.reference.as_ref());
        Self {
            config_map,
            secrets: references.map(|one| one.name.as_str()).collect(),
            variables: wanted.iter().map(|one| one.name.as_str()).collect(),
        }
    }

    /// What to say of an object that was given nothing.
    pub(crate) fn left_alone(&self, object: Object<'_>, is_excluded: bool, meant: &mut Meant<'_>) -> Vec<Finding> {
        let unknown = meant.kinds.unknown(object);
        let reference = self.reference(object);
        if let (Some(first), true) = (
            unknown.first(),
            reference.is_some() || (!unknown.is_empty() && meant.asks(object)),
        ) {
            let what = match &reference {
                Some((_, what)) => format!("{what}, which it refers to, comes without the other variables"),
                None => "the selectors that take it give it nothing".to_owned(),
            };
            return vec![first.finding(Severity::Error, &what)];
        }
        let Some((path, what)) = reference else {
            return unknown
                .iter()
                .map(|one| one.finding(Severity::Warning, LEFT_ALONE))
                .collect();
        };
        let severity = match (is_excluded, what.starts_with("ConfigMap")) {
            // What is excluded by name may well read the credentials its own way.
            (true, false) => return Vec::new(),
            (true, true) => Severity::Warning,
            (false, _) => Severity::Error,
        };
        let message = format!(
            "it refers to {what}, but none of its containers is given the variables, so that its pods would start without \
             them. To fix: correct the selectors of this function or what they look at, name it in `spec.exclude` if it is \
             to be left alone, or remove the reference"
        );
        vec![
            Finding::new(severity, message)
                .of(object)
                .field(path)
                .at(object.position()),
        ]
    }

    /// A reference to the ConfigMap or to a Secret of the contract, in an object that has none of the variables.
    fn reference(&self, object: Object<'_>) -> Option<(String, String)> {
        let names = || std::iter::once(self.config_map).chain(self.secrets.iter().copied());
        if object.kind() == "ConfigMap" || !names().any(|name| object.root().may_say(name)) {
            return None;
        }
        let mut search = Search {
            asking: self,
            left: NODES,
            found: None,
        };
        search.walk(object.root(), "", "", DEPTH);
        search.found.filter(|(_, what)| !what.is_empty())
    }
}

/// A walk through an object; once a variable of ours is found, what is found is empty.
struct Search<'s> {
    asking: &'s Asking<'s>,
    left: usize,
    found: Option<(String, String)>,
}

impl Search<'_> {
    fn walk(&mut self, node: Node<'_>, key: &str, path: &str, depth: usize) {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.left.checked_sub(1)) else {
            return;
        };
        self.left = left;
        let node = node.resolve();
        match node.kind() {
            NodeKind::Seq => {
                for (at, item) in node.items().enumerate() {
                    let is_variable = key == "env"
                        && item
                            .resolve()
                            .text_at(&["name"])
                            .is_some_and(|name| self.asking.variables.contains(name.as_ref()));
                    if is_variable {
                        self.found = Some((String::new(), String::new()));
                    }
                    self.walk(item, "", &format!("{path}[{at}]"), depth);
                }
            }
            NodeKind::Map => {
                self.note(node, key, path);
                for (key, value) in node.entries() {
                    let key = key.text().unwrap_or_default();
                    let path = if path.is_empty() {
                        key.to_string()
                    } else {
                        format!("{path}.{key}")
                    };
                    self.walk(value, &key, &path, depth);
                }
            }
            NodeKind::Scalar | NodeKind::Alias => {}
        }
    }

    fn note(&mut self, node: Node<'_>, key: &str, path: &str) {
        if self.found.is_some() {
            return;
        }
        let name = node.text_at(&["name"]).or_else(|| node.text_at(&["secretName"]));
        let Some(name) = name else { return };
        let is_in = |lists: &[&str]| lists.iter().any(|list| path.contains(list));
        // Short names mean many things outside of volumes.
        let is_meant = key.ends_with("Ref") || is_in(&["volumes["]);
        if CONFIG_MAPS.contains(&key) && is_meant && name == self.asking.config_map {
            self.found = Some((path.to_owned(), format!("ConfigMap {name}")));
        } else if SECRETS.contains(&key)
            && self.asking.secrets.contains(name.as_ref())
            // Operators read Secrets, too, and for reasons of their own.
            && is_in(&["env[", "envFrom[", "volumes["])
        {
            self.found = Some((path.to_owned(), format!("Secret {name}")));
        }
    }
}
