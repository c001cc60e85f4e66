use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use http::HttpConfig;
use identity::{KeyConfig, parse_duration};
use legacy::ImportCommand;
use platform::ProcessConfig;

/// Drifts, alerts, ingest, summary and audit of DriftSentry.
#[derive(Parser)]
#[command(version)]
pub struct Config {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4002)]
    pub port: u16,

    /// Database of the drifts, such as postgres://user:password@host/drifts
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// Another connection to the same database for the migrations, such as past a pooler or as the owner of the tables
    #[arg(long, env = "MIGRATION_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub migration_database_url: Option<String>,

    /// Redis for the events, such as redis://host:6379
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: String,

    #[command(flatten)]
    pub process: ProcessConfig,

    #[command(flatten)]
    pub http: HttpConfig,

    #[command(flatten)]
    pub keys: KeyConfig,

    #[command(flatten)]
    pub settings: Settings,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Copy the drifts, alerts and the audit log of the replaced Node stack, which is only read
    ImportLegacy(ImportCommand),
}

/// Settings that only drift-service has.
#[derive(Args, Clone)]
#[group(id = "drift-service")]
pub struct Settings {
    /// Allow everybody to read drifts, alerts and the summary without an account; states are never public;
    /// default: true in development and with
    /// COMPAT_ROUTES=true, false elsewhere
    #[arg(long = "public-reads", env = "PUBLIC_READS", action = clap::ArgAction::Set, value_name = "true|false")]
    public_reads_setting: Option<bool>,

    /// The setting, or its default in this environment.
    #[arg(skip)]
    pub(crate) public_reads: bool,

    /// TOML file with rules that rate drifts or ignore them
    #[arg(long, env = "DRIFT_RULES", value_name = "FILE")]
    pub drift_rules: Option<PathBuf>,

    /// Days for which scans are kept; the last one of each stack stays
    #[arg(long, env = "SCAN_RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub scan_retention_days: u32,

    /// Interval between searches for overdue scans and for approvals and snoozes that end, more than 0
    #[arg(long, env = "STACK_CHECK_INTERVAL", default_value = "15s", value_parser = parse_duration)]
    pub stack_check_interval: Duration,

    /// Secret that keys the hashes of states; at least 32 bytes outside development
    #[arg(long, env = "DRIFT_HASH_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub drift_hash_secret: Option<String>,
}

impl Settings {
    /// Fills in the defaults that depend on the environment.
    pub(crate) fn for_environment(self, process: &ProcessConfig) -> Self {
        let public_reads = self.public_reads_setting.unwrap_or_else(|| {
            if process.is_strict() && process.compat_routes {
                tracing::warn!("everybody may read drifts, alerts and the summary, because COMPAT_ROUTES is true and PUBLIC_READS is not set");
            }
            !process.is_strict() || process.compat_routes
        });
        Self { public_reads, ..self }
    }
}
