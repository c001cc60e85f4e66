//! All of DriftSentry in one process on one port: the three services and the console. By default, they use
//! SQLite and an in-process backplane.

mod banner;
mod cli;
mod console;
mod data_dir;
mod import_legacy;
mod ingest;
mod migrate_storage;
mod passwords;
mod serve;

use std::process::ExitCode;

use cli::{Cli, Command};

#[actix_web::main]
async fn main() -> ExitCode {
    let Cli { command, serve } = platform::parse(&["ingest", "passwords"]);
    match command {
        None => platform::exit_code(serve::run(serve).await),
        Some(Command::Auth(command)) => platform::exit_code(serve::run_in_auth(serve, command).await),
        Some(Command::MigrateStorage { to }) => platform::exit_code(migrate_storage::run(serve, &to).await),
        Some(Command::ImportLegacy(import)) => platform::exit_code(import_legacy::run(serve, import).await),
        Some(Command::Passwords(command)) => platform::exit_code(passwords::run(&command)),
        Some(Command::Ingest(scan)) => ingest::run(*scan).await,
    }
}
