use anyhow::Result;
use contracts::Clock;
use web::Platform;
use ws_gateway::{Config, State};

#[actix_web::main]
async fn main() -> Result<()> {
    web::init_logging(env!("CARGO_PKG_NAME"))?;
    let config: Config = web::parse();
    let channels = config.settings.channels()?;
    let Config { http, keys, settings, port, redis_url } = config;
    let platform = Platform::connect("ws-gateway", http, &keys, &redis_url, channels, Clock::system())?;
    let state = State::connect(platform.clone(), settings)?;
    platform.spawn("ws-gateway", ws_gateway::run_background(state.clone(), platform.served.clone()));
    web::serve(platform, port, ws_gateway::routes(state)).await
}
