use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::client::{Connection, Provenance, Sender, VARIABLES};
use crate::ingest::FailOn;

/// The time limit of one attempt to send a scan.
const SENDING: Duration = Duration::from_secs(300);

const MORE: &str = "  GITHUB_ACTIONS          if true, annotations are printed for GitHub Actions
  GITLAB_CI               if true, gl-driftsentry-annotations.json is written, for artifacts:reports:annotations

The tool gets all other variables, such as credentials of clouds, TF_WORKSPACE and TF_CLI_ARGS_plan, but none whose
name begins with DRIFTSENTRY_.

Exit codes: 0 nothing new, 2 new or changed drift (see --fail-on), 1 a module was not scanned or another failure.";

/// The modules to scan.
#[derive(Args)]
#[command(after_help = format!("{VARIABLES}{MORE}"))]
pub(crate) struct Scan {
    /// Folders to search for root modules: folders with a provider, backend or cloud block, a .terraform folder or
    /// lock file, or a terragrunt.hcl, that no other module calls by its path
    #[arg(value_name = "DIR", default_value = ".")]
    pub folders: Vec<PathBuf>,

    #[command(flatten)]
    pub connection: Connection,

    /// Name of each stack; {module} stands for the path of the module below DIR
    #[arg(long, default_value = "{module}", value_name = "TEMPLATE")]
    pub stack: String,

    /// Program that plans; `auto` takes terragrunt where there is a terragrunt.hcl, tofu where there are .tofu files,
    /// else terraform, or tofu if terraform is not in PATH
    #[arg(long, value_enum, default_value = "auto")]
    pub tool: ToolChoice,

    /// Number of modules that are planned at the same time
    #[arg(long, default_value_t = 2, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,

    /// Time limit for each module, such as 90s or 15m
    #[arg(long, default_value = "15m", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,

    /// Run `init -input=false` before each plan
    #[arg(long)]
    pub init: bool,

    /// File with the costs of a module, in its folder, as `infracost breakdown --format json` prints them for a plan
    /// without -refresh-only; a module without this file is sent without costs
    #[arg(long, value_name = "NAME")]
    pub infracost: Option<PathBuf>,

    /// Repeat at this interval, such as 6h, until the process is asked to stop
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub watch: Option<Duration>,

    /// Print what would run; run and send nothing
    #[arg(long)]
    pub dry_run: bool,

    #[command(flatten)]
    pub provenance: Provenance,

    /// Lowest severity of new or changed drift for which the exit code is 2
    #[arg(long, value_enum, default_value = "any")]
    pub fail_on: FailOn,

    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ToolChoice {
    Auto,
    Terraform,
    Tofu,
    Terragrunt,
}

impl Scan {
    /// Returns the sender of scans, each of which covers a whole module.
    pub(super) fn sender(&self) -> Result<Sender> {
        let mut endpoint = self.connection.endpoint(&["api", "v1", "drifts", "ingest"])?;
        endpoint.query_pairs_mut().append_pair("complete", "true");
        self.provenance.add_to(&mut endpoint);
        self.connection.sender(endpoint, SENDING)
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (1..=30 * 24 * 60 * 60).contains(&duration.as_secs()) {
        Ok(duration)
    } else {
        Err("must be 1s to 30d".into())
    }
}
