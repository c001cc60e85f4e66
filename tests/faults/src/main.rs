//! A long run: `cargo run -p faults -- --events 10000`. Build the workspace first.

use std::time::Duration;

use clap::Parser;
use faults::{Plan, run};

/// Commits events while processes are killed and lines cut, and tells what became of each event.
#[derive(Parser)]
struct Cli {
    /// How many events to commit
    #[arg(long, default_value_t = 10_000)]
    events: usize,
    /// Clients that watch
    #[arg(long, default_value_t = 8)]
    watchers: usize,
    /// The same seed breaks the same things
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn main() {
    let Cli { events, watchers, seed } = Cli::parse();
    let (producers, calm, pause) = (8, Duration::from_secs(3), Duration::from_millis(50));
    let report = run(Plan { events, watchers, producers, calm, pause, seed }).await;
    println!("{report}");
    std::process::exit(i32::from(!report.is_clean()));
}
