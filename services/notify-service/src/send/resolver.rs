use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Guard;

/// Addresses of one name that are checked and tried.
const MAX_ADDRESSES: usize = 16;
/// Queries that wait on one TCP connection to a DNS server, two for each host name.
const MAX_QUERIES: usize = 4_096;

/// Resolves host names to allowed addresses. A name that has any other address is refused.
#[derive(Clone)]
pub(super) struct GuardedResolver {
    resolver: Arc<TokioResolver>,
    guard: Guard,
}

/// A name leads to an address that may not be reached.
#[derive(Debug, thiserror::Error)]
#[error("the host has an address that may not be reached")]
pub(super) struct RefusedAddress;

impl GuardedResolver {
    /// Uses these DNS servers, or those of the system if there are none.
    pub(super) fn new(dns_servers: &[SocketAddr], guard: Guard) -> Result<Self> {
        let mut builder = if dns_servers.is_empty() {
            TokioResolver::builder_tokio().context("cannot read the DNS servers of the system")?
        } else {
            let servers = dns_servers.iter().map(name_server).collect();
            let config = ResolverConfig::from_name_servers(servers);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        options.max_active_requests = MAX_QUERIES;
        let resolver = Arc::new(builder.build().context("cannot set up the DNS resolver")?);
        Ok(Self { resolver, guard })
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { resolver, guard } = self.clone();
        Box::pin(async move {
            // The final dot keeps the search domains of the system out: the name means one host.
            let name = format!("{}.", name.as_str().trim_end_matches('.'));
            let found = resolver.lookup_ip(name).await?;
            // The connection replaces port 0 by the port of the URL.
            let addresses =
                found.iter().take(MAX_ADDRESSES).map(|ip| SocketAddr::new(ip, 0)).collect::<Vec<_>>();
            if !addresses.iter().all(|address| guard.allows(address.ip())) {
                return Err(RefusedAddress.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = address.port();
    }
    NameServerConfig::new(address.ip(), true, connections)
}
