use std::net::IpAddr;

use serde_json::{Map, Value};

/// The address of a client, and the tokens of its handshake.
#[derive(Clone, Default)]
pub(crate) struct Peer {
    pub ip: Option<IpAddr>,
    pub query_token: Option<String>,
    pub header_token: Option<String>,
}

impl Peer {
    /// Returns the token to check: from the query, else from the `CONNECT` packet, else from the header.
    pub(crate) fn token<'a>(&'a self, auth: &'a Map<String, Value>) -> Option<&'a str> {
        let present = |token: &'a Option<String>| token.as_deref().filter(|token| !token.is_empty());
        let in_packet = auth.get("token").and_then(Value::as_str).map(without_scheme);
        present(&self.query_token)
            .or(in_packet.filter(|token| !token.is_empty()))
            .or_else(|| present(&self.header_token))
    }

    /// The network by which limits count.
    pub(crate) fn network(&self) -> String {
        self.ip.map_or_else(|| "unknown".into(), |ip| http::network(ip).to_string())
    }
}

/// Removes `Bearer `: some clients send the whole value of the header in the `CONNECT` packet.
fn without_scheme(token: &str) -> &str {
    match token.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => token,
    }
}
