//! Exposure of Services: their type, fixed node ports, and no field that the type does not allow.

use krm_fn::{EditError, Error, Node, Object, Value};

use crate::config::{Exposure, Service};
use crate::meant::Meant;
use crate::node_ports::{self, Taken};
use crate::work::Work;

/// Fields of `spec` that Kubernetes refuses unless the type is LoadBalancer.
const OF_LOAD_BALANCERS: &[&str] = &[
    "allocateLoadBalancerNodePorts",
    "healthCheckNodePort",
    "loadBalancerClass",
    "loadBalancerIP",
    "loadBalancerSourceRanges",
];

/// Exposes every Service as the last entry says that takes it.
pub(crate) fn apply(entries: &[Service], work: &mut Work<'_>) -> Result<(), Error> {
    let mut meant = Vec::with_capacity(entries.len());
    for (at, entry) in entries.iter().enumerate() {
        let place = format!("spec.services[{at}]");
        node_ports::check(&place, entry)?;
        meant.push(Meant::of_objects(place, &entry.selectors)?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let mut taken = Taken::default();
    for object in work.stream.objects().filter(|object| is_service(*object)) {
        let hidden = hidden(object);
        let mut last = None;
        for (at, meant) in meant.iter_mut().enumerate() {
            if (hidden.is_none() || !meant.is_all()) && meant.takes(object) {
                last = Some(at);
            }
        }
        let chosen = last.map(|at| {
            meant[at].decides = true;
            (&entries[at], meant[at].place.as_str())
        });
        match (chosen, hidden) {
            (Some((entry, place)), Some(why)) if entry.r#type != Exposure::ClusterIp || why == EXTERNAL => work.refuse(
                object,
                "spec",
                format!(
                    "{place} takes it, but it is {why} and cannot be exposed. To fix: leave it out of the selectors"
                ),
            ),
            (Some((entry, place)), _) => expose(object, entry, place, &mut taken, work),
            (None, _) => {
                taken.note_health_check(object, work);
                for (at, port) in ports(object).enumerate() {
                    if let Some(number) = number_of(port) {
                        taken.note(object, (at, port), number, work);
                    }
                }
            }
        }
    }
    work.tell_unused(&meant, "Service", |object| is_service(*object));
    Ok(())
}

const EXTERNAL: &str = "of type ExternalName";

fn is_service(object: Object<'_>) -> bool {
    object.kind() == "Service" && object.api_version() == "v1"
}

/// Why a Service cannot be exposed.
fn hidden(object: Object<'_>) -> Option<&'static str> {
    let says = |key, value| object.root().text_at(&["spec", key]).is_some_and(|text| text == value);
    if says("type", "ExternalName") {
        return Some(EXTERNAL);
    }
    says("clusterIP", "None").then_some("headless (`clusterIP: None`)")
}

fn ports(object: Object<'_>) -> impl Iterator<Item = Node<'_>> {
    let ports = object.root().at(&["spec", "ports"]);
    ports.into_iter().flat_map(Node::items)
}

fn number_of(port: Node<'_>) -> Option<String> {
    port.text_at(&["nodePort"])
        .filter(|number| number != "0")
        .map(|number| number.into_owned())
}

fn expose<'a>(object: Object<'a>, entry: &Service, place: &str, taken: &mut Taken<'a>, work: &mut Work<'_>) {
    let Some(spec) = object.root().at(&["spec"]) else {
        return work.refuse(
            object,
            "spec",
            "it is missing. To fix: write the Service's ports".to_owned(),
        );
    };
    let is_default = entry.r#type == Exposure::ClusterIp && spec.at(&["type"]).is_none();
    if !is_default {
        let outcome = work.set(spec, "type", &Value::from(entry.r#type.name()));
        work.note(object, "spec.type", outcome);
    }
    let outcome = unset_refused(spec, entry.r#type, work);
    work.note(object, "spec", outcome);
    // The other types lose it.
    if entry.r#type == Exposure::LoadBalancer {
        taken.note_health_check(object, work);
    }
    let mut fixed: Vec<&String> = Vec::new();
    for (at, port) in ports(object).enumerate() {
        let field = format!("spec.ports[{at}].nodePort");
        if entry.r#type != Exposure::NodePort {
            let outcome = work.edits.unset(port, &["nodePort"]);
            work.note(object, &field, outcome);
            continue;
        }
        let (name, number) = (port.text_at(&["name"]), port.text_at(&["port"]));
        let wanted = entry
            .node_ports
            .iter()
            .find(|(key, _)| [&name, &number].into_iter().flatten().any(|text| text == key.as_str()));
        if let Some((key, number)) = wanted {
            fixed.push(key);
            let outcome = work.set(port, "nodePort", &Value::Int(*number));
            work.note(object, &field, outcome);
        }
        let number = wanted.map(|(_, number)| number.to_string()).or_else(|| number_of(port));
        if let Some(number) = number {
            taken.note(object, (at, port), number, work);
        }
    }
    for key in entry.node_ports.keys().filter(|key| !fixed.contains(key)) {
        let message = format!(
            "no port is named or numbered `{key}`, as {place}.nodePorts says. To fix: correct the name, or take this \
             Service out of the selectors"
        );
        work.refuse(object, "spec.ports", message);
    }
}

/// Takes away what Kubernetes refuses beside the type.
fn unset_refused(spec: Node<'_>, exposure: Exposure, work: &mut Work<'_>) -> Result<(), EditError> {
    let mut keys = Vec::new();
    if exposure != Exposure::LoadBalancer {
        keys.extend(OF_LOAD_BALANCERS);
    }
    // A ClusterIP Service has outside traffic only by its own external addresses.
    if exposure == Exposure::ClusterIp && spec.at(&["externalIPs"]).is_none_or(|ips| ips.items().next().is_none()) {
        keys.push("externalTrafficPolicy");
    }
    work.edits.unset(spec, &keys)
}
