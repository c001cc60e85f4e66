use std::process::ExitCode;

use anyhow::Result;
use auth_service::{Command, Config, State, routes_alone, run_background};
use contracts::Clock;
use database::Urls;
use http::Http;
use platform::Platform;

#[actix_web::main]
async fn main() -> ExitCode {
    platform::exit_code(run().await)
}

async fn run() -> Result<()> {
    let config: Config = platform::parse(&[]);
    platform::init_logging(env!("CARGO_PKG_NAME"))?;
    let Config {
        port,
        database_url,
        migration_database_url,
        redis_url,
        process,
        http,
        keys,
        settings,
        command,
    } = config;
    let platform =
        Platform::connect("auth-service", process, &keys, &redis_url, Vec::new(), Clock::system())?;
    let http = Http::new(http, &platform)?;
    let urls = Urls { database: &database_url, migration: migration_database_url.as_deref() };
    let state = State::connect(platform.clone(), urls, settings).await?;
    match command {
        Some(Command::Migrate) => return Ok(()),
        Some(Command::ImportLegacy(import)) => {
            let source = import.open(platform.config()).await?;
            let imported = auth_service::user::legacy::import(&state, &source).await?;
            return import.finish(source, [imported]).await;
        }
        Some(Command::Shell(command)) => return command.run(&state).await,
        None => {}
    }
    platform.spawn("auth-service", run_background(state.clone(), platform.lifecycle().served.clone()));
    http::serve(platform, http, port, routes_alone(state)).await
}
