//! Load on release builds, on a private Postgres and Redis: `make bench`.
//!
//! Times are those of this machine on this day; what lasts are the ratios, to what the password hash
//! allows, and the processor time that a service spends for one operation.

mod auth;
mod drift;
mod measure;
mod service;
mod table;
mod verify;

use clap::{Parser, ValueEnum};
use table::Table;

/// Measures the services.
#[derive(Parser)]
struct Cli {
    /// What to measure; everything if not given
    what: Vec<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Verifying access tokens
    Verify,
    /// Logins, refreshes, and what others notice of them
    Auth,
    /// Taking in a plan of 2,000 drifts, and lists
    Drift,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Cli { what } = Cli::parse();
    let wanted = |part| what.is_empty() || what.contains(&part);
    let mut table = Table::default();
    if wanted(Part::Verify) {
        verify::run(&mut table)?;
    }
    if wanted(Part::Auth) {
        auth::run(&mut table).await?;
    }
    if wanted(Part::Drift) {
        drift::run(&mut table).await?;
    }
    table.print();
    Ok(())
}
