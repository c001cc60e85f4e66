use std::path::PathBuf;

use auth_service::ShellCommand;
use clap::{Args, Parser, Subcommand};
use http::HttpConfig;
use identity::KeyConfig;
use legacy::ImportCommand;
use platform::ProcessConfig;

use crate::guard::Guard;
use crate::ingest::Ingest;
use crate::passwords::Passwords;
use crate::runner::Scan;

/// Infrastructure drift, decided by your team, live.
///
/// Without arguments, driftsentry runs everything on http://localhost:3001, stores its data in ./data, and
/// needs no other server.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Auth(ShellCommand),
    /// Move the SQLite files in DATA_DIR to an empty PostgreSQL database; stop the server first
    MigrateStorage {
        /// New database, such as postgres://user@host/name; the password may stand in PGPASSWORD instead, because
        /// other users of the machine see arguments
        #[arg(long, value_name = "URL")]
        to: String,
    },
    /// Copy users, drifts, alerts and the audit log of the replaced Node stack, which is only read
    ImportLegacy(ImportCommand),
    /// Lists of breached passwords, for PASSWORD_BLOCKLIST
    #[command(subcommand)]
    Passwords(Passwords),
    /// Send scans: plans as `terraform show -json` prints them, or driftctl's JSON
    Ingest(Box<Ingest>),
    /// Plan root modules with Terraform, OpenTofu or Terragrunt, and send the plans
    Scan(Box<Scan>),
    /// Check a plan before it is applied: does it undo an approved drift, or touch an undecided one?
    Guard(Box<Guard>),
}

/// The options of the server.
#[derive(Args)]
pub(crate) struct Serve {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 3001)]
    pub port: u16,

    /// Folder of the SQLite files and the generated secrets
    #[arg(long, env = "DATA_DIR", default_value = "data", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// Postgres instead of SQLite, such as postgres://user:password@host/name; each service has a schema
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Another connection to the same database for the migrations, such as past a pooler or as the owner of the tables
    #[arg(long, env = "MIGRATION_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub migration_database_url: Option<String>,

    /// Redis, so that several processes share events: redis://host:6379, redis+sentinel://host:26379,host2/name or
    /// redis+cluster://host:6379,host2
    #[arg(long, env = "REDIS_URL", hide_env_values = true, default_value = "memory:", value_name = "URL")]
    pub redis_url: String,

    #[command(flatten, next_help_heading = "Process")]
    pub process: ProcessConfig,

    #[command(flatten, next_help_heading = "HTTP")]
    pub http: HttpConfig,

    #[command(flatten, next_help_heading = "Access tokens")]
    pub keys: KeyConfig,

    #[command(flatten, next_help_heading = "Users and sessions")]
    pub auth: auth_service::Settings,

    #[command(flatten, next_help_heading = "Drifts")]
    pub drift: drift_service::Settings,

    #[command(flatten, next_help_heading = "Notifications")]
    pub notify: notify_service::Settings,

    #[command(flatten, next_help_heading = "Sockets")]
    pub gateway: ws_gateway::Settings,
}
