use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use contracts::Clock;
use reqwest::Url;

use super::send::Sender;
use super::token_expiry;

/// The variables that each command of a CI job reads.
pub(crate) const VARIABLES: &str = "Environment:
  DRIFTSENTRY_TOKEN       access token of an engineer, or service token; not an argument, because other users of the machine see arguments
  DRIFTSENTRY_URL         the same as --url
  HTTPS_PROXY, HTTP_PROXY proxy to use; NO_PROXY lists hosts that need none
  SSL_CERT_FILE           file of certificates to trust, for a private certificate authority
  SSL_CERT_DIR            folder of such files
";

/// The DriftSentry server, and the access to it.
#[derive(Args)]
pub(crate) struct Connection {
    /// Address of DriftSentry
    #[arg(long, env = "DRIFTSENTRY_URL", default_value = "http://localhost:3001", value_name = "URL")]
    pub url: String,

    /// Access token of an engineer, or service token; set in the environment only, because others could see
    /// an argument
    #[arg(long = "token", env = "DRIFTSENTRY_TOKEN", hide = true, hide_env_values = true)]
    pub token: Option<String>,

    /// Number of retries when the service is unavailable or the connection is lost
    #[arg(long, default_value_t = 4, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(0..=20))]
    pub retries: u32,

    /// Print the causes and a backtrace of a failure
    #[arg(long)]
    pub debug: bool,
}

impl Connection {
    /// Returns a sender of uploads to this endpoint, with the time limit of one attempt. Warns if the token expires
    /// soon.
    pub(crate) fn sender(&self, endpoint: Url, timeout: Duration) -> Result<Sender> {
        let token = self.token()?;
        token_expiry::warn(token, Clock::system().now());
        Sender::new(endpoint, token, timeout, self.retries)
    }

    /// Returns the URL of an endpoint.
    pub(crate) fn endpoint(&self, path: &[&str]) -> Result<Url> {
        let not_a_url = "--url must be a URL such as https://drift.example.com";
        let mut url: Url = self.url.parse().context(not_a_url)?;
        ensure!(matches!(url.scheme(), "http" | "https"), not_a_url);
        url.path_segments_mut().ok().context(not_a_url)?.pop_if_empty().extend(path);
        Ok(url)
    }

    /// Returns the address of the console.
    pub(crate) fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// Returns the token without the white space around it: secret stores often add a final line break.
    fn token(&self) -> Result<&str> {
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        token.context("DRIFTSENTRY_TOKEN is missing: set it to a service token or an access token")
    }
}
