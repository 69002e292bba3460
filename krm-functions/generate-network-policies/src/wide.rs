//! Warns of other policies that allow the same pods every address: policies add up, so that a generated one beside them
//! limits nothing.

use krm_fn::{Finding, Findings, Node, Object, Severity, Stream};

use crate::policy;
use crate::targets::Target;

/// A rule that allows every address on every port.
#[derive(Debug)]
pub(crate) struct WideRule<'a> {
    policy: Object<'a>,
    namespace: Option<String>,
    /// What its pods' labels must be; none = every pod of the namespace.
    labels: Vec<(String, String)>,
    at: usize,
    node: Node<'a>,
    noted: bool,
}

/// The wide rules of the stream. Policies that select by `matchExpressions` are not looked at.
pub(crate) fn find(stream: &Stream) -> Vec<WideRule<'_>> {
    let mut found = Vec::new();
    for policy in stream.objects().filter(|object| policy::is_policy(*object)) {
        let root = policy.root();
        if !is_empty(root.at(&["spec", "podSelector", "matchExpressions"])) {
            continue;
        }
        let rules = root.at(&["spec", "egress"]).into_iter().flat_map(Node::items);
        for (at, node) in rules.map(Node::resolve).enumerate().filter(|(_, rule)| is_wide(*rule)) {
            let labels = root.at(&["spec", "podSelector", "matchLabels"]);
            let labels = labels.into_iter().flat_map(Node::entries);
            let text = |node: Node<'_>| node.resolve().text().unwrap_or_default().into_owned();
            found.push(WideRule {
                policy,
                namespace: policy.namespace().map(std::borrow::Cow::into_owned),
                labels: labels.map(|(key, value)| (text(key), text(value))).collect(),
                at,
                node,
                noted: false,
            });
        }
    }
    found
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

/// Notes the wide rules that select the workload's pods, each rule once.
pub(crate) fn warn(target: Target<'_>, rules: &mut [WideRule<'_>], findings: &mut Findings) {
    let namespace = target.object.namespace();
    for rule in rules.iter_mut().filter(|rule| !rule.noted) {
        rule.noted = rule.namespace.as_deref() == namespace.as_deref()
            && rule.labels.iter().all(|(key, value)| target.has_label(key, value));
        if rule.noted {
            let message = format!(
                "this rule allows the pods of {} every address, and policies add up, so that the generated one limits \
                 nothing. To fix: remove the rule, or give it the ports that it is for",
                target.object
            );
            let finding = Finding::new(Severity::Warning, message).of(rule.policy);
            findings.push(
                finding
                    .field(format!("spec.egress[{}]", rule.at))
                    .at(rule.node.position()),
            );
        }
    }
}
