use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::failure::Failure;
use super::guard::{Guard, UrlRefusal, check_url};
use super::resolver::GuardedResolver;
use super::retry_after::retry_after;

const MAX_BODY_BYTES: usize = 16 * 1024;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_IDLE_PER_HOST: usize = 2;
const USER_AGENT: &str = concat!("DriftSentry/", env!("CARGO_PKG_VERSION"));

/// Sends requests to addresses that people entered.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    timeout: Duration,
}

pub struct ClientConfig {
    /// Whether private networks and this machine may be reached, also without TLS.
    pub allows_private: bool,
    pub allows_plain_http: bool,
    /// Limits a request, from the resolution of the host name to the end of the response.
    pub timeout: Duration,
    /// DNS servers; if empty, those of the system.
    pub dns_servers: Vec<SocketAddr>,
}

/// A response with any status.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    /// The time after which the receiver wants the next attempt, at most 24 hours.
    pub retry_after: Option<Duration>,
    /// At most 16 KiB of the body. Bytes that are not UTF-8 are replaced.
    pub body: String,
}

impl Client {
    /// Sets up the client.
    ///
    /// # Errors
    /// If the DNS servers or the trusted certificates of the system cannot be read.
    pub fn new(config: ClientConfig) -> Result<Self> {
        let ClientConfig { allows_private, allows_plain_http, timeout, dns_servers } = config;
        let guard = Guard { allows_private, allows_plain_http };
        let http = reqwest::Client::builder()
            .dns_resolver(GuardedResolver::new(&dns_servers, guard)?)
            // A proxy would resolve the name itself, and a redirect could lead inside.
            .no_proxy()
            .redirect(Policy::none())
            .http1_only()
            .user_agent(USER_AGENT)
            // Leaves time for another address of the same host.
            .connect_timeout(timeout / 2)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(MAX_IDLE_PER_HOST)
            .build()
            .context("cannot set up the HTTP client")?;
        Ok(Self { http, guard, timeout })
    }

    /// Checks a URL that a person entered. The addresses of a host name are checked when a request is sent.
    ///
    /// # Errors
    /// If the URL is malformed, or may not be reached.
    pub fn check(&self, url: &str) -> Result<Url, UrlRefusal> {
        check_url(url, self.guard)
    }

    /// Sends one POST request, and follows no redirect. A response counts once its status has arrived, even if its
    /// body is longer than 16 KiB or does not end in time: the rest of the body is dropped with the connection.
    ///
    /// # Errors
    /// If the URL or an address of the host may not be reached, or if no status arrives in time.
    pub async fn post(
        &self,
        url: &Url,
        headers: Vec<(HeaderName, HeaderValue)>,
        body: Bytes,
    ) -> Result<Response, Failure> {
        // The guard can be stricter today than when the URL was stored.
        self.guard.check(url)?;
        let deadline = Instant::now() + self.timeout;
        let request = self.http.post(url.clone()).headers(headers.into_iter().collect()).body(body);
        let response = timeout_at(deadline, request.send()).await;
        let mut response = response.map_err(|_elapsed| Failure::TIMEOUT)??;
        let mut body = Vec::new();
        while body.len() < MAX_BODY_BYTES
            && let Ok(Ok(Some(chunk))) = timeout_at(deadline, response.chunk()).await
        {
            body.extend_from_slice(&chunk[..chunk.len().min(MAX_BODY_BYTES - body.len())]);
        }
        Ok(Response {
            status: response.status().as_u16(),
            retry_after: retry_after(response.headers()),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
