//! A server for the public test suites of Engine.IO v4 and Socket.IO v5, which find it on port 3000:
//! `cargo run -p ws-gateway --example conformance -- engine.io` (or `socket.io`), then `npm test` in
//! the suite's folder.

use anyhow::{Context, Result};
use clap::Parser;
use contracts::Clock;
use web::Platform;
use ws_gateway::conformance::Suite;
use ws_gateway::{Config, State};

// One worker: the suites rely on the order of what they send on two connections.
const SETTINGS: [&str; 19] = [
    "conformance",
    "--host",
    "127.0.0.1",
    "--workers",
    "1",
    "--port",
    "3000",
    "--redis-url",
    "memory:",
    "--jwt-access-secret",
    "nobody shows a token",
    "--gateway-ping-interval-ms",
    "300",
    "--gateway-ping-timeout-ms",
    "200",
    "--gateway-max-frame-bytes",
    "1000000",
    "--gateway-recovery-seconds",
    "0",
];

#[actix_web::main]
async fn main() -> Result<()> {
    web::init_logging(env!("CARGO_PKG_NAME"))?;
    let suite = match std::env::args().nth(1).as_deref() {
        Some("engine.io") => Suite::EngineIo,
        Some("socket.io") => Suite::SocketIo,
        _ => return Err(anyhow::anyhow!("name a suite: engine.io or socket.io")),
    };
    let Config { http, keys, settings, port, redis_url } = Config::parse_from(SETTINGS);
    let platform = Platform::connect("conformance", http, &keys, &redis_url, vec![], Clock::system())?;
    let state = State::for_conformance(platform.clone(), settings, suite).context("the gateway")?;
    ws_gateway::run_background(&state);
    web::serve(platform, port, ws_gateway::routes(state)).await
}
