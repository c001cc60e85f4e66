use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};
use reqwest::Url;

use crate::client::{Connection, Provenance, Sender, VARIABLES};

/// The variables of CI services, and the exit codes.
const MORE: &str = "  GITHUB_ACTIONS          if true, annotations are printed for GitHub Actions
  GITLAB_CI               if true, gl-driftsentry-annotations.json is written, for artifacts:reports:annotations

Exit codes: 0 nothing new, 2 new or changed drift (see --fail-on), 1 failure.";

/// The scans and their destination.
#[derive(Args)]
#[command(after_help = format!("{VARIABLES}{MORE}"))]
pub(crate) struct Ingest {
    /// Files to send, plain or gzip; a folder stands for all .json, .jsonl and .gz files in it, - for
    /// standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub connection: Connection,

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

    /// Costs of the plan, as `infracost breakdown --format json` prints them for it, plain or gzip
    #[arg(long, value_name = "FILE")]
    pub infracost: Option<PathBuf>,

    #[command(flatten)]
    pub provenance: Provenance,

    /// Lowest severity of new or changed drift for which the exit code is 2
    #[arg(long, value_enum, default_value = "any")]
    pub fail_on: FailOn,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Timeout of one attempt in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

impl Ingest {
    /// Returns the sender of scans with these options.
    pub(super) fn sender(&self) -> Result<Sender> {
        self.connection.sender(self.url()?, Duration::from_secs(self.timeout))
    }

    fn url(&self) -> Result<Url> {
        let mut url = self.connection.endpoint(&["api", "v1", "drifts", "ingest"])?;
        let mut query = url.query_pairs_mut();
        query.append_pair("source", &self.source);
        for (name, value) in [("accountId", &self.account_id), ("region", &self.region)] {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        for (name, set) in [
            ("complete", self.complete),
            ("assumeComplete", self.assume_complete),
            ("unmanaged", self.unmanaged),
            ("dryRun", self.dry_run),
        ] {
            if set {
                query.append_pair(name, "true");
            }
        }
        drop(query);
        self.provenance.add_to(&mut url);
        Ok(url)
    }
}

/// The lowest severity that counts as a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FailOn {
    Critical,
    Warning,
    Any,
    Never,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        scan: Ingest,
    }

    #[test]
    fn the_url_contains_the_options() {
        let arguments =
            ["x", "-", "--url", "https://d.example.com/base/", "--stack", "a b", "--complete", "--unmanaged"];
        let options = ["--run-url", "https://ci.example.com/7", "--commit", "0123abc"];
        let url = Cli::parse_from(arguments.into_iter().chain(options)).scan.url().unwrap();
        let expected = "https://d.example.com/base/api/v1/drifts/ingest?source=drift&complete=true&unmanaged=true\
            &runUrl=https%3A%2F%2Fci.example.com%2F7&commit=0123abc";
        assert_eq!(url.as_str(), expected);
    }
}
