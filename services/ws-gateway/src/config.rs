use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser};
use contracts::events::LOGGED_CHANNELS;
use http::HttpConfig;
use identity::KeyConfig;
use platform::ProcessConfig;

use crate::catalogue::{Catalogue, CatalogueError};
use crate::client::Timing;
use crate::cluster;

/// The config of a gateway that runs alone.
#[derive(Parser)]
#[command(name = "ws-gateway", version, about = "Realtime gateway: Socket.IO and WebSocket")]
pub struct Config {
    #[command(flatten)]
    pub process: ProcessConfig,
    #[command(flatten)]
    pub http: HttpConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub settings: Settings,

    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4004)]
    pub port: u16,

    /// Redis that all services share, such as redis://:password@host:6379; the gateway receives all events
    /// from there
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: String,
}

/// The gateway's own settings.
#[derive(Args, Clone, Debug)]
#[group(id = "ws-gateway")]
pub struct Settings {
    /// TOML file with further channels to relay, before the built-in ones
    #[arg(long, env = "GATEWAY_CATALOGUE", value_name = "FILE")]
    pub gateway_catalogue: Option<PathBuf>,

    /// Name of this gateway in the connection ids that it issues; a proxy routes the requests of a connection
    /// by this name
    #[arg(long, env = "GATEWAY_NODE", value_parser = node_name)]
    pub gateway_node: Option<String>,

    /// Messages that a user may send in a second, over all their sockets
    #[arg(long, env = "GATEWAY_MESSAGES_PER_SECOND", default_value_t = 10)]
    pub gateway_messages_per_second: u64,

    /// Seconds in which a connection must authenticate
    #[arg(long, env = "GATEWAY_HANDSHAKE_SECONDS", default_value_t = 5)]
    pub gateway_handshake_seconds: u64,

    /// Maximum size of a message from a client, in bytes
    #[arg(long, env = "GATEWAY_MAX_FRAME_BYTES", default_value_t = 65_536)]
    pub gateway_max_frame_bytes: usize,

    /// Sockets that a user may have open
    #[arg(long, env = "GATEWAY_SOCKETS_PER_USER", default_value_t = 50)]
    pub gateway_sockets_per_user: u64,

    /// Sockets that an address may have open; 0 means no limit, because many people may share an address
    #[arg(long, env = "GATEWAY_SOCKETS_PER_IP", default_value_t = 0)]
    pub gateway_sockets_per_ip: u64,

    /// Seconds in which a disconnected client can resume with the events it missed; 0 turns recovery off
    #[arg(long, env = "GATEWAY_RECOVERY_SECONDS", default_value_t = 120)]
    pub gateway_recovery_seconds: u64,

    /// Milliseconds between pings
    #[arg(long, env = "GATEWAY_PING_INTERVAL_MS", default_value_t = 25_000)]
    pub gateway_ping_interval_ms: u64,

    /// Milliseconds in which a client must respond to a ping
    #[arg(long, env = "GATEWAY_PING_TIMEOUT_MS", default_value_t = 20_000)]
    pub gateway_ping_timeout_ms: u64,
}

impl Settings {
    /// The catalogue that these settings name.
    ///
    /// # Errors
    /// If the file cannot be read or is wrong; the message says where.
    pub(crate) fn catalogue(&self) -> Result<Catalogue, CatalogueError> {
        Catalogue::load(self.gateway_catalogue.as_deref())
    }

    /// Returns the channels to which the process's backplane must subscribe in addition to the logged ones.
    ///
    /// # Errors
    /// See [`Settings::catalogue`].
    pub fn channels(&self) -> Result<Vec<String>, CatalogueError> {
        let mut channels = self.catalogue()?.channels();
        channels.retain(|channel| !LOGGED_CHANNELS.contains(&channel.as_str()));
        channels.push(cluster::CHANNEL.into());
        Ok(channels)
    }

    pub(crate) fn handshake(&self) -> Duration {
        Duration::from_secs(self.gateway_handshake_seconds)
    }

    pub(crate) fn timing(&self) -> Timing {
        Timing {
            ping_interval: Duration::from_millis(self.gateway_ping_interval_ms),
            ping_timeout: Duration::from_millis(self.gateway_ping_timeout_ms),
            handshake: self.handshake(),
        }
    }

    /// Returns the precision of timers that the configured pings need.
    pub(crate) fn tick(&self) -> Duration {
        let timing = self.timing();
        (timing.ping_interval + timing.ping_timeout) / 200
    }

    /// Time in which a disconnected client may resume; `None` if recovery is off.
    pub(crate) fn recovery(&self) -> Option<Duration> {
        (self.gateway_recovery_seconds > 0).then(|| Duration::from_secs(self.gateway_recovery_seconds))
    }
}

/// Parses a node name: short, and without characters that need escaping in a URL. It has no dot, because a dot
/// separates it from the rest of an id.
fn node_name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=32).contains(&text.len()) && text.bytes().all(fits) {
        return Ok(text.into());
    }
    Err("must have 1 to 32 letters, digits, - or _".into())
}
