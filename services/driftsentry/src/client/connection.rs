use std::time::Duration;

use anyhow::Result;
use clap::Args;
use contracts::Clock;
use reqwest::Url;

use super::credential::Credential;
use super::send::Sender;
use super::server::Server;
use super::token_expiry;
use crate::login::StoredLogin;

/// The variables that each command of a CI job reads.
pub(crate) const VARIABLES: &str = "Environment:
  DRIFTSENTRY_TOKEN       access token of an engineer, or service token; not an argument, because other users of the machine see arguments; without it, the login of `driftsentry login` counts
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
        Sender::new(endpoint, self.credential()?, timeout, self.retries)
    }

    /// Returns the URL of an endpoint.
    pub(crate) fn endpoint(&self, path: &[&str]) -> Result<Url> {
        Server::parse(&self.url)?.endpoint(path)
    }

    /// Returns the address of the console.
    pub(crate) fn base(&self) -> &str {
        self.url.trim_end_matches('/')
    }

    /// Returns the token of the environment or, without one, the stored login. The token loses the white space around
    /// it: secret stores often add a final line break.
    fn credential(&self) -> Result<Credential> {
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        let Some(token) = token else {
            return Ok(Credential::Stored(StoredLogin::of(Server::parse(&self.url)?)?));
        };
        token_expiry::warn(token, Clock::system().now());
        Ok(Credential::Given(token.to_owned()))
    }
}
