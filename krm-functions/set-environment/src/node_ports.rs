//! The ports that Services have on every node: no two may have the same.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use krm_fn::{Error, Node, Object};

use crate::config::{Exposure, Service};
use crate::work::Work;

/// What a cluster gives out unless its operator has set another range.
pub(crate) const RANGE: RangeInclusive<i64> = 30_000..=32_767;

/// Refuses node ports out of range, or of a Service that has none.
pub(crate) fn check(place: &str, entry: &Service) -> Result<(), Error> {
    if entry.r#type != Exposure::NodePort && !entry.node_ports.is_empty() {
        return Err(Error::refused(
            format!("{place}.nodePorts has no meaning with type {}", entry.r#type.name()),
            "set `type: NodePort`, or remove `nodePorts`",
        ));
    }
    for (port, &number) in &entry.node_ports {
        if !RANGE.contains(&number) {
            return Err(Error::refused(
                format!("{place}.nodePorts.{port}: {number} is no node port"),
                format!("choose one from {} to {}", RANGE.start(), RANGE.end()),
            ));
        }
    }
    Ok(())
}

/// Who has which node port when all is done. Node ports are the cluster's: namespaces do not matter.
#[derive(Debug, Default)]
pub(crate) struct Taken<'a> {
    by: HashMap<String, (Object<'a>, String, String)>,
}

impl<'a> Taken<'a> {
    /// Notes that a port of a Service, the one at `at`, has a node port. The ports of one Service may share it when their
    /// protocols differ.
    pub(crate) fn note(
        &mut self,
        service: Object<'a>,
        (at, port): (usize, Node<'a>),
        number: String,
        work: &mut Work<'_>,
    ) {
        let protocol = port.text_at(&["protocol"]).unwrap_or("TCP".into());
        self.take(service, format!("spec.ports[{at}].nodePort"), &protocol, number, work);
    }

    /// Notes the port by which a load balancer asks a node after the Service: the API server gives it out of the same
    /// range, and no protocol shares it.
    pub(crate) fn note_health_check(&mut self, service: Object<'a>, work: &mut Work<'_>) {
        let number = service.root().text_at(&["spec", "healthCheckNodePort"]);
        if let Some(number) = number.filter(|number| number != "0") {
            let field = "spec.healthCheckNodePort".to_owned();
            self.take(service, field, "", number.into_owned(), work);
        }
    }

    /// An empty protocol is every one.
    fn take(&mut self, service: Object<'a>, field: String, protocol: &str, number: String, work: &mut Work<'_>) {
        if let Some((other, other_protocol, other_field)) = self.by.get(&number) {
            let shared = *other == service && ![protocol, other_protocol].contains(&"") && *other_protocol != protocol;
            if !shared {
                work.refuse(
                    service,
                    &field,
                    format!(
                        "node port {number} is that of {other} already ({other_field}). To fix: give one of them another \
                         node port, from {} to {}",
                        RANGE.start(),
                        RANGE.end()
                    ),
                );
            }
            return;
        }
        self.by.insert(number, (service, protocol.to_owned(), field));
    }
}
