//! The addresses of this machine.

use std::net::{IpAddr, TcpListener};

use nix::ifaddrs::getifaddrs;

/// Whether somebody could listen on this address.
#[must_use]
pub fn is_here(address: IpAddr) -> bool {
    TcpListener::bind((address, 0)).is_ok()
}

/// What the interfaces have that are no loopback, in words: `172.18.0.1 (docker0)`.
#[must_use]
pub fn all() -> Vec<String> {
    let interfaces = getifaddrs().into_iter().flatten();
    let mut all: Vec<_> = interfaces
        .filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
            let v6 = address.as_sockaddr_in6().map(|address| IpAddr::V6(address.ip()));
            Some((v4.or(v6)?, interface.interface_name))
        })
        .filter(|(address, _)| !address.is_loopback() && !is_link_local(*address))
        .map(|(address, name)| format!("{address} ({name})"))
        .collect();
    all.dedup();
    all
}

/// Such an address means nothing without its interface.
#[must_use]
pub fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_here_and_an_address_for_documentation_is_not() {
        assert!(is_here("127.0.0.1".parse().unwrap()));
        assert!(!is_here("203.0.113.1".parse().unwrap()));
        assert!(all().iter().all(|address| !address.starts_with("127.")));
    }
}
