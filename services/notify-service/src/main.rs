use std::process::ExitCode;

use anyhow::Result;
use contracts::Clock;
use database::Urls;
use http::Http;
use notify_service::{Config, State, routes, run_background};
use platform::Platform;

#[actix_web::main]
async fn main() -> ExitCode {
    platform::exit_code(run().await)
}

async fn run() -> Result<()> {
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let config: Config = platform::parse(&[]);
    let platform = Platform::connect(
        "notify-service",
        config.process,
        &config.keys,
        &config.redis_url,
        Vec::new(),
        Clock::system(),
    )?;
    let http = Http::new(config.http, &platform)?;
    let migration = config.migration_database_url.as_deref();
    let urls = Urls { database: &config.database_url, migration };
    let state = State::connect(platform.clone(), urls, config.settings, &config.mail).await?;
    platform.spawn("notify-service", run_background(state.clone(), platform.lifecycle().served.clone()));
    http::serve(platform, http, config.port, routes(state)).await
}
