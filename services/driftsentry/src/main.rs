//! All of DriftSentry in one process on one port: the three services and the console. By default, they use
//! SQLite and an in-process backplane.

mod banner;
mod cli;
mod console;
mod data_dir;
mod ingest;
mod serve;

use std::process::ExitCode;

use cli::{Cli, Command};

#[actix_web::main]
async fn main() -> anyhow::Result<ExitCode> {
    let Cli { command, serve } = web::parse();
    match command {
        None => serve::run(serve).await?,
        Some(Command::CreateAdmin { email, name }) => serve::create_admin(serve, &email, name).await?,
        Some(Command::Ingest(scan)) => return Ok(ingest::run(*scan).await),
    }
    Ok(ExitCode::SUCCESS)
}
