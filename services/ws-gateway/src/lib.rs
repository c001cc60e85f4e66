//! The realtime gateway: Socket.IO for stock clients and plain WebSocket, rooms, and the relay of
//! events from the backplane. It has no database, and knows nothing of what the events mean beyond
//! its catalogue.
//!
//! From the bottom up: [`frame`] and the pure protocols (`engineio`, `socketio`, `plain`), the queue
//! of a connection (`outbound`), the sockets of a worker thread (`hub`), what a client may do
//! (`connection`), the transports (`http`), and the relay that feeds it all (`relay`). Start with
//! `connection` for what comes in, and with `relay` for what goes out.

mod authorise;
mod catalogue;
mod cluster;
#[doc(hidden)]
pub mod conformance;
mod connection;
#[cfg(test)]
mod documented;
mod drain;
mod ending;
mod engineio;
mod frame;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gateway;
mod history;
mod http;
mod hub;
mod keeper;
mod metrics;
mod openapi;
mod outbound;
mod places;
mod plain;
mod recovery;
mod relay;
mod revocation;
mod settings;
mod socketio;
mod sockets;

use std::sync::Arc;

use actix_web::web::ServiceConfig;
use anyhow::Result;
use clap::Parser;
use futures_util::FutureExt;
use identity::KeyConfig;
use web::{HttpConfig, Platform};

pub use openapi::openapi;
pub use settings::Settings;

use gateway::Gateway;

/// Everything that the gateway reads at start, where it runs alone.
#[derive(Parser)]
#[command(name = "ws-gateway", version, about = "Realtime gateway: Socket.IO and WebSocket")]
pub struct Config {
    #[command(flatten)]
    pub http: HttpConfig,
    #[command(flatten)]
    pub keys: KeyConfig,
    #[command(flatten)]
    pub settings: Settings,

    /// Port to listen on
    #[arg(long, env = "PORT", default_value_t = 4004)]
    pub port: u16,

    /// Redis that all services share: a gateway of its own would hear nothing
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: String,
}

/// What the gateway's routes and tasks share. Cheap to clone.
#[derive(Clone)]
pub struct State {
    gateway: Arc<Gateway>,
}

impl State {
    /// Loads the catalogue and registers metrics.
    ///
    /// # Errors
    /// If the catalogue is wrong; the message says where.
    pub fn connect(platform: Platform, settings: Settings) -> Result<Self> {
        Ok(Self { gateway: Arc::new(Gateway::new(platform, settings)?) })
    }

    /// For the test suites of the protocols: see [`conformance`].
    #[doc(hidden)]
    pub fn for_conformance(
        platform: Platform,
        settings: Settings,
        suite: conformance::Suite,
    ) -> Result<Self> {
        let mut gateway = Gateway::new(platform, settings)?;
        gateway.suite = Some(suite);
        Ok(Self { gateway: Arc::new(gateway) })
    }
}

/// The paths of the gateway.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| http::configure(&state.gateway, config)
}

/// Begins to relay events and to follow ended sessions, for as long as requests are served. When the
/// process is to stop, the sockets say goodbye first.
pub fn run_background(state: &State) {
    let gateway = &state.gateway;
    let platform = &gateway.platform;
    let served = || platform.served.clone();
    platform.spawn("relay", relay::run(Arc::clone(gateway), served()).map(Ok));
    platform.spawn("revoked sockets", revocation::run(Arc::clone(gateway), served()).map(Ok));
    platform.spawn("cluster", Arc::clone(gateway).stay_in_cluster(served()).map(Ok));
    platform.spawn("slots", Arc::clone(gateway).renew_places(served()).map(Ok));
    platform.spawn("recovery", Arc::clone(gateway).renew_kept(served()).map(Ok));
    let (keeping, until) = (Arc::clone(gateway), served());
    platform
        .spawn("keeper", async move { keeping.keeper.run(&keeping.platform.backplane, until).await }.map(Ok));
    let leaving = Arc::clone(gateway);
    let farewell = platform.farewells.track_future(async move {
        leaving.platform.stop.cancelled().await;
        leaving.drain().await;
    });
    platform.tasks.run("drain", farewell);
}
