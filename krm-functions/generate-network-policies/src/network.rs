//! IP networks in CIDR notation, as an `ipBlock` holds them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use krm_fn::{Error, Value};

/// Where clouds hand out the node's own credentials; no endpoint is there.
const METADATA: [Network; 2] = [
    Network::of(IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254))),
    Network::of(IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254))),
];

/// An address and how many of its first bits count; the others are 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// One address.
    pub(crate) const fn of(address: IpAddr) -> Self {
        let bits = match address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        };
        Self { address, bits }
    }

    /// Reads CIDR notation; `field` is where it stands.
    pub(crate) fn parse(text: &str, field: &str) -> Result<Self, Error> {
        let parsed = text.split_once('/').and_then(|(address, bits)| {
            let address: IpAddr = address.parse().ok()?;
            // Kubernetes refuses `+8` and `08`.
            let plain = bits == "0" || (!bits.starts_with(['0', '+']));
            let bits = bits
                .parse()
                .ok()
                .filter(|bits| plain && *bits <= Self::of(address).bits)?;
            Some(Self { address, bits })
        });
        let Some(network) = parsed else {
            return Err(Error::refused(
                format!("{field}: {text:?} is no network in CIDR notation"),
                "write address and prefix length, such as 10.20.0.0/16, 10.20.0.5/32 or fd00:20::/64",
            ));
        };
        let whole = Self {
            address: network.first(),
            ..network
        };
        if whole != network {
            return Err(Error::refused(
                format!("{field}: {text:?} has bits behind its prefix, so it may mean an address or a network"),
                format!(
                    "write {whole} for the network, or {} for the address",
                    Self::of(network.address)
                ),
            ));
        }
        Ok(network)
    }

    /// The address with all bits behind the prefix 0.
    fn first(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - self.bits).unwrap_or(0);
                IpAddr::V4((address.to_bits() & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - self.bits).unwrap_or(0);
                IpAddr::V6((address.to_bits() & mask).into())
            }
        }
    }

    /// Whether `other` is a smaller part of this network.
    fn holds(self, other: Self) -> bool {
        let same_family = self.address.is_ipv4() == other.address.is_ipv4();
        same_family
            && self.bits < other.bits
            && Self {
                bits: self.bits,
                ..other
            }
            .first()
                == self.address
    }

    /// The network as a peer of a rule.
    pub(crate) fn peer(self) -> Value {
        let mut block = vec![("cidr".to_owned(), Value::from(self.to_string()))];
        let except: Vec<Value> = METADATA
            .iter()
            .filter(|metadata| self.holds(**metadata))
            .map(|metadata| Value::from(metadata.to_string()))
            .collect();
        if !except.is_empty() {
            block.push(("except".to_owned(), Value::Seq(except)));
        }
        Value::map([("ipBlock", Value::Map(block))])
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Network, String> {
        Network::parse(text, "spec.cidrs.s3[0]").map_err(|error| error.to_string())
    }

    #[test]
    fn networks_are_written_as_they_are_read() {
        for text in [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.1.2.3/32",
            "::/0",
            "fd00:20::/64",
            "::1/128",
        ] {
            assert_eq!(parse(text).map(|network| network.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn what_kubernetes_would_refuse_is_refused() {
        for text in [
            "",
            "10.0.0.0",
            "10.0.0.0/",
            "10.0.0.0/33",
            "::/129",
            "10.0.0/8",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "a/8",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.contains("is no network in CIDR notation"), "{error}");
        }
        let error = parse("10.20.0.5/16").expect_err("it has bits behind its prefix");
        assert!(
            error.ends_with("write 10.20.0.0/16 for the network, or 10.20.0.5/32 for the address"),
            "{error}"
        );
    }

    #[test]
    fn the_nodes_credentials_are_left_out_of_networks_that_hold_them() {
        let peer = |text| format!("{:?}", parse(text).expect("a network").peer());
        assert!(peer("0.0.0.0/0").contains("169.254.169.254/32"));
        assert!(peer("169.254.0.0/16").contains("169.254.169.254/32"));
        assert!(peer("::/0").contains("fd00:ec2::254/128"));
        // An exception must be smaller than the network.
        assert!(!peer("169.254.169.254/32").contains("except"));
        assert!(!peer("10.0.0.0/8").contains("except"));
    }
}
