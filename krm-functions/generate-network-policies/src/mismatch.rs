//! Warns of containers that are told to connect elsewhere than their policy allows, as with another `view`.

use contract_source::Contract;
use endpoint_contract::{Profile, VariableValue};
use krm_fn::{Error, Finding, Findings, Node, Severity};

use crate::config::Config;
use crate::targets::{ADDRESSES, Target};

/// The variables that say where the allowed endpoints are, and no secret.
pub(crate) fn addresses(contract: &Contract, config: &Config) -> Result<Vec<(&'static str, String)>, Error> {
    let protocols = contract.protocols(config.protocols.as_deref())?;
    let variables = contract
        .endpoints
        .variables_of(&protocols, &Profile::ALL, config.view)
        .map_err(|error| Error::Failed(error.to_string()))?;
    let literals = variables.into_iter().filter_map(|variable| match variable.value {
        VariableValue::Literal(text) => Some((variable.name, text)),
        VariableValue::Composed(_) | VariableValue::SecretKey(_) => None,
    });
    Ok(literals.filter(|(name, _)| ADDRESSES.contains(name)).collect())
}

/// Notes every such variable of a workload that has another value.
pub(crate) fn warn(target: &Target<'_>, addresses: &[(&'static str, String)], findings: &mut Findings) {
    for container in target.containers() {
        let list = container.holder.and_then(|holder| holder.at(&[container.key.as_ref()]));
        for (at, entry) in list.into_iter().flat_map(Node::items).enumerate() {
            let (Some(name), Some(value)) = (entry.text_at(&["name"]), entry.text_at(&["value"])) else {
                continue;
            };
            // `$(NAME)` may come to the same.
            let other = |(known, text): &&(&str, String)| *known == name && *text != value && !value.contains("$(");
            if let Some((name, allowed)) = addresses.iter().find(other) {
                let message = format!(
                    "{name} is not {allowed:?}, which the policy allows: the pods cannot connect. To fix: give \
                     inject-endpoints and this function the same environment and `view`"
                );
                let finding = Finding::new(Severity::Warning, message).of(target.object);
                findings.push(
                    finding
                        .field(format!("{}.{}[{at}]", container.path, container.key))
                        .at(entry.position()),
                );
            }
        }
    }
}
