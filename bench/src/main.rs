//! Load on release builds, on a private Postgres and Redis: `make bench`.
//!
//! The times are those of one machine on one day. Two results are portable: the ratios to other servers and
//! to the limit of the password hash, and the processor time per operation.

#![expect(clippy::disallowed_methods, reason = "tasks of the load fail with it")]

mod alone;
mod auth;
mod drift;
mod many;
mod measure;
mod notify;
mod progress;
mod service;
mod sockets;
mod table;
mod timing;
mod timing_mail;
mod verify;

use std::time::Instant;

use clap::{Parser, ValueEnum};
use progress::progress;
use rustix::process::{Resource, getrlimit, setrlimit};
use sockets::Scale;
use table::Table;

/// Measures the services.
#[derive(Parser)]
struct Cli {
    /// Parts to measure; all parts if not given
    what: Vec<Part>,

    /// Number of rounds in which the compared servers run in turn; the result is the median
    #[arg(long, default_value_t = 3)]
    rounds: usize,

    /// Servers to compare; all servers if not given
    #[arg(long, value_delimiter = ',')]
    servers: Vec<sockets::Kind>,

    /// Run only a small part of the socket scenarios, to check that they work
    #[arg(long)]
    quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Verifying access tokens
    Verify,
    /// Logins, refreshes, and their effect on other requests
    Auth,
    /// The time of failed logins, and how much it reveals about the cause
    Timing,
    /// The time of requests for mails, and how much it reveals about the address
    TimingMail,
    /// Ingesting a plan of 2,000 drifts, and lists
    Drift,
    /// Reads of the console, with 100,000 drifts in 300 stacks
    Many,
    /// Webhooks, with 1,000 destinations of which 100 never respond
    Notify,
    /// All in one process: start and memory
    Alone,
    /// The gateway compared with a floor and with Socket.IO on Node
    Sockets,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the tables are what this program is for")]
async fn main() -> anyhow::Result<()> {
    let Cli { what, rounds, servers, quick } = Cli::parse();
    allow_many_sockets()?;
    let started = Instant::now();
    let wanted = |part| what.is_empty() || what.contains(&part);
    let mut table = Table::default();
    if wanted(Part::Verify) {
        verify::run(&mut table)?;
    }
    if wanted(Part::Auth) {
        auth::run(&mut table).await?;
    }
    if wanted(Part::Timing) {
        timing::run(&mut table).await?;
    }
    if wanted(Part::TimingMail) {
        timing_mail::run(&mut table).await?;
    }
    if wanted(Part::Drift) {
        drift::run(&mut table).await?;
    }
    if wanted(Part::Many) {
        many::run(&mut table).await?;
    }
    if wanted(Part::Notify) {
        notify::run(&mut table).await?;
    }
    if wanted(Part::Alone) {
        alone::run(&mut table).await?;
    }
    table.print();
    if wanted(Part::Sockets) {
        let scale = if quick { Scale::QUICK } else { Scale::FULL };
        println!("\n{}", sockets::run(rounds, &servers, &scale).await?);
    }
    progress(&format!("done in {} s", started.elapsed().as_secs()));
    Ok(())
}

/// Raises the limit of open files as far as possible, also for the servers that are started.
fn allow_many_sockets() -> anyhow::Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    Ok(setrlimit(Resource::Nofile, limit)?)
}
