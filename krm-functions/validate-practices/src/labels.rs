//! Label selectors of Kubernetes objects (`matchLabels`, `matchExpressions`), understood once and asked often:
//! there may be as many of them as there are pods.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// The selectors of a kind of object, each with what it belongs to; by namespace and by what they ask for, so that a pod meets
/// only those that it may be selected by.
#[derive(Debug)]
pub(crate) struct Selectors<T> {
    all: Vec<(LabelSelector, T)>,
    /// By namespace, label and each value that it may have.
    by_value: HashMap<(String, String, String), Vec<usize>>,
    /// By namespace and label, where any value will do.
    by_key: HashMap<(String, String), Vec<usize>>,
    /// Those that ask for no label, by namespace.
    others: HashMap<String, Vec<usize>>,
}

impl<T> Default for Selectors<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            by_value: HashMap::new(),
            by_key: HashMap::new(),
            others: HashMap::new(),
        }
    }
}

impl<T> Selectors<T> {
    pub(crate) fn add(&mut self, namespace: String, selector: LabelSelector, of: T) {
        let number = self.all.len();
        let find = |wanted: fn(&Test) -> bool| selector.requirements.iter().find(|(_, test)| wanted(test));
        let by_value = find(|test| matches!(test, Test::In(_)));
        match by_value.or_else(|| find(|test| matches!(test, Test::Exists))) {
            Some((key, Test::In(values))) => {
                let distinct: BTreeSet<&String> = values.iter().collect();
                for value in distinct {
                    let place = (namespace.clone(), key.clone(), value.clone());
                    self.by_value.entry(place).or_default().push(number);
                }
            }
            Some((key, _)) => self.by_key.entry((namespace, key.clone())).or_default().push(number),
            None => self.others.entry(namespace).or_default().push(number),
        }
        self.all.push((selector, of));
    }

    /// Those that select a pod of the namespace with these labels.
    pub(crate) fn selecting<'s>(&'s self, namespace: &str, labels: &Labels) -> impl Iterator<Item = &'s T> {
        let by_label = labels.iter().flat_map(|(key, value)| {
            let (namespace, key) = (namespace.to_owned(), key.clone());
            let by_value = self.by_value.get(&(namespace.clone(), key.clone(), value.clone()));
            by_value.into_iter().chain(self.by_key.get(&(namespace, key)))
        });
        by_label
            .chain(self.others.get(namespace))
            .flatten()
            .map(|&number| &self.all[number])
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

    #[test]
    fn the_index_finds_what_each_selector_selects() {
        let selectors = [
            "{}",
            "{matchLabels: {app: web}}",
            "{matchExpressions: [{key: app, operator: In, values: [api, web, web]}]}",
            "{matchExpressions: [{key: tier, operator: Exists}]}",
            "{matchExpressions: [{key: app, operator: NotIn, values: [api]}]}",
            "{matchExpressions: [{key: app, operator: In, values: []}]}",
            "{matchLabels: {app: api}}",
        ];
        let text = format!(
            "kind: A\nlist: [{}]\nlabels: {{app: web, tier: \"1\"}}\n",
            selectors.join(", ")
        );
        let stream = krm_fn::Stream::parse(text).unwrap();
        let root = stream.objects().next().unwrap().root();
        let mut all = Selectors::default();
        for (number, node) in root.get("list").unwrap().items().enumerate() {
            all.add("a".to_owned(), LabelSelector::read(node), number);
        }
        let found = |namespace: &str| {
            let mut found: Vec<usize> = all.selecting(namespace, &labels(root.get("labels"))).copied().collect();
            found.sort_unstable();
            found
        };
        assert_eq!(found("a"), [0, 1, 2, 3, 4]);
        assert!(found("b").is_empty());
    }
}
