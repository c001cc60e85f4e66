use clap::{Parser, Subcommand};
use http::HttpConfig;
use identity::KeyConfig;
use legacy::ImportCommand;
use platform::ProcessConfig;

use crate::settings::Settings;
use crate::shell_command::ShellCommand;

/// DriftSentry's users, sessions and tokens.
#[derive(Parser)]
#[command(name = "auth-service", version)]
pub struct Config {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4001)]
    pub port: u16,

    /// Database, such as postgres://user:password@host/auth or sqlite://auth.sqlite?mode=rwc
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: String,

    /// Another connection to the same database for the migrations, such as past a pooler or as the owner of the tables
    #[arg(long, env = "MIGRATION_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub migration_database_url: Option<String>,

    /// Redis, such as redis://:password@host:6379
    #[arg(long, env = "REDIS_URL", hide_env_values = true, value_name = "URL")]
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
    /// Bring the database up to date and exit
    Migrate,
    /// Copy the users of the replaced Node stack, which is only read
    ImportLegacy(ImportCommand),
    #[command(flatten)]
    Shell(ShellCommand),
}
