//! Warns of other policies that allow the same pods every address: policies add up, so that a generated one beside them
//! limits nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use krm_fn::{Finding, Findings, Node, Object, Severity, Stream};

use crate::policy;
use crate::targets::Label;

/// A rule that allows every address on every port.
#[derive(Debug)]
struct WideRule<'a> {
    policy: Object<'a>,
    /// What the labels of its pods must be, sorted; none = every pod of the namespace.
    labels: Vec<Label>,
    at: usize,
    node: Node<'a>,
}

/// The wide rules of a stream, by namespace and first label, so that a workload meets only those that it may have.
#[derive(Debug)]
pub(crate) struct WideRules<'a> {
    rules: BTreeMap<(Option<String>, Option<Label>), Vec<WideRule<'a>>>,
}

impl<'a> WideRules<'a> {
    /// Finds them. Policies that select by `matchExpressions` are not looked at.
    pub(crate) fn find(stream: &'a Stream) -> Self {
        let mut found = BTreeMap::new();
        for policy in stream.objects().filter(|object| policy::is_policy(*object)) {
            let root = policy.root();
            if !is_empty(root.at(&["spec", "podSelector", "matchExpressions"])) {
                continue;
            }
            let rules = root.at(&["spec", "egress"]).into_iter().flat_map(Node::items);
            for (at, node) in rules.map(Node::resolve).enumerate().filter(|(_, rule)| is_wide(*rule)) {
                let text = |node: Node<'_>| node.resolve().text().unwrap_or_default().into_owned();
                let labels = root.at(&["spec", "podSelector", "matchLabels"]);
                let labels = labels.into_iter().flat_map(Node::entries);
                let mut labels: Vec<Label> = labels.map(|(key, value)| (text(key), text(value))).collect();
                labels.sort();
                let place = (policy.namespace().map(Cow::into_owned), labels.first().cloned());
                let rules: &mut Vec<WideRule<'a>> = found.entry(place).or_default();
                rules.push(WideRule {
                    policy,
                    labels,
                    at,
                    node,
                });
            }
        }
        Self { rules: found }
    }

    /// Notes those that select the pods of a workload, which have these labels; each rule once.
    pub(crate) fn warn(&mut self, workload: Object<'_>, labels: &[Label], findings: &mut Findings) {
        for first in std::iter::once(None).chain(labels.iter().cloned().map(Some)) {
            let place = (workload.namespace().map(Cow::into_owned), first);
            let Some(rules) = self.rules.get_mut(&place) else {
                continue;
            };
            rules.retain(|rule| {
                let selects = rule.labels.iter().all(|label| labels.contains(label));
                if selects {
                    findings.push(rule.beside(workload));
                }
                !selects
            });
        }
    }
}

impl WideRule<'_> {
    fn beside(&self, workload: Object<'_>) -> Finding {
        let message = format!(
            "this rule allows the pods of {workload} every address, and policies add up, so that the generated one limits \
             nothing. To fix: remove the rule, or give it the ports that it is for"
        );
        Finding::new(Severity::Warning, message)
            .of(self.policy)
            .field(format!("spec.egress[{}]", self.at))
            .at(self.node.position())
    }
}

fn is_wide(rule: Node<'_>) -> bool {
    let every_address = |peer: Node<'_>| {
        let cidr = peer.text_at(&["ipBlock", "cidr"]);
        cidr.is_some_and(|cidr| cidr == "0.0.0.0/0" || cidr == "::/0")
    };
    let to = rule.at(&["to"]);
    is_empty(rule.at(&["ports"])) && (is_empty(to) || to.is_some_and(|to| to.items().any(every_address)))
}

fn is_empty(list: Option<Node<'_>>) -> bool {
    list.is_none_or(|list| list.items().next().is_none())
}
