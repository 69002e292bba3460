//! Class, annotations and TLS of Ingresses.

use std::borrow::Cow;
use std::collections::HashSet;

use krm_fn::{Error, Node, Object, Value};

use crate::config::Ingress;
use crate::ingress_plan::{Plan, plan};
use crate::meant::Meant;
use crate::work::Work;

/// Serves every Ingress as the last entry says that takes it.
pub(crate) fn apply(entries: &[Ingress], work: &mut Work<'_>) -> Result<(), Error> {
    let mut plans = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let place = format!("spec.ingresses[{at}]");
        let plan = plan(&place, entry)?;
        plans.push((plan, Meant::of_objects(place, &entry.selectors)?));
    }
    if entries.is_empty() {
        return Ok(());
    }
    let is_ingress = |object: &Object<'_>| object.kind() == "Ingress" && object.group() == "networking.k8s.io";
    for object in work.stream.objects().filter(is_ingress) {
        let mut last = None;
        for (at, (_, meant)) in plans.iter_mut().enumerate() {
            if meant.takes(object) {
                last = Some(at);
            }
        }
        if let Some((plan, meant)) = last.map(|at| &mut plans[at]) {
            meant.decides = true;
            serve(object, plan, work);
        }
    }
    work.tell_unused(plans.iter().map(|(_, meant)| meant), "Ingress", is_ingress);
    Ok(())
}

fn serve(object: Object<'_>, plan: &Plan<'_>, work: &mut Work<'_>) {
    let root = object.root();
    let (Some(metadata), Some(spec)) = (root.at(&["metadata"]), root.at(&["spec"])) else {
        return work.refuse(
            object,
            "spec",
            "it is missing. To fix: write the Ingress's rules".to_owned(),
        );
    };
    if let Some(class) = plan.class {
        let outcome = work.set(spec, "ingressClassName", &Value::from(class));
        work.note(object, "spec.ingressClassName", outcome);
    }
    annotate(object, metadata, plan, work);
    let Some(tls) = plan.tls else { return };
    let outcome = match &tls.secret_name {
        // The load balancer has the certificate; a Secret of the base is not there in this environment.
        None => work.edits.unset(spec, &["tls"]),
        Some(secret) => {
            let mut one = Vec::new();
            let hosts = tls.hosts.clone().unwrap_or_else(|| hosts_of(spec));
            if !hosts.is_empty() {
                let hosts = hosts.into_iter().map(Value::from).collect();
                one.push(("hosts".to_owned(), Value::Seq(hosts)));
            }
            one.push(("secretName".to_owned(), Value::from(secret.as_str())));
            work.set(spec, "tls", &Value::Seq(vec![Value::Map(one)]))
        }
    };
    work.note(object, "spec.tls", outcome);
}

fn annotate(object: Object<'_>, metadata: Node<'_>, plan: &Plan<'_>, work: &mut Work<'_>) {
    let field = "metadata.annotations";
    let is_unwanted = |key: Node<'_>| {
        key.text()
            .is_some_and(|key| plan.unwanted.iter().any(|name| *name == key))
    };
    let there = metadata
        .get("annotations")
        .filter(|there| there.entries().any(|(key, _)| is_unwanted(key)));
    let outcome = match there {
        None => work.set_below(metadata, "annotations", &plan.annotations),
        // A mapping that loses all it has is written anew.
        Some(there) if there.entries().all(|(key, _)| is_unwanted(key)) => {
            let annotations = Value::Map(plan.annotations.clone());
            work.edits.set(metadata, "annotations", &annotations)
        }
        Some(there) => work
            .edits
            .unset(there, &plan.unwanted)
            .and_then(|()| work.set_below(metadata, "annotations", &plan.annotations)),
    };
    work.note(object, field, outcome);
}

/// The hosts of the rules, each once.
fn hosts_of(spec: Node<'_>) -> Vec<String> {
    let mut seen = HashSet::new();
    let rules = spec.at(&["rules"]).into_iter().flat_map(Node::items);
    rules
        .filter_map(|rule| rule.text_at(&["host"]))
        .filter(|host| !host.is_empty() && seen.insert(host.clone()))
        .map(Cow::into_owned)
        .collect()
}
