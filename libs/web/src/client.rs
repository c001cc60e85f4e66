use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv6Addr};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, web};
use ipnet::IpNet;

use crate::{ApiError, Platform};

/// The address of the client: that of the connection, or, if a configured proxy made it, the
/// rightmost hop of `X-Forwarded-For` that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl FromRequest for ClientIp {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let platform = request.app_data::<web::Data<Platform>>();
        let trusted = platform.map_or(&[][..], |platform| &platform.http.trusted_proxies);
        let peer = request.peer_addr().map(|address| address.ip());
        let ip = peer.map(|peer| client_ip(peer, request.headers(), trusted));
        ready(ip.map(Self).ok_or_else(|| ApiError::internal("a connection without an address")))
    }
}

/// See [`ClientIp`]. Whatever stands left of the first hop that is no proxy of ours is anybody's claim.
pub fn client_ip(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_proxy = |ip: IpAddr| trusted.iter().any(|network| network.contains(&ip));
    let peer = peer.to_canonical();
    if !is_proxy(peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops = values.flat_map(|value| value.split(',')).map(|hop| hop.trim().parse::<IpAddr>().ok());
    let mut client = peer;
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        let Some(hop) = hop else { break };
        client = hop.to_canonical();
        if !is_proxy(client) {
            break;
        }
    }
    client
}

/// What limits count by: the address, or for IPv6 its /64, of which a client has all.
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
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect::<Vec<_>>();
        client_ip(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn s43_only_configured_proxies_are_believed() {
        assert_eq!(seen("203.0.113.9", &["1.2.3.4"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4, 203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4", "203.0.113.9, 10.0.0.3"], &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.2", &["1.2.3.4, junk"], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.2", &[], &["10.0.0.0/8"]), "10.0.0.2");
        assert_eq!(seen("::ffff:10.0.0.2", &["203.0.113.9"], &["10.0.0.0/8"]), "203.0.113.9");
    }

    #[test]
    fn an_ipv6_client_counts_by_its_network() {
        let a = network("2001:db8:1:2:3:4:5:6".parse().unwrap());
        assert_eq!(a, network("2001:db8:1:2:ffff::1".parse().unwrap()));
        assert_ne!(a, network("2001:db8:1:3::1".parse().unwrap()));
    }
}
