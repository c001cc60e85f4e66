use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use crate::client::{Connection, Sender, VARIABLES};

const EXIT_CODES: &str = "
Exit codes: 0 clear, 2 the plan undoes an approved drift, 3 it touches an undecided drift or has an entry that cannot
be read (2 takes precedence), 1 failure.";

/// The plan that is about to be applied.
#[derive(Args)]
#[command(after_help = format!("{VARIABLES}{EXIT_CODES}"))]
pub(crate) struct Guard {
    /// Plan as `terraform show -json tfplan` prints it, plain or gzip; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    #[command(flatten)]
    pub connection: Connection,

    /// Name of the state or workspace, as in its scans
    #[arg(long)]
    pub stack: String,

    /// Cloud account of resources for which the plan names none
    #[arg(long)]
    pub account_id: Option<String>,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,

    /// Timeout of one attempt in seconds
    #[arg(long, default_value_t = 300, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: u64,
}

impl Guard {
    pub(super) fn sender(&self) -> Result<Sender> {
        let mut endpoint = self.connection.endpoint(&["api", "v1", "guard"])?;
        if let Some(account) = &self.account_id {
            endpoint.query_pairs_mut().append_pair("accountId", account);
        }
        self.connection.sender(endpoint, Duration::from_secs(self.timeout))
    }
}
