use anyhow::Result;
use contracts::Clock;
use drift_service::{Config, State, routes, run_background};
use web::Platform;

#[actix_web::main]
async fn main() -> Result<()> {
    web::init_logging(env!("CARGO_PKG_NAME"))?;
    let config: Config = web::parse();
    let platform = Platform::connect(
        "drift-service",
        config.http,
        &config.keys,
        &config.redis_url,
        Vec::new(),
        Clock::system(),
    )?;
    let state = State::connect(platform.clone(), &config.database_url, config.settings).await?;
    platform.spawn("drift-service", run_background(state.clone(), platform.served.clone()));
    web::serve(platform, config.port, routes(state)).await
}
