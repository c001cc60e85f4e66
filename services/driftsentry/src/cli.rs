use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use identity::KeyConfig;
use web::HttpConfig;

/// Infrastructure drift, decided by your team, live.
///
/// Without arguments: everything on http://localhost:3001, its data in ./data, nothing else needed.
#[derive(Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make an admin; the password is asked for, or read from standard input
    CreateAdmin {
        #[arg(long)]
        email: String,
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Send a scan: a plan as `terraform show -json` prints it, or driftctl's JSON
    ///
    /// Exits with 0 if there is nothing new, 2 if there is new or changed drift, 1 if it failed.
    Ingest(Ingest),
}

/// A scan and where to send it.
#[derive(Args)]
pub struct Ingest {
    /// File to send, plain or gzip; - reads standard input
    pub file: PathBuf,

    /// Where DriftSentry is; the token of an engineer or a service comes in DRIFTSENTRY_TOKEN
    #[arg(long, env = "DRIFTSENTRY_URL", default_value = "http://localhost:3001", value_name = "URL")]
    pub url: String,

    /// Token of an engineer or of a service; by the environment only, since arguments can be seen by others
    #[arg(long = "token", env = "DRIFTSENTRY_TOKEN", hide = true, hide_env_values = true)]
    pub token: Option<String>,

    /// What was scanned: the name of the state or workspace
    #[arg(long)]
    pub stack: String,

    /// The scan covers the whole stack: drifts that it does not show are resolved
    #[arg(long)]
    pub complete: bool,

    /// Only say what would happen
    #[arg(long)]
    pub dry_run: bool,

    /// `drift` reads resource_drift, `changes` reads resource_changes
    #[arg(long, default_value = "drift", value_parser = ["drift", "changes"])]
    pub source: String,

    /// Account of the resources, where the scan does not tell
    #[arg(long)]
    pub account_id: Option<String>,

    /// Region of the resources, where the scan does not tell
    #[arg(long)]
    pub region: Option<String>,
}

/// How to serve.
#[derive(Args)]
pub struct Serve {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 3001)]
    pub port: u16,

    /// Folder of the SQLite files and the generated secrets
    #[arg(long, env = "DATA_DIR", default_value = "data", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// Postgres instead of SQLite, such as postgres://user:password@host/name; each service has a schema
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Redis, so that several processes share events, such as redis://host:6379
    #[arg(long, env = "REDIS_URL", hide_env_values = true, default_value = "memory:", value_name = "URL")]
    pub redis_url: String,

    #[command(flatten, next_help_heading = "HTTP")]
    pub http: HttpConfig,

    #[command(flatten, next_help_heading = "Access tokens")]
    pub keys: KeyConfig,

    #[command(flatten, next_help_heading = "Users and sessions")]
    pub auth: auth_service::Settings,

    #[command(flatten, next_help_heading = "Drifts")]
    pub drift: drift_service::Settings,

    #[command(flatten, next_help_heading = "Sockets")]
    pub gateway: ws_gateway::Settings,
}
