use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use ipnet::IpNet;

/// The proxies whose `X-Forwarded-For` is trusted.
#[derive(Debug, Default)]
pub(crate) struct Proxies {
    networks: Vec<IpNet>,
    has_warned: AtomicBool,
}

impl Proxies {
    pub(crate) fn new(networks: Vec<IpNet>) -> Self {
        Self { networks, has_warned: AtomicBool::new(false) }
    }

    /// See [`client_ip`](crate::client_ip).
    pub(crate) fn client_ip(&self, request: &HttpRequest) -> Option<IpAddr> {
        Some(self.resolve(request.peer_addr()?.ip(), request.headers()))
    }

    /// Finds the rightmost hop that is not a trusted proxy. Anything to its left is an unproven claim.
    fn resolve(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        // Split as bytes: a client may send any byte, and an unreadable hop must not hide the hops of proxies.
        let values = headers.get_all("x-forwarded-for");
        let hops = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).collect::<Vec<_>>();
        for hop in hops.into_iter().rev() {
            if !self.networks.iter().any(|network| network.contains(&client)) {
                break;
            }
            let Some(ip) = str::from_utf8(hop).ok().and_then(|hop| parse_hop(hop.trim())) else {
                self.warn_once(client);
                break;
            };
            client = ip.to_canonical();
        }
        client
    }

    fn warn_once(&self, proxy: IpAddr) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(%proxy, "a proxy sends an unreadable X-Forwarded-For: its clients count as one");
        }
    }
}

/// Parses an address. Azure and IIS append a port, and put brackets around IPv6.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = || hop.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse().ok().or_else(with_port).or_else(|| bare().map(Into::into))
}

/// Returns the network by which limits count: the address, or for IPv6 its /64, which a client owns entirely.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => ip,
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn seen(peer: &str, forwarded: &[&'static str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(value));
        }
        let proxies = Proxies::new(trusted.iter().map(|network| network.parse().unwrap()).collect());
        proxies.resolve(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_configured_proxies_are_trusted_s43() {
        assert_eq!(seen("203.0.113.9", &["1.2.3.4"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4", "203.0.113.9, 10.0.0.3"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4, junk"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.2", &[], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(seen("::ffff:10.0.0.2", &["203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn an_unreadable_hop_hides_no_hop_to_its_right_s43() {
        let proxies = Proxies::new(vec!["10.0.0.0/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_bytes(b"1.2.3.4, \xff, 203.0.113.9").unwrap();
        headers.append(HeaderName::from_static("x-forwarded-for"), value);
        assert_eq!(proxies.resolve("10.0.0.2".parse().unwrap(), &headers).to_string(), "203.0.113.9");
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_address_in_it_s43() {
        assert_eq!(seen("10.0.0.2", &["::ffff:203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["203.0.113.9, ::ffff:10.0.0.3"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn a_hop_may_have_a_port_and_brackets() {
        for (hop, ip) in [
            ("203.0.113.7:51234", "203.0.113.7"),
            ("[2001:db8::7]:99", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("2001:db8::7", "2001:db8::7"),
            ("203.0.113.7:many", "10.0.0.2"),
            ("[203.0.113.7]", "10.0.0.2"),
            ("unknown", "10.0.0.2"),
        ] {
            assert_eq!(seen("10.0.0.2", &[hop], &["10.0.0.0/8"]), ip, "{hop}");
        }
        assert_eq!(seen("10.0.0.2", &["6.6.6.6, 203.0.113.7:1, 10.0.0.3:2"], &["10.0.0.0/8"]), "203.0.113.7");
    }

    #[test]
    fn an_ipv6_client_counts_by_its_network() {
        let a = network("2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(a, network("2001:db8:1:2:ffff::1".parse().unwrap()));
        assert_ne!(a, network("2001:db8:1:3::1".parse().unwrap()));
    }
}
