use std::path::PathBuf;

use clap::{Args, Parser};
use identity::KeyConfig;
use web::HttpConfig;

/// Drifts, alerts, ingest, summary and audit of DriftSentry.
#[derive(Parser, Clone)]
#[command(version)]
pub struct Config {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4002)]
    pub port: u16,

    /// Where drifts are stored, such as postgres://user:password@host/drifts
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: String,

    /// Where events are published, such as redis://host:6379
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: String,

    #[command(flatten)]
    pub http: HttpConfig,

    #[command(flatten)]
    pub keys: KeyConfig,

    #[command(flatten)]
    pub settings: Settings,
}

/// What is drift-service's own.
#[derive(Args, Clone)]
#[group(id = "drift-service")]
pub struct Settings {
    /// Whether drifts, alerts and the summary may be read without an account; states never are
    #[arg(long, env = "PUBLIC_READS", default_value_t = true, action = clap::ArgAction::Set)]
    pub public_reads: bool,

    /// Severity and ignore rules (TOML)
    #[arg(long, env = "DRIFT_RULES", value_name = "FILE")]
    pub drift_rules: Option<PathBuf>,

    /// Secret under which states are recognised again without being stored; at least 32 bytes outside development
    #[arg(long, env = "DRIFT_HASH_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub drift_hash_secret: Option<String>,
}
