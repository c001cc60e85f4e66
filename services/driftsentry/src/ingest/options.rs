use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

const ENVIRONMENT: &str = "Environment:
  DRIFTSENTRY_TOKEN       access token of an engineer, or service token; not an argument, because other users of the machine see arguments
  DRIFTSENTRY_URL         the same as --url
  HTTPS_PROXY, HTTP_PROXY proxy to use; NO_PROXY lists hosts that need none
  SSL_CERT_FILE           file of certificates to trust, for a private certificate authority
  SSL_CERT_DIR            folder of such files
  GITHUB_ACTIONS          if true, annotations are printed for GitHub Actions
  GITLAB_CI               if true, gl-driftsentry-annotations.json is written, for artifacts:reports:annotations

Exit codes: 0 nothing new, 2 new or changed drift (see --fail-on), 1 failure.";

/// The scans and their destination.
#[derive(Args)]
#[command(after_help = ENVIRONMENT)]
pub(crate) struct Ingest {
    /// Files to send, plain or gzip; a folder stands for all .json, .jsonl and .gz files in it, - for
    /// standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Address of DriftSentry
    #[arg(long, env = "DRIFTSENTRY_URL", default_value = "http://localhost:3001", value_name = "URL")]
    pub url: String,

    /// Access token of an engineer, or service token; set in the environment only, because others could see
    /// an argument
    #[arg(long = "token", env = "DRIFTSENTRY_TOKEN", hide = true, hide_env_values = true)]
    pub token: Option<String>,

    /// Name of the state or workspace; {file} stands for the path of each file
    #[arg(long)]
    pub stack: String,

    /// The scan covers the whole stack, so drifts that it does not show are resolved
    #[arg(long)]
    pub complete: bool,

    /// Vouch for plans that do not state that they are complete: they were neither targeted nor created with
    /// -refresh=false
    #[arg(long)]
    pub assume_complete: bool,

    /// Read driftctl's unmanaged resources as well
    #[arg(long)]
    pub unmanaged: bool,

    /// Print the report, but store nothing
    #[arg(long)]
    pub dry_run: bool,

    /// `drift` reads resource_drift, `changes` reads resource_changes
    #[arg(long, default_value = "drift", value_parser = ["drift", "changes"])]
    pub source: String,

    /// Cloud account of resources for which the scan names none
    #[arg(long)]
    pub account_id: Option<String>,

    /// Region of resources for which the scan names none
    #[arg(long)]
    pub region: Option<String>,

    /// Lowest severity of new or changed drift for which the exit code is 2
    #[arg(long, value_enum, default_value = "any")]
    pub fail_on: FailOn,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Timeout of one attempt in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,

    /// Number of retries when the service is unavailable or the connection is lost
    #[arg(long, default_value_t = 4, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(0..=20))]
    pub retries: u32,

    /// Print the causes and a backtrace of a failure
    #[arg(long)]
    pub debug: bool,
}

impl Ingest {
    /// Returns the token without the white space around it: secret stores often add a final line break.
    pub(crate) fn token(&self) -> Result<&str> {
        let token = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty());
        token.context("DRIFTSENTRY_TOKEN is missing: set it to a service token or an access token")
    }
}

/// The lowest severity that counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Critical,
    Warning,
    Any,
}
