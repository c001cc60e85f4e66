//! All of DriftSentry in one process on one port: the four services and the console. By default, they use
//! SQLite and an in-process backplane.

mod banner;
mod cli;
mod client;
mod console;
mod data_dir;
mod guard;
mod import_legacy;
mod ingest;
mod migrate_storage;
mod passwords;
mod runner;
mod serve;

use std::process::ExitCode;

use cli::{Cli, Command};

#[actix_web::main]
async fn main() -> ExitCode {
    let Cli { command, serve } = platform::parse(&["guard", "ingest", "passwords", "scan"]);
    match command {
        None => platform::exit_code(serve::run(serve).await),
        Some(Command::Auth(command)) => platform::exit_code(serve::run_in_auth(serve, command).await),
        Some(Command::MigrateStorage { to }) => platform::exit_code(migrate_storage::run(serve, &to).await),
        Some(Command::ImportLegacy(import)) => platform::exit_code(import_legacy::run(serve, import).await),
        Some(Command::Passwords(command)) => platform::exit_code(passwords::run(&command)),
        Some(Command::Ingest(scan)) => ingest::run(*scan).await,
        Some(Command::Guard(plan)) => guard::run(*plan).await,
        Some(Command::Scan(scan)) => runner::run(*scan).await,
    }
}
