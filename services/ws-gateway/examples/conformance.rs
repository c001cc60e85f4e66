//! A server for public test suites, which do not come in packages: check out the suite, start this beside it,
//! and run its `npm test`.
//!
//! | suite | start | listens on |
//! |---|---|---|
//! | the protocol of Engine.IO, v4 | `cargo run -p ws-gateway --example conformance -- engine.io` | 3000 |
//! | the protocol of Socket.IO, v5 | `cargo run -p ws-gateway --example conformance -- socket.io` | 3000 |
//! | the stock client's own | `cargo run -p ws-gateway --example conformance -- client` | 3210 |
//!
//! `PORT` chooses another port.

use anyhow::{Context, Result};
use clap::Parser;
use contracts::Clock;
use http::Http;
use platform::Platform;
use ws_gateway::conformance::Suite;
use ws_gateway::{Config, State};

// One worker: the suites rely on the order of what they send on two connections.
const SETTINGS: [&str; 13] = [
    "conformance",
    "--host",
    "127.0.0.1",
    "--workers",
    "1",
    "--redis-url",
    "memory:",
    "--jwt-access-secret",
    "nobody shows a token",
    "--gateway-max-frame-bytes",
    "1000000",
    "--gateway-recovery-seconds",
    "0",
];

#[actix_web::main]
async fn main() -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let (suite, port, [interval, timeout]) = match std::env::args().nth(1).as_deref() {
        Some("engine.io") => (Suite::EngineIo, 3_000, ["300", "200"]),
        Some("socket.io") => (Suite::SocketIo, 3_000, ["300", "200"]),
        Some("client") => (Suite::Client, 3_210, ["2000", "20000"]),
        _ => return Err(anyhow::anyhow!("name a suite: engine.io, socket.io or client")),
    };
    let port = match std::env::var("PORT") {
        Ok(port) => port.parse().context("PORT must be a number")?,
        Err(_) => port,
    };
    let pings = ["--gateway-ping-interval-ms", interval, "--gateway-ping-timeout-ms", timeout];
    let Config { process, http, keys, settings, redis_url, .. } =
        Config::parse_from(SETTINGS.into_iter().chain(pings));
    let platform = Platform::connect("conformance", process, &keys, &redis_url, vec![], Clock::system())?;
    let http = Http::new(http, &platform)?;
    let state = State::for_conformance(platform.clone(), settings, suite).context("the gateway")?;
    platform
        .spawn("ws-gateway", ws_gateway::run_background(state.clone(), platform.lifecycle().served.clone()));
    http::serve(platform, http, port, ws_gateway::routes(state)).await
}
