//! A long run: `target/debug/faults --events 10000`. Build the workspace first.

use std::time::Duration;

use clap::Parser;
use faults::{Deployment, Ending, Fault, Plan, RedisKind, Replay, outage, replay, run, trial};

/// Commits events while processes are killed and connections cut, and accounts for each event.
#[derive(Parser)]
struct Cli {
    /// Redis of the deployment
    #[arg(long, value_enum, default_value = "single")]
    redis: RedisKind,
    /// Number of events to commit
    #[arg(long, default_value_t = 10_000)]
    events: usize,
    /// Smallest number of faults; the first ones are those of Redis, each once
    #[arg(long, default_value_t = 10)]
    faults: usize,
    /// Number of sessions to end; without this, events are committed
    #[arg(long)]
    endings: Option<usize>,
    /// Number of clients that miss events and reconnect at once; nothing else breaks then
    #[arg(long)]
    replay: Option<usize>,
    /// Seconds for which Redis is down, under load; nothing else breaks then
    #[arg(long)]
    outage: Option<u64>,
    /// Number of clients that watch
    #[arg(long, default_value_t = 8)]
    watchers: usize,
    /// Seed of the faults: equal seeds break the same things
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Lets one client miss 2,000 events, then many clients 20 each. Prints how long they took to catch up.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn come_back(clients: usize) {
    let deployment = Deployment::start(RedisKind::Single).await;
    for (clients, missed) in [(1, 2_000), (clients, 20)] {
        let Replay { slowest, live } = replay(&deployment, clients, missed).await;
        println!(
            "{clients} clients had {missed} missed events after {slowest:?}; a live event took {live:?}"
        );
    }
}

/// Ends sessions in every way, without and with faults. Prints how long it took.
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn end_sessions(redis: RedisKind, count: usize) {
    let deployment = Deployment::start(redis).await;
    let admin = deployment.token("admin").await;
    let faults = Fault::while_sessions_end(redis).into_iter().map(Some);
    let faults = std::iter::once(None).chain(faults).collect::<Vec<_>>();
    let mut peaceful = Vec::new();
    for number in 0..count {
        let ending = Ending::ALL[number % Ending::ALL.len()];
        let fault = faults[number / Ending::ALL.len() % faults.len()];
        let trial = trial(&deployment, &admin, ending, fault).await;
        println!("{trial}: {} ms", trial.took.as_millis());
        if fault.is_none() {
            peaceful.push(trial.took);
        }
        deployment.until_ready().await;
    }
    peaceful.sort();
    let at = |share: usize| peaceful.get(peaceful.len() * share / 100).copied().unwrap_or_default();
    println!(
        "{count} sessions ended, and nothing of them remains; without faults p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
async fn main() {
    let Cli { redis, events, faults, endings, replay: returning, outage: away, watchers, seed } =
        Cli::parse();
    if let Some(seconds) = away {
        return println!("{:#?}", outage(Duration::from_secs(seconds)).await);
    }
    if let Some(clients) = returning {
        return come_back(clients).await;
    }
    if let Some(endings) = endings {
        return end_sessions(redis, endings).await;
    }
    let (producers, calm, pause) = (8, Duration::from_secs(3), Duration::from_millis(50));
    let report = run(Plan { redis, events, faults, watchers, producers, calm, pause, seed }).await;
    println!("{report}");
    std::process::exit(i32::from(!report.is_clean()));
}
