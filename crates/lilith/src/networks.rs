//! Which addresses the server dials for its users: who may name an address could otherwise look
//! around in the operator's network by what is refused and what is not.

use crate::error::{Code, ServiceError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: u128,
    mask: u128,
}

/// IPv4 addresses are looked at as IPv6 has them.
fn wide(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        wide(address) & self.mask == self.address
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no network: 10.0.0.0/8, 2001:db8::/32, or an address");
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let length = length.unwrap_or(bits);
        if length > bits {
            return Err(wrong());
        }
        let mask = u128::MAX.checked_shl(bits - length).unwrap_or(0);
        Ok(Self { address: wide(address) & mask, mask })
    }
}

/// What the operator says of networks.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Dialled, whatever else is said.
    pub allow: Vec<Network>,
    /// Not dialled.
    pub deny: Vec<Network>,
}

/// This machine, this network segment (where clouds keep their machines' secrets), and what is no
/// host.
fn is_special(address: IpAddr) -> bool {
    let address = address.to_canonical();
    match address {
        IpAddr::V4(address) => {
            address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || address.octets()[0] == 0
                || address == Ipv4Addr::new(100, 100, 100, 200)
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unicast_link_local()
                || address == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)
        }
    }
}

impl Policy {
    /// Whether an address is dialled.
    pub fn allows(&self, address: IpAddr) -> bool {
        let within = |networks: &[Network]| networks.iter().any(|it| it.contains(address));
        within(&self.allow) || !(within(&self.deny) || is_special(address))
    }

    /// The first address of `HOST:PORT` that may be dialled. Whoever connects takes this one and
    /// does not ask again: the name may lead elsewhere by then.
    ///
    /// # Errors
    /// The same text whether the name is unknown or its addresses are refused.
    pub async fn resolve(&self, host_and_port: &str) -> Result<SocketAddr, ServiceError> {
        let found = tokio::net::lookup_host(host_and_port).await;
        let allowed = found.ok().and_then(|mut all| all.find(|at| self.allows(at.ip())));
        allowed.ok_or_else(|| {
            let shown: String =
                host_and_port.chars().filter(|c| !c.is_control()).take(80).collect();
            let text = format!("the server does not connect to {shown:?}");
            ServiceError::new(Code::Forbidden, text).hint(
                "the name is unknown or not HOST:PORT, or the operator does not allow the address \
                 (--peer-allow)",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_and_metadata_are_not_dialled() {
        let policy = Policy::default();
        let allows = |text: &str| policy.allows(text.parse().unwrap());
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "::1",
            "0.0.0.0",
            "::",
            "169.254.169.254",
            "fe80::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "224.0.0.1",
        ] {
            assert!(!allows(address), "{address}");
        }
        for address in ["203.0.113.9", "10.1.2.3", "2001:db8::1"] {
            assert!(allows(address), "{address}");
        }
    }

    #[test]
    fn the_operator_decides() {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let policy =
            Policy { allow: networks(&["127.0.0.0/8"]), deny: networks(&["10.0.0.0/8", "::/0"]) };
        let allows = |text: &str| policy.allows(text.parse().unwrap());
        assert!(allows("127.0.0.1") && allows("::ffff:127.0.0.1"));
        assert!(!allows("10.1.2.3") && !allows("2001:db8::1") && !allows("::1"));
        for text in ["", "10.0.0.0/33", "host", "1.2.3.4/x"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
        assert!("0.0.0.0/0".parse::<Network>().unwrap().contains("203.0.113.9".parse().unwrap()));
        assert!(!"0.0.0.0/0".parse::<Network>().unwrap().contains("2001:db8::1".parse().unwrap()));
    }

    #[tokio::test]
    async fn names_are_resolved_once() {
        let policy = Policy::default();
        assert_eq!(policy.resolve("localhost:80").await.unwrap_err().code, Code::Forbidden);
        assert_eq!(policy.resolve("203.0.113.9").await.unwrap_err().code, Code::Forbidden);
        let found = policy.resolve("203.0.113.9:7000").await.unwrap();
        assert_eq!(found.to_string(), "203.0.113.9:7000");
    }
}
