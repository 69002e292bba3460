//! The contract's addresses and ports as rules of a NetworkPolicy.

use std::net::IpAddr;

use contract_source::Contract;
use endpoint_contract::{HostPort, Origin, Protocol, View};
use krm_fn::{Error, Value};

use crate::config::{Config, Dns};
use crate::network::Network;

/// The whole `egress`: name resolution, then one rule for each protocol.
pub(crate) fn rules(contract: &Contract, config: &Config) -> Result<Vec<Value>, Error> {
    let protocols = contract.protocols(config.protocols.as_deref())?;
    if protocols.is_empty() {
        return Err(Error::refused(
            "the environment offers no endpoint, so there is nothing to allow",
            "add one in Terraform, or list one in `spec.protocols`",
        ));
    }
    let idle = Protocol::ALL
        .into_iter()
        .find(|one| !protocols.contains(one) && !config.cidrs.of(*one).is_empty());
    if let Some(protocol) = idle {
        return Err(Error::refused(
            format!("spec.cidrs.{protocol} is set, but there is no {protocol} endpoint to allow"),
            format!("remove it, add {protocol} to the environment, or list it in `spec.protocols`"),
        ));
    }
    let mut rules = vec![dns(&config.dns)?];
    for protocol in protocols {
        let (host, port) = address(contract, protocol, config.view)?;
        let mut networks = networks(config.cidrs.of(protocol), &format!("spec.cidrs.{protocol}"))?;
        match host.parse::<IpAddr>() {
            // `::ffff:10.0.0.1` reaches 10.0.0.1, and is written so in a policy.
            Ok(address) => networks.insert(0, Network::of(address.to_canonical())),
            Err(_) if networks.is_empty() => {
                let object = contract.environment.as_ref();
                let object = object.map_or_else(String::new, |name| format!("{} {name}: ", endpoint_contract::KIND));
                let field = if protocol == Protocol::S3 { "url" } else { "address" };
                return Err(Error::refused(
                    format!(
                        "{object}spec.endpoints.{protocol}.{}.{field}: {host:?} is a DNS name, and a NetworkPolicy can \
                         allow IP addresses only",
                        config.view
                    ),
                    format!("give the networks behind the name in `spec.cidrs.{protocol}`, such as [10.20.0.0/16]"),
                ));
            }
            Err(_) => {}
        }
        rules.push(rule(peers(networks), &[(port, "TCP")]));
    }
    Ok(rules)
}

/// The endpoint's host and TCP port as seen from one side.
fn address(contract: &Contract, protocol: Protocol, view: View) -> Result<(String, u16), Error> {
    let endpoints = &contract.endpoints;
    let of_pair = |at: &HostPort| (at.address.clone(), at.port);
    let found = match protocol {
        Protocol::Postgres => endpoints.postgres.as_ref().and_then(|one| match view {
            View::Host => Some(of_pair(&one.host)),
            View::Cluster => one.cluster.as_ref().map(of_pair),
        }),
        Protocol::Redis => endpoints.redis.as_ref().and_then(|one| match view {
            View::Host => Some(of_pair(&one.host)),
            View::Cluster => one.cluster.as_ref().map(of_pair),
        }),
        Protocol::S3 => endpoints.s3.as_ref().and_then(|one| match view {
            View::Host => of_origin(&one.host),
            View::Cluster => one.cluster.as_ref().and_then(of_origin),
        }),
    };
    found.ok_or_else(|| {
        let error = endpoint_contract::ContractError::MissingView { protocol, view };
        Error::Failed(error.to_string())
    })
}

/// Host and port of a URL that the contract has checked; without a port, the scheme's own.
fn of_origin(origin: &Origin) -> Option<(String, u16)> {
    let (scheme, rest) = origin.url.split_once("://")?;
    let authority = rest.split_once('/').map_or(rest, |(authority, _)| authority);
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None if scheme == "https" => 443,
        None => 80,
    };
    Some((host.to_owned(), port))
}

fn networks(texts: &[String], field: &str) -> Result<Vec<Network>, Error> {
    texts
        .iter()
        .enumerate()
        .map(|(at, text)| Network::parse(text, &format!("{field}[{at}]")))
        .collect()
}

/// Each network once, in the order given.
fn peers(networks: Vec<Network>) -> Vec<Value> {
    let mut seen: Vec<Network> = Vec::new();
    for network in networks {
        if !seen.contains(&network) {
            seen.push(network);
        }
    }
    seen.into_iter().map(Network::peer).collect()
}

/// Names are resolved by the cluster's own pods, and by the addresses that the user adds.
fn dns(dns: &Dns) -> Result<Value, Error> {
    if dns.port == 0 {
        return Err(Error::refused(
            "spec.dns.port: 0 is no port that can be connected to",
            "set a port between 1 and 65535, or remove it for 53",
        ));
    }
    let namespace = Value::map([("kubernetes.io/metadata.name", dns.namespace.as_str())]);
    let pods = Value::map(dns.pod_labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    let mut to = vec![Value::map([
        ("namespaceSelector", Value::map([("matchLabels", namespace)])),
        ("podSelector", Value::map([("matchLabels", pods)])),
    ])];
    to.extend(peers(networks(&dns.cidrs, "spec.dns.cidrs")?));
    Ok(rule(to, &[(dns.port, "UDP"), (dns.port, "TCP")]))
}

fn rule(to: Vec<Value>, ports: &[(u16, &str)]) -> Value {
    let ports = ports
        .iter()
        .map(|&(port, protocol)| Value::map([("port", Value::Int(port.into())), ("protocol", Value::from(protocol))]))
        .collect();
    Value::map([("ports", Value::Seq(ports)), ("to", Value::Seq(to))])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_without_port_has_that_of_its_scheme() {
        for (url, host, port) in [
            ("http://127.0.0.1:18333", "127.0.0.1", 18333),
            (
                "https://s3.eu-central-1.amazonaws.com",
                "s3.eu-central-1.amazonaws.com",
                443,
            ),
            ("http://10.0.0.1", "10.0.0.1", 80),
            ("http://[fd00::1]:9000", "fd00::1", 9000),
            ("https://[fd00::1]", "fd00::1", 443),
            ("https://example.test/storage/v1/s3", "example.test", 443),
        ] {
            let origin = Origin { url: url.to_owned() };
            assert_eq!(of_origin(&origin), Some((host.to_owned(), port)), "{url}");
        }
    }
}
