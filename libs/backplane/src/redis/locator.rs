//! Finds the server that holds the keys of the installation.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use redis::aio::MultiplexedConnection;
use redis::{
    Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError, RedisResult,
    TlsCertificates, Value, from_redis_value,
};
use tokio::time::timeout;

use super::target::{Form, Target};
use super::timeouts::connection_config;
use crate::{ServerCheck, Tls};

/// Time in which a server has to say which server holds the keys.
const PATIENCE: Duration = Duration::from_millis(700);
/// Number of servers that are asked at the same time.
const ASKED: usize = 16;

const PUBLIC_SERVER: &str = "REDIS_URL leads to a server at a public address without TLS: use rediss, \
                             or set ALLOW_PLAINTEXT=true";

type Address = (String, u16);

/// Asks the servers of the URL. All keys have one hash tag, so in a cluster one server holds them all.
pub(super) struct Locator {
    target: Target,
    tls: Tls,
    server_check: ServerCheck,
    /// A key of the installation.
    key: String,
    /// Members of the cluster that the URL does not name.
    members: Mutex<Vec<Address>>,
}

/// The response of one server: the server that holds the keys, and the other servers it knows.
struct Testimony {
    holder: Address,
    members: Vec<Address>,
}

impl Locator {
    /// # Errors
    /// If the certificates cannot be used.
    pub(super) fn new(target: Target, tls: Tls, server_check: ServerCheck, key: String) -> RedisResult<Self> {
        let locator = Self { target, tls, server_check, key, members: Mutex::default() };
        let first = locator.target.servers[0].clone();
        locator.client(first)?;
        Ok(locator)
    }

    /// Returns a client of the server that holds the keys now, as most servers say.
    pub(super) async fn locate(&self) -> RedisResult<Client> {
        let first = self.target.servers[0].clone();
        if matches!(self.target.form, Form::Single) {
            return self.client(first);
        }
        let (votes, failure) = self.vote().await;
        // A server that was cut off from the others may name the old primary.
        let holder = votes.into_iter().max_by_key(|(_, votes)| *votes).map(|(holder, _)| holder);
        let unknown =
            || failure.unwrap_or_else(|| RedisError::from((ErrorKind::Io, "no server responded in time")));
        let holder = first.set_addr(self.address(holder.ok_or_else(unknown)?));
        self.check(&holder).await?;
        self.client(holder)
    }

    /// Whether most Sentinels name another primary. The one that they have replaced may still work. In a cluster, such
    /// a server refuses commands.
    pub(super) async fn is_replaced(&self, server: &ConnectionAddr) -> bool {
        if !matches!(self.target.form, Form::Sentinel { .. }) {
            return false;
        }
        let (votes, _) = self.vote().await;
        let others = votes.into_iter().filter(|(holder, _)| self.address(holder.clone()) != *server);
        2 * others.map(|(_, votes)| votes).sum::<usize>() > self.target.servers.len()
    }

    /// Asks all servers. Returns how many of them name each holder of the keys, and the reason why one did not respond.
    async fn vote(&self) -> (HashMap<Address, usize>, Option<RedisError>) {
        let asking = self.asked().into_iter().map(|server| timeout(PATIENCE, self.ask(server)));
        let (mut votes, mut failure) = (HashMap::new(), None);
        for testimony in join_all(asking).await.into_iter().flatten() {
            match testimony {
                Ok(Testimony { holder, members }) => {
                    *votes.entry(holder).or_default() += 1;
                    self.remember(members);
                }
                Err(error) => failure = Some(error),
            }
        }
        (votes, failure)
    }

    fn asked(&self) -> Vec<ConnectionInfo> {
        let first = &self.target.servers[0];
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let members = members.into_iter().map(|member| first.clone().set_addr(self.address(member)));
        self.target.servers.iter().cloned().chain(members).take(ASKED).collect()
    }

    async fn ask(&self, server: ConnectionInfo) -> RedisResult<Testimony> {
        match &self.target.form {
            Form::Sentinel { primary, login } => {
                let mut sentinel = self.connect(server.set_redis_settings(login.clone())).await?;
                let mut question = redis::cmd("SENTINEL");
                question.arg("GET-MASTER-ADDR-BY-NAME").arg(primary);
                let holder: Option<Address> = question.query_async(&mut sentinel).await?;
                let unknown =
                    || RedisError::from((ErrorKind::Client, "a Sentinel does not know this primary"));
                Ok(Testimony { holder: holder.ok_or_else(unknown)?, members: Vec::new() })
            }
            Form::Cluster | Form::Single => {
                let asked = host(server.addr());
                let mut member = self.connect(server).await?;
                let mut questions = redis::pipe();
                questions.cmd("CLUSTER").arg("KEYSLOT").arg(&self.key);
                questions.cmd("CLUSTER").arg("SLOTS");
                let (slot, ranges): (u16, Vec<Vec<Value>>) = questions.query_async(&mut member).await?;
                let mut holder = None;
                let mut members = Vec::new();
                for range in ranges {
                    let [first, last, primary, replicas @ ..] = range.as_slice() else { continue };
                    let (first, last): (u16, u16) = (number(first)?, number(last)?);
                    let primary = address(primary, &asked)?;
                    if (first..=last).contains(&slot) {
                        holder = Some(primary.clone());
                    }
                    members.push(primary);
                    for replica in replicas {
                        members.push(address(replica, &asked)?);
                    }
                }
                let none =
                    || RedisError::from((ErrorKind::Client, "no server of the cluster holds the keys"));
                Ok(Testimony { holder: holder.ok_or_else(none)?, members })
            }
        }
    }

    fn remember(&self, members: Vec<Address>) {
        let mut known = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        for member in members {
            if known.len() < ASKED && !known.contains(&member) {
                known.push(member);
            }
        }
    }

    /// Returns the address of another server, with TLS if the URL asks for it.
    fn address(&self, (host, port): Address) -> ConnectionAddr {
        match self.target.servers[0].addr() {
            ConnectionAddr::TcpTls { insecure, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: None }
            }
            _ => ConnectionAddr::Tcp(host, port),
        }
    }

    /// Refuses a server that others name, if connecting to it would send the password and the events without TLS over a
    /// network that is not private.
    async fn check(&self, server: &ConnectionInfo) -> RedisResult<()> {
        let ConnectionAddr::Tcp(host, port) = server.addr() else { return Ok(()) };
        let is_named = |named: &ConnectionInfo| matches!(named.addr(), ConnectionAddr::Tcp(known, at) if (known, at) == (host, port));
        if self.target.servers.iter().any(is_named) {
            return Ok(());
        }
        let (check, host, port) = (self.server_check.clone(), host.clone(), *port);
        match tokio::task::spawn_blocking(move || check.allows(&host, port)).await {
            Ok(true) => Ok(()),
            _ => Err(RedisError::from((ErrorKind::InvalidClientConfig, PUBLIC_SERVER))),
        }
    }

    async fn connect(&self, server: ConnectionInfo) -> RedisResult<MultiplexedConnection> {
        self.check(&server).await?;
        self.client(server)?.get_multiplexed_async_connection_with_config(&connection_config()).await
    }

    fn client(&self, server: ConnectionInfo) -> RedisResult<Client> {
        // The library asks for the provider of the process. An error means that one is installed.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let Tls { authority, client } = self.tls.clone();
        if authority.is_none() && client.is_none() {
            return Client::open(server);
        }
        let client_tls =
            client.map(|client| ClientTlsConfig { client_cert: client.certificate, client_key: client.key });
        Client::build_with_tls(server, TlsCertificates { client_tls, root_cert: authority })
    }
}

fn host(address: &ConnectionAddr) -> String {
    match address {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host.clone(),
        _ => String::new(),
    }
}

fn number(value: &Value) -> RedisResult<u16> {
    Ok(from_redis_value(value.clone())?)
}

/// Reads a member of a cluster. A member that does not know its own address is meant to be at the address that was
/// asked.
fn address(member: &Value, asked: &str) -> RedisResult<Address> {
    let member: Vec<Value> = from_redis_value(member.clone())?;
    let [host, port, ..] = member.as_slice() else {
        return Err(RedisError::from((
            ErrorKind::UnexpectedReturnType,
            "a member of the cluster has no address",
        )));
    };
    let host: Option<String> = from_redis_value(host.clone())?;
    let host = host.filter(|host| !host.is_empty() && host != "?").unwrap_or_else(|| asked.to_owned());
    Ok((host, number(port)?))
}
