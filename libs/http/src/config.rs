use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use actix_web::http::header::HeaderName;
use anyhow::{Context, Result};
use clap::Args;
use ipnet::IpNet;
use platform::ProcessConfig;

use crate::origin;

const DEVELOPMENT_ORIGIN: &str = "http://localhost:3000";

/// The settings that every service needs to serve HTTP.
#[derive(Args, Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen on; the default is 127.0.0.1 in development and 0.0.0.0 elsewhere
    #[arg(long, env = "HOST")]
    pub host: Option<IpAddr>,

    /// Origins whose pages may call the API, including the console's, comma-separated and exact, such as https://app.example.com; the default is http://localhost:3000 in development and none elsewhere
    #[arg(long, env = "CORS_ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<String>,

    /// Further request headers that pages of other origins may send, comma-separated
    #[arg(long, env = "CORS_HEADERS", value_delimiter = ',')]
    pub cors_headers: Vec<HeaderName>,

    /// Networks of proxies whose X-Forwarded-For is trusted, such as 10.0.0.0/8
    #[arg(long, env = "TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<IpNet>,

    /// Seconds within which the body of a request must arrive; a scan may take longer if it arrives at 64 KiB per
    /// second or faster
    #[arg(long, env = "REQUEST_BODY_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub request_body_seconds: u64,

    /// Address and port for /metrics and the detailed /health, such as 127.0.0.1:9464 (the default of driftsentry outside development); the main port then reports only whether the process is up
    #[arg(long, env = "METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,

    /// Number of worker threads; the default is the number of cores
    #[arg(long, env = "WORKERS")]
    pub workers: Option<usize>,
}

impl HttpConfig {
    /// Fills in the defaults that depend on the environment, and checks the other settings.
    ///
    /// # Errors
    /// If a setting is unsafe or malformed: one sentence that names the variable.
    pub(crate) fn resolve(&mut self, process: &ProcessConfig) -> Result<()> {
        let default = if process.is_strict() { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::LOCALHOST };
        self.host.get_or_insert(default.into());
        if self.cors_origin.is_empty() && !process.is_strict() {
            self.cors_origin.push(DEVELOPMENT_ORIGIN.into());
        }
        self.cors_origin.retain(|origin| !origin.is_empty());
        for origin in &mut self.cors_origin {
            *origin = origin::normalize(origin).with_context(|| {
                format!("CORS_ORIGIN lists {origin:?}: give exact origins such as https://app.example.com, without a path, a trailing slash or a wildcard")
            })?;
        }
        Ok(())
    }

    /// Returns the address to listen on.
    pub(crate) fn address(&self) -> IpAddr {
        self.host.unwrap_or(Ipv4Addr::LOCALHOST.into())
    }

    pub(crate) fn body_time(&self) -> Duration {
        Duration::from_secs(self.request_body_seconds)
    }
}
