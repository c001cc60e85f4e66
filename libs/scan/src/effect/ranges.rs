//! Networks, and whether one contains another.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::json::Json;

const EVERYWHERE: [&str; 7] = ["*", "any", "internet", "all", "0.0.0.0-255.255.255.255", "0.0.0.0/0", "::/0"];

/// Length of the longest text of a network: IPv6 with an IPv4 ending, and a prefix length.
const LONGEST: usize = 49;

/// Rules out most words, which is cheaper than parsing them.
fn may_be_network(text: &str) -> bool {
    let is_one_of = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'/');
    text.contains('/') && text.bytes().all(is_one_of)
}

/// A set of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Range {
    Everywhere,
    Network(IpNet),
}

impl Range {
    /// Parses a range. `name_is_range`: the attribute is known to hold addresses, so words may name ranges
    /// too.
    pub(super) fn read(text: &str, name_is_range: bool) -> Option<Self> {
        let text = text.trim();
        if text.len() > LONGEST {
            return None;
        }
        let network = Some(text)
            .filter(|text| may_be_network(text))
            .and_then(|text| text.parse::<IpNet>().ok())
            .or_else(|| {
                let address: IpAddr = if name_is_range { text.parse().ok()? } else { None? };
                Some(IpNet::from(address))
            });
        match network {
            Some(network) if network.prefix_len() == 0 => Some(Self::Everywhere),
            Some(network) => Some(Self::Network(network)),
            None if EVERYWHERE.iter().any(|all| all.eq_ignore_ascii_case(text)) && name_is_range => {
                Some(Self::Everywhere)
            }
            None => None,
        }
    }

    /// Returns all ranges in a scalar or an array.
    pub(super) fn read_all(value: &Json, name_is_range: bool) -> Vec<Self> {
        match value {
            Json::String(text) => {
                text.split([',', ' ']).filter_map(|part| Self::read(part, name_is_range)).collect()
            }
            Json::Array(items) => items.iter().flat_map(|item| Self::read_all(item, name_is_range)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether one of the other ranges contains this one.
    pub(super) fn is_within(self, others: &[Self]) -> bool {
        others.iter().any(|other| match (self, other) {
            (_, Self::Everywhere) => true,
            (Self::Everywhere, Self::Network(_)) => false,
            (Self::Network(inner), Self::Network(outer)) => outer.contains(&inner),
        })
    }
}
