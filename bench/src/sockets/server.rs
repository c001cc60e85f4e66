//! The servers that are compared, each with its own Redis.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use testing::{PrivateRedis, Process, binary, free_port};

use super::events::Publisher;
use crate::measure::{Cpu, kibibytes};
use crate::service::SECRET;

const PEER: &str = "bench/peers/socketio/server.mjs";
/// Long enough to keep pings out: their cost depends on elapsed time, not on the measured operations.
const PING_INTERVAL_MS: &str = "300000";
/// Share of a core below which a server counts as idle.
const REST: f64 = 0.02;
const REST_WINDOW: Duration = Duration::from_millis(400);
const REST_LIMIT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Kind {
    Gateway,
    /// The gateway again, with its sockets on `/ws`.
    GatewayPlain,
    Floor,
    /// The floor that combines all queued events into one write.
    FloorGathering,
    SocketIo,
    SocketIoTwice,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::Gateway,
        Self::GatewayPlain,
        Self::Floor,
        Self::FloorGathering,
        Self::SocketIo,
        Self::SocketIoTwice,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "ws-gateway",
            Self::GatewayPlain => "ws-gateway /ws",
            Self::Floor => "floor",
            Self::FloorGathering => "floor in one go",
            Self::SocketIo => "Socket.IO",
            Self::SocketIoTwice => "Socket.IO × 2 + Redis adapter",
        }
    }
}

/// A running server that only the bench uses.
pub(super) struct Server {
    processes: Vec<Process>,
    pub addresses: Vec<SocketAddr>,
    pub publisher: Publisher,
    _redis: PrivateRedis,
}

impl Server {
    pub(super) async fn start(kind: Kind) -> Result<Self> {
        let redis = PrivateRedis::start();
        let (mut processes, mut addresses) = (Vec::new(), Vec::new());
        for number in 0..if kind == Kind::SocketIoTwice { 2 } else { 1 } {
            let port = free_port();
            let mut process = spawn(kind, number, port, &redis.url());
            process.wait_until_ready(&format!("http://127.0.0.1:{port}")).await;
            processes.push(process);
            addresses.push(SocketAddr::from(([127, 0, 0, 1], port)));
        }
        let publisher = Publisher::connect(&redis.url())?;
        Ok(Self { processes, addresses, publisher, _redis: redis })
    }

    /// Returns the time that the server's processes have used so far.
    pub(super) fn cpu(&self) -> Vec<Cpu> {
        self.processes.iter().map(|process| Cpu::of(process.id())).collect()
    }

    pub(super) fn spent_since(&self, before: &[Cpu]) -> Duration {
        self.cpu().iter().zip(before).map(|(now, before)| now.since(before)).sum()
    }

    /// Returns resident and proportional memory in KiB.
    pub(super) fn memory(&self) -> [f64; 2] {
        ["Rss", "Pss"]
            .map(|line| self.processes.iter().map(|it| kibibytes(it.id(), "smaps_rollup", line)).sum())
    }

    /// Waits until the server is idle.
    pub(super) async fn rests(&self) {
        let started = Instant::now();
        while started.elapsed() < REST_LIMIT {
            let before = self.cpu();
            tokio::time::sleep(REST_WINDOW).await;
            if self.spent_since(&before).as_secs_f64() < REST * REST_WINDOW.as_secs_f64() {
                return;
            }
        }
    }
}

fn spawn(kind: Kind, number: usize, port: u16, redis: &str) -> Process {
    let mut environment = vec![
        ("HOST", "127.0.0.1".to_owned()),
        ("PORT", port.to_string()),
        ("REDIS_URL", redis.to_owned()),
        ("JWT_ACCESS_SECRET", SECRET.to_owned()),
        ("RUST_LOG", "warn".to_owned()),
    ];
    match kind {
        Kind::Gateway | Kind::GatewayPlain => {
            environment.push(("GATEWAY_PING_INTERVAL_MS", PING_INTERVAL_MS.into()));
            Process::spawn(&binary("ws-gateway"), &[], environment)
        }
        Kind::Floor => Process::spawn(&binary("floor"), &[], environment),
        Kind::FloorGathering => {
            environment.push(("FLOOR_GATHER", "true".into()));
            Process::spawn(&binary("floor"), &[], environment)
        }
        Kind::SocketIo | Kind::SocketIoTwice => {
            let peers = if kind == Kind::SocketIoTwice { 2 } else { 1 };
            environment.push(("PING_INTERVAL_MS", PING_INTERVAL_MS.into()));
            environment.push(("PEERS", peers.to_string()));
            // One process receives the events, and passes them to the other through the adapter.
            environment.push(("RELAYS", (number + 1 == peers).to_string()));
            environment.push(("NODE_ENV", "production".into()));
            Process::spawn(Path::new("node"), &[PEER], environment)
        }
    }
}
