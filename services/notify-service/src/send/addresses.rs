//! Classes of IP addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// Networks from which a destination can be reached, from the most to the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    Public,
    /// This machine, private networks, and ranges that no public host uses.
    Private,
    /// Never a destination: metadata services of clouds, groups of hosts, and addresses that hide another one.
    Never,
}

type Net4 = (Ipv4Addr, u32);
type Net6 = (Ipv6Addr, u32);

const NEVER_V4: [Net4; 7] = [
    // "This network": Linux connects 0.0.0.0 to itself.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Link-local, with the metadata service of most clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Multicast and broadcast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(255, 255, 255, 255), 32),
    // Metadata services of Alibaba Cloud, Azure and Oracle Cloud.
    (Ipv4Addr::new(100, 100, 100, 200), 32),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(192, 0, 0, 192), 32),
];

const PRIVATE_V4: [Net4; 12] = [
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Relays of 6to4, benchmarks, reserved.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

const NEVER_V6: [Net6; 9] = [
    // Link-local and multicast.
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
    // Metadata services of AWS, Google Cloud and Scaleway.
    (Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254), 128),
    (Ipv6Addr::new(0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42), 128),
    // Addresses that lead to an IPv4 address at a place that depends on the network: 6to4, Teredo, NAT64 of the
    // local network, and SIIT.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),
];

/// The only range with public addresses, which contains `PRIVATE_V6` too.
const GLOBAL_V6: Net6 = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

const PRIVATE_V6: [Net6; 3] = [
    // Protocols and benchmarks.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Networks with IPv6 only reach public IPv4 addresses through these.
const NAT64: Net6 = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

const EMBEDDING: [Net6; 3] = [
    NAT64,
    // IPv4-mapped and IPv4-compatible.
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    (Ipv6Addr::new(0, 0, 0, 0, 0, 0, 0, 0), 96),
];

/// Returns the class of an address.
pub(super) fn reach(ip: IpAddr) -> Reach {
    match ip {
        IpAddr::V4(ip) => reach_v4(ip),
        IpAddr::V6(ip) => reach_v6(ip),
    }
}

/// Whether this machine has the address. No packet is sent.
pub(super) fn is_own(ip: IpAddr) -> bool {
    let ip = match ip {
        IpAddr::V6(v6) => embedded_v4(v6).map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    };
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    // The kernel uses an address of this machine as the source for itself, and for no other destination.
    let source = UdpSocket::bind(SocketAddr::new(any, 0)).and_then(|socket| {
        socket.connect(SocketAddr::new(ip, 9))?;
        socket.local_addr()
    });
    source.is_ok_and(|source| source.ip() == ip)
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let is_in = |nets: &[Net4]| nets.iter().any(|net| contains_v4(*net, ip));
    if is_in(&NEVER_V4) {
        Reach::Never
    } else if is_in(&PRIVATE_V4) {
        Reach::Private
    } else {
        Reach::Public
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let is_in = |nets: &[Net6]| nets.iter().any(|net| contains_v6(*net, ip));
    if is_in(&NEVER_V6) {
        return Reach::Never;
    }
    match embedded_v4(ip) {
        Some(v4) if contains_v6(NAT64, ip) => reach_v4(v4),
        Some(v4) => reach_v4(v4).max(Reach::Private),
        None if is_in(&PRIVATE_V6) || !contains_v6(GLOBAL_V6, ip) => Reach::Private,
        None => Reach::Public,
    }
}

/// Returns the IPv4 address in the last four bytes, if the network of the address says that there is one.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let is_embedding = EMBEDDING.iter().any(|net| contains_v6(*net, ip)) && !ip.is_loopback();
    let [.., a, b, c, d] = ip.octets();
    is_embedding.then(|| Ipv4Addr::new(a, b, c, d))
}

fn contains_v4((net, length): Net4, ip: Ipv4Addr) -> bool {
    (net.to_bits() ^ ip.to_bits()) >> (32 - length) == 0
}

fn contains_v6((net, length): Net6, ip: Ipv6Addr) -> bool {
    (net.to_bits() ^ ip.to_bits()) >> (128 - length) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn public_addresses_are_public() {
        let addresses = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 \
             192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 \
             168.63.129.17 2606:4700::1111 2001:200::1 2a00::1 3fff:1000::1 64:ff9b::1.1.1.1";
        for ip in addresses.split(' ') {
            assert_eq!(reach(ip.parse().unwrap()), Reach::Public, "{ip}");
        }
    }

    #[test]
    fn addresses_inside_are_private() {
        let addresses = "127.0.0.1 127.255.255.255 10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 \
             192.168.0.0 192.168.255.255 100.64.0.0 100.127.255.255 192.0.0.1 192.0.2.1 \
             198.51.100.1 203.0.113.1 192.88.99.1 198.18.0.0 198.19.255.255 240.0.0.0 \
             255.255.255.254 ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:1.1.1.1 ::7f00:1 \
             ::1.1.1.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 fc00::1 fdff::1 fec0::1 2001:db8::1 \
             3fff::1 2001:2::1 2001:10::1 2001:20::1 100::1 5f00::1 4000::1";
        for ip in addresses.split(' ') {
            assert_eq!(reach(ip.parse().unwrap()), Reach::Private, "{ip}");
        }
    }

    #[test]
    fn metadata_groups_and_hiding_addresses_are_never_reached() {
        let addresses = "0.0.0.0 0.1.2.3 169.254.169.254 169.254.0.0 224.0.0.1 239.255.255.255 \
             255.255.255.255 100.100.100.200 168.63.129.16 192.0.0.192 :: fe80::1 febf::1 ff02::1 \
             fd00:ec2::254 fd20:ce::254 fd00:42::42 ::ffff:169.254.169.254 ::ffff:0.0.0.0 \
             ::169.254.169.254 64:ff9b::169.254.169.254 64:ff9b::224.0.0.1 64:ff9b:1::7f00:1 \
             2002:7f00:1:: 2002:a9fe:a9fe::1 2001::1 2001:0:ffff:ffff::1 ::ffff:0:127.0.0.1";
        for ip in addresses.split(' ') {
            assert_eq!(reach(ip.parse().unwrap()), Reach::Never, "{ip}");
        }
    }

    #[test]
    fn the_machine_knows_its_own_addresses() {
        assert!(is_own("127.0.0.1".parse().unwrap()));
        assert!(is_own("::ffff:127.0.0.1".parse().unwrap()));
        assert!(is_own("64:ff9b::127.0.0.1".parse().unwrap()));
        assert!(!is_own("1.1.1.1".parse().unwrap()));
        assert!(!is_own("255.255.255.255".parse().unwrap()));
    }

    proptest! {
        #[test]
        fn an_address_that_embeds_another_reaches_no_further(v4: Ipv4Addr) {
            let inner = reach(v4.into());
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            for net in [
                Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, high, low),
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
            ] {
                prop_assert!(reach(net.into()) >= inner, "{net}");
            }
        }

        #[test]
        fn the_standard_library_finds_nothing_inside_among_public_addresses(v4: Ipv4Addr, v6: Ipv6Addr) {
            if reach(v4.into()) == Reach::Public {
                let is_inside = v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_broadcast();
                prop_assert!(!is_inside && !v4.is_documentation() && !v4.is_multicast() && !v4.is_unspecified());
            }
            if reach(v6.into()) == Reach::Public {
                let is_inside = v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local();
                prop_assert!(!is_inside && !v6.is_multicast() && !v6.is_unspecified());
            }
        }
    }
}
