use std::process::ExitCode;

use anyhow::Result;
use contracts::Clock;
use http::Http;
use platform::Platform;
use ws_gateway::{Config, State};

#[actix_web::main]
async fn main() -> ExitCode {
    platform::exit_code(run().await)
}

async fn run() -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let config: Config = platform::parse(&[]);
    let channels = config.settings.channels()?;
    let Config { process, http, keys, settings, port, redis_url } = config;
    let platform = Platform::connect("ws-gateway", process, &keys, &redis_url, channels, Clock::system())?;
    let http = Http::new(http, &platform)?;
    let state = State::connect(platform.clone(), settings)?;
    platform
        .spawn("ws-gateway", ws_gateway::run_background(state.clone(), platform.lifecycle().served.clone()));
    http::serve(platform, http, port, ws_gateway::routes(state)).await
}
