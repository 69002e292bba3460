//! Where values come from: an annotation on every workload, for people and for `mlplat explain`.
//!
//! `provenance.mlplat.dev/<metadata.name of the configuration>` holds JSON:
//!
//! ```json
//! {"function": "inject-endpoints", "contract": "local", "view": "host",
//!  "containers": {"spec.template.spec.containers[0]": {"name": "backend", "variables": {
//!    "PGHOST": "contract:postgres.host.address", "LOG_URL": "config:variables[0]", "PGPORT": "kept"}}}}
//! ```
//!
//! `contract` is missing where the endpoints stand in the configuration. A variable's origin is `contract:` and a path
//! below `spec.endpoints` of the contract, `config:` and a path below `spec` of the configuration, or `kept`: the
//! container's own value, which `onConflict: Keep` left.

use endpoint_contract::View;
use krm_fn::workload::Container;
use krm_fn::{EditError, Edits, Object, Value};

use crate::environment::Injection;

/// The group of the annotations' names.
const GROUP: &str = "provenance.mlplat.dev";

/// What all annotations of a run say.
#[derive(Debug)]
pub(crate) struct Provenance {
    annotation: String,
    contract: Option<String>,
    view: View,
}

impl Provenance {
    /// For a configuration of this name.
    pub(crate) fn new(config_name: &str, contract: Option<&str>, view: View) -> Self {
        let name = if config_name.is_empty() {
            "inject-endpoints"
        } else {
            config_name
        };
        Self {
            annotation: format!("{GROUP}/{name}"),
            contract: contract.map(str::to_owned),
            view,
        }
    }

    /// Notes the edit that annotates a workload. `containers`: each with the variables that were kept.
    pub(crate) fn annotate(
        &self,
        object: Object<'_>,
        injection: &Injection,
        containers: &[(Container<'_>, Vec<String>)],
        edits: &mut Edits,
    ) -> Result<(), EditError> {
        let of_container = |(container, kept): &(Container<'_>, Vec<String>)| {
            let variables = injection.wanted.iter().map(|wanted| {
                let origin = if kept.contains(&wanted.name) {
                    "kept"
                } else {
                    wanted.origin.as_str()
                };
                (wanted.name.as_str(), origin)
            });
            let about = [
                ("name", Value::from(container.name.as_str())),
                ("variables", Value::map(variables)),
            ];
            (container.path.clone(), Value::map(about))
        };
        let mut about = vec![("function".to_owned(), Value::from("inject-endpoints"))];
        about.extend(
            self.contract
                .as_ref()
                .map(|name| ("contract".to_owned(), Value::from(name.as_str()))),
        );
        about.push(("view".to_owned(), Value::from(self.view.to_string())));
        let containers = containers.iter().map(of_container).collect();
        about.push(("containers".to_owned(), Value::Map(containers)));
        set(object, &self.annotation, &Value::Map(about).to_json(), edits)
    }
}

/// Sets an annotation, unless it says so already.
fn set(object: Object<'_>, name: &str, text: &str, edits: &mut Edits) -> Result<(), EditError> {
    let there = |key| object.root().at(&["metadata", key]).filter(|node| !node.is_null());
    if object.annotation(name).is_some_and(|found| found == text) {
        return Ok(());
    }
    let root = object.root();
    let annotation = Value::map([(name, text)]);
    match (
        root.get("metadata").filter(|node| !node.is_null()),
        there("annotations"),
    ) {
        (_, Some(annotations)) => edits.set(annotations, name, &Value::from(text)),
        (Some(metadata), None) => edits.set(metadata, "annotations", &annotation),
        (None, None) => edits.set(root, "metadata", &Value::map([("annotations", annotation)])),
    }
}
