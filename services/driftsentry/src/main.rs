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
async fn main() -> ExitCode {
    let Cli { command, serve } = platform::parse(&["ingest"]);
    match command {
        None => platform::exit_code(serve::run(serve).await),
        Some(Command::CreateAdmin { email, name }) => {
            platform::exit_code(serve::create_admin(serve, &email, name).await)
        }
        Some(Command::RotateKeys { withdraw }) => {
            platform::exit_code(serve::rotate_keys(serve, withdraw).await)
        }
        Some(Command::Ingest(scan)) => ingest::run(*scan).await,
    }
}
