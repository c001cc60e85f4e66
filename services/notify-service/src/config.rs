use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser};
use http::HttpConfig;
use identity::{KeyConfig, parse_duration};
use mail::MailConfig;
use platform::ProcessConfig;

/// Notifications of DriftSentry: webhooks, chat, pagers and mails.
#[derive(Parser)]
#[command(version)]
pub struct Config {
    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4003)]
    pub port: u16,

    /// Database of the notifications, such as postgres://user:password@host/notifications
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
    pub mail: MailConfig,

    #[command(flatten)]
    pub settings: Settings,
}

/// Settings that only notify-service has.
#[derive(Args, Clone)]
#[group(id = "notify-service")]
pub struct Settings {
    /// Secret that encrypts the addresses and secrets of destinations; at least 32 bytes outside development
    #[arg(long, env = "NOTIFY_SECRET", hide_env_values = true, value_name = "SECRET")]
    pub notify_secret: Option<String>,

    /// Former NOTIFY_SECRET, while destinations that it encrypted still exist
    #[arg(long, env = "NOTIFY_SECRET_PREVIOUS", hide_env_values = true, value_name = "SECRET")]
    pub notify_secret_previous: Option<String>,

    /// Allow destinations at private addresses and without TLS
    #[arg(long, env = "ALLOW_PRIVATE_WEBHOOKS", action = clap::ArgAction::Set, default_value_t = false, value_name = "true|false")]
    pub allow_private_webhooks: bool,

    /// Time for one attempt to deliver
    #[arg(long, env = "NOTIFY_TIMEOUT", default_value = "10s", value_parser = parse_duration)]
    pub notify_timeout: Duration,

    /// Time for which a delivery is tried again
    #[arg(long, env = "NOTIFY_RETRY_FOR", default_value = "24h", value_parser = parse_duration)]
    pub notify_retry_for: Duration,

    /// Days for which finished deliveries are kept, with their events
    #[arg(long, env = "NOTIFY_RETENTION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub notify_retention_days: u32,

    /// Address of drift-service for decisions from Slack, such as http://drift-service:4001; without it, messages in Slack
    /// have no buttons
    #[arg(long, env = "DRIFT_SERVICE_URL", value_name = "URL")]
    pub drift_service_url: Option<String>,

    /// Name servers for the addresses of destinations, such as 10.0.0.2:53, separated by commas; default: those of the
    /// system
    #[arg(long, env = "NOTIFY_DNS_SERVERS", value_delimiter = ',', value_name = "ADDRESSES")]
    pub notify_dns_servers: Vec<SocketAddr>,
}
