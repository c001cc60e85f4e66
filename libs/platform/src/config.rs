use backplane::Prefix;
use clap::{Args, ValueEnum};

use crate::redis_tls::RedisTlsConfig;

/// The environment that a process runs in. Outside development, unsafe settings are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    Development,
    Test,
    Staging,
    Production,
}

/// The settings of a process that depend on no service.
#[derive(Args, Clone, Debug)]
pub struct ProcessConfig {
    /// Environment of the deployment; outside development, weak secrets and insecure cookies are refused
    #[arg(long = "environment", env = "APP_ENV", value_enum, default_value = "development")]
    pub environment: Environment,

    /// Allow connections without TLS to databases and Redis at public addresses, outside development
    #[arg(long, env = "ALLOW_PLAINTEXT", default_value_t = false, action = clap::ArgAction::Set)]
    pub allow_plaintext: bool,

    /// Serve the REST contract of the replaced Node stack too: a request gets it unless it sends X-API-Contract: current.
    /// PUBLIC_READS is then true unless set
    #[arg(long, env = "COMPAT_ROUTES", default_value_t = false, action = clap::ArgAction::Set)]
    pub compat_routes: bool,

    /// Seconds that a stopping process waits for its requests and sockets
    #[arg(long, env = "SHUTDOWN_SECONDS", default_value_t = 30)]
    pub shutdown_seconds: u64,

    /// Name of this installation on a Redis that several installations share
    #[arg(long, env = "REDIS_PREFIX", default_value_t = Prefix::default(), value_name = "NAME")]
    pub redis_prefix: Prefix,

    #[command(flatten)]
    pub redis_tls: RedisTlsConfig,
}

impl ProcessConfig {
    /// Whether unsafe settings must be refused.
    pub fn is_strict(&self) -> bool {
        !matches!(self.environment, Environment::Development | Environment::Test)
    }
}
