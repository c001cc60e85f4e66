//! Refuses connections without TLS to public addresses, unless the operator allows them.

use std::net::{IpAddr, ToSocketAddrs};

use anyhow::{Result, ensure};
use url::{Host, Url};

use crate::config::ProcessConfig;

/// Refuses a connection without TLS to an address that is not private. In development it is allowed; with
/// `ALLOW_PLAINTEXT=true` it is logged as a warning. `variable` is the name of the setting that holds `url`,
/// which is for PostgreSQL, SQLite or Redis.
///
/// # Errors
/// If the connection is refused: one sentence that names the variable and not its value.
pub fn check_plaintext(variable: &'static str, url: &str, config: &ProcessConfig) -> Result<()> {
    // The driver refuses a URL that cannot be parsed.
    let Ok(url) = Url::parse(url) else { return Ok(()) };
    if !config.is_strict() || is_encrypted(&url) || is_private(&url) {
        return Ok(());
    }
    ensure!(
        config.allow_plaintext,
        "{variable} names a public address without TLS: use sslmode=verify-full or rediss://, \
         or set ALLOW_PLAINTEXT=true"
    );
    tracing::warn!(variable, "connecting to a public address without TLS, since ALLOW_PLAINTEXT is set");
    Ok(())
}

/// Whether a connection without TLS to this server is allowed.
pub(crate) fn allows_plaintext(host: &str, port: u16, config: &ProcessConfig) -> bool {
    !config.is_strict() || config.allow_plaintext || is_private_name(host, port)
}

fn is_encrypted(url: &Url) -> bool {
    let mode = url.query_pairs().find(|(name, _)| name == "sslmode" || name == "ssl-mode");
    matches!(url.scheme(), "rediss" | "valkeys")
        || mode.is_some_and(|(_, mode)| matches!(&*mode, "require" | "verify-ca" | "verify-full"))
}

fn is_private(url: &Url) -> bool {
    let port = url.port().unwrap_or_default();
    // PostgreSQL's parameters replace the host of the URL. A path names a socket of this machine.
    let named = url.query_pairs().filter(|(name, _)| matches!(&**name, "host" | "hostaddr"));
    let named = named.map(|(_, host)| host.into_owned()).collect::<Vec<_>>();
    if !named.is_empty() {
        return named.iter().all(|host| is_private_name(host, port));
    }
    match url.host() {
        None => true,
        Some(Host::Ipv4(ip)) => is_private_ip(ip.into()),
        Some(Host::Ipv6(ip)) => is_private_ip(ip.into()),
        Some(Host::Domain(name)) => is_private_name(name, port),
    }
}

/// Whether all addresses of a name are private. A name that does not resolve yet counts by its form: names of
/// containers and clusters have no dot, or end in a suffix that is never public.
pub fn is_private_name(name: &str, port: u16) -> bool {
    const SUFFIXES: [&str; 5] = [".internal", ".local", ".localhost", ".svc", ".home.arpa"];
    if name.starts_with('/') || name.starts_with("%2F") || name.starts_with("%2f") {
        return true;
    }
    match (name, port).to_socket_addrs() {
        Ok(mut addresses) => addresses.all(|address| is_private_ip(address.ip())),
        Err(_) => !name.contains('.') || SUFFIXES.iter().any(|suffix| name.ends_with(suffix)),
    }
}

fn is_private_ip(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            // The last range is shared address space (RFC 6598), which overlay networks use.
            let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0b1100_0000 == 64;
            ip.is_loopback() || ip.is_private() || ip.is_link_local() || is_shared
        }
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        process: ProcessConfig,
    }

    fn check(url: &str, environment: &str, allow_plaintext: &str) -> Result<()> {
        let arguments = ["x", "--environment", environment, "--allow-plaintext", allow_plaintext];
        check_plaintext("DATABASE_URL", url, &Cli::parse_from(arguments).process)
    }

    #[test]
    fn without_tls_only_private_addresses_are_allowed_s61() {
        for private in [
            "postgres://u:p@127.0.0.1/db",
            "postgres://u:p@[::1]/db",
            "postgres://u:p@[fd00::1]/db",
            "postgres://u:p@10.1.2.3:5432/db",
            "postgres://u:p@%2Frun%2Fpostgresql/db",
            "postgres://u:p@localhost/db?host=/run/postgresql",
            "postgres://u:p@database-without-a-dot/db",
            "redis://:p@redis.default.svc:6379",
            "redis://100.64.0.1",
            "sqlite://data/auth.db?mode=rwc",
            "memory:",
        ] {
            assert!(check(private, "production", "false").is_ok(), "{private}");
        }
        for public in [
            "postgres://u:hush@203.0.113.7/db",
            "postgres://u:hush@203.0.113.7/db?sslmode=prefer",
            "postgres://u:hush@[2001:db8::7]/db",
            "postgres://u:hush@[::ffff:203.0.113.7]/db",
            "postgres://u:hush@localhost/db?host=203.0.113.7",
            "postgres://u:hush@localhost/db?hostaddr=203.0.113.7",
            "redis://:hush@203.0.113.7:6379",
            "redis://:hush@redis.does-not-exist.example",
        ] {
            let refusal = check(public, "production", "false").unwrap_err().to_string();
            assert!(refusal.contains("DATABASE_URL") && refusal.contains("ALLOW_PLAINTEXT"), "{refusal}");
            assert!(!refusal.contains("hush"), "{refusal}");
            assert!(check(public, "production", "true").is_ok(), "{public}");
            assert!(check(public, "development", "false").is_ok(), "{public}");
        }
        for encrypted in ["postgres://u:p@203.0.113.7/db?sslmode=verify-full", "rediss://:p@203.0.113.7:6379"]
        {
            assert!(check(encrypted, "production", "false").is_ok(), "{encrypted}");
        }
    }
}
