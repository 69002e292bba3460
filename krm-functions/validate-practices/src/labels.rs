//! Label selectors of Kubernetes objects (`matchLabels`, `matchExpressions`), understood once and asked often:
//! there may be as many of them as there are pods.

use std::collections::{BTreeMap, HashMap};

use krm_fn::Node;

/// The labels of a pod.
pub(crate) type Labels = BTreeMap<String, String>;

/// A selector; the empty one selects everything.
#[derive(Debug, Default)]
pub(crate) struct LabelSelector {
    requirements: Vec<(String, Test)>,
}

#[derive(Debug)]
enum Test {
    In(Vec<String>),
    /// Met by a pod without the label, too.
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    /// An operator that Kubernetes refuses: selects nothing.
    Unknown,
}

/// The labels of a `labels` mapping.
pub(crate) fn labels(node: Option<Node<'_>>) -> Labels {
    node.into_iter()
        .flat_map(Node::entries)
        .filter_map(|(key, value)| Some((key.text()?.into_owned(), value.resolve().text()?.into_owned())))
        .collect()
}

impl LabelSelector {
    /// Reads a `labelSelector` mapping.
    pub(crate) fn read(node: Node<'_>) -> Self {
        let equal = labels(node.at(&["matchLabels"]))
            .into_iter()
            .map(|(key, value)| (key, Test::In(vec![value])));
        let expressions = node.at(&["matchExpressions"]).into_iter().flat_map(Node::items);
        let tests = expressions.map(|expression| {
            let values = || {
                let values = expression.at(&["values"]).into_iter().flat_map(Node::items);
                values.filter_map(|value| Some(value.text()?.into_owned())).collect()
            };
            let test = match expression.text_at(&["operator"]).as_deref() {
                Some("In") => Test::In(values()),
                Some("NotIn") => Test::NotIn(values()),
                Some("Exists") => Test::Exists,
                Some("DoesNotExist") => Test::DoesNotExist,
                _ => Test::Unknown,
            };
            (expression.text_at(&["key"]).unwrap_or_default().into_owned(), test)
        });
        Self {
            requirements: equal.chain(tests).collect(),
        }
    }

    /// Whether a pod with these labels is selected.
    pub(crate) fn selects(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|(key, test)| {
            let value = labels.get(key);
            match test {
                Test::In(values) => value.is_some_and(|value| values.contains(value)),
                Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
                Test::Exists => value.is_some(),
                Test::DoesNotExist => value.is_none(),
                Test::Unknown => false,
            }
        })
    }
}

/// The selectors of a kind of object, by namespace and by a label that they ask for, each with what it belongs to.
#[derive(Debug)]
pub(crate) struct Selectors<T> {
    /// By namespace, label and value.
    by_label: HashMap<(String, String, String), Vec<(LabelSelector, T)>>,
    /// Those that ask for no label's value, by namespace.
    others: HashMap<String, Vec<(LabelSelector, T)>>,
}

impl<T> Default for Selectors<T> {
    fn default() -> Self {
        Self {
            by_label: HashMap::new(),
            others: HashMap::new(),
        }
    }
}

impl<T> Selectors<T> {
    pub(crate) fn add(&mut self, namespace: String, selector: LabelSelector, of: T) {
        let wanted = selector.requirements.iter().find_map(|(key, test)| match test {
            Test::In(values) => match values.as_slice() {
                [value] => Some((key.clone(), value.clone())),
                _ => None,
            },
            Test::NotIn(_) | Test::Exists | Test::DoesNotExist | Test::Unknown => None,
        });
        match wanted {
            Some((key, value)) => self.by_label.entry((namespace, key, value)).or_default().push((selector, of)),
            None => self.others.entry(namespace).or_default().push((selector, of)),
        }
    }

    /// Those that select a pod of the namespace with these labels.
    pub(crate) fn selecting<'s>(&'s self, namespace: &str, labels: &Labels) -> impl Iterator<Item = &'s T> {
        let by_label = labels.iter().filter_map(|(key, value)| {
            let place = (namespace.to_owned(), key.clone(), value.clone());
            self.by_label.get(&place)
        });
        by_label
            .chain(self.others.get(namespace))
            .flatten()
            .filter(|(selector, _)| selector.selects(labels))
            .map(|(_, of)| of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selects(selector: &str) -> bool {
        let text = format!("kind: A\nlabels: {{app: web, tier: \"1\"}}\nselector: {selector}\n");
        let stream = krm_fn::Stream::parse(text).unwrap();
        let root = stream.objects().next().unwrap().root();
        LabelSelector::read(root.get("selector").unwrap()).selects(&labels(root.get("labels")))
    }

    #[test]
    fn selectors_mean_what_kubernetes_means() {
        for selector in [
            "{}",
            "{matchLabels: {app: web}}",
            "{matchLabels: {tier: \"1\"}, matchExpressions: [{key: app, operator: In, values: [api, web]}]}",
            "{matchExpressions: [{key: gone, operator: NotIn, values: [a]}, {key: gone, operator: DoesNotExist}]}",
            "{matchExpressions: [{key: app, operator: Exists}]}",
        ] {
            assert!(selects(selector), "{selector}");
        }
        for selector in [
            "{matchLabels: {app: web, gone: a}}",
            "{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}",
            "{matchExpressions: [{key: gone, operator: Exists}]}",
            "{matchExpressions: [{key: app, operator: DoesNotExist}]}",
            "{matchExpressions: [{key: app, operator: Equals, values: [web]}]}",
        ] {
            assert!(!selects(selector), "{selector}");
        }
    }
}
