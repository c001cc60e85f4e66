//! The networks that a client belongs to. Limits and the password queue count by them.

use std::net::IpAddr;

use ipnet::IpNet;

/// A network around a client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    pub range: IpNet,
    /// The factor for the limits of this network: more people share a wider one.
    pub weight: usize,
}

/// The networks of an address, the narrowest first.
///
/// An IPv4 client has one address, and may own a /24. An IPv6 client has at least a /64, and may own the /56
/// or /48 around it: providers assign all three sizes.
pub fn networks(ip: IpAddr) -> Vec<Network> {
    let levels: &[(u8, usize)] = match ip {
        IpAddr::V4(_) => &[(32, 1), (24, 4)],
        IpAddr::V6(_) => &[(64, 1), (56, 2), (48, 4)],
    };
    let range = |length| IpNet::new_assert(ip, length).trunc();
    levels.iter().map(|(length, weight)| Network { range: range(*length), weight: *weight }).collect()
}

/// The narrowest network of an address, as text: an IPv4 address, or an IPv6 /64.
pub fn own_network(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(_) => IpNet::new_assert(ip, 64).trunc().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(ip: &str) -> Vec<String> {
        networks(ip.parse().unwrap()).iter().map(|network| network.range.to_string()).collect()
    }

    #[test]
    fn a_client_belongs_to_every_network_that_one_holder_may_have_s62() {
        assert_eq!(ranges("203.0.113.9"), ["203.0.113.9/32", "203.0.113.0/24"]);
        assert_eq!(
            ranges("2001:db8:aaaa:bbcc::1"),
            ["2001:db8:aaaa:bbcc::/64", "2001:db8:aaaa:bb00::/56", "2001:db8:aaaa::/48"]
        );
    }

    #[test]
    fn an_address_has_one_name() {
        assert_eq!(own_network("203.0.113.9".parse().unwrap()), "203.0.113.9");
        assert_eq!(own_network("2001:db8::1:2:3:4".parse().unwrap()), "2001:db8::/64");
    }
}
