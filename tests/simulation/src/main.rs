//! `cargo run --profile simulation -p simulation -- --seeds 1000000`

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use simulation::{Plan, Without, run, shrink};

/// Runs all services in virtual time while things break, and checks that nothing is lost, shown twice or open too long.
#[derive(Parser)]
struct Cli {
    /// Number of seeds to run
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// First seed
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Seconds after which no further seed begins
    #[arg(long)]
    seconds: Option<u64>,
    /// Prints a line with the progress at this interval, in seconds
    #[arg(long)]
    report_every: Option<u64>,
    /// Replays one seed, and prints its timeline
    #[arg(long)]
    replay: Option<u64>,
    /// Leaves a protection out, which the simulator has to notice
    #[arg(long, value_enum, default_value = "nothing")]
    without: Without,
    /// Threads
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, Into::into))]
    jobs: usize,
}

#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Some(seed) = cli.replay {
        let outcome = run(&Plan::of(seed), cli.without, true);
        println!("{}", outcome.timeline);
        println!("{} events in {:?} of virtual time", outcome.events, outcome.lasted);
        return report(seed, cli.without, outcome.violation.is_some());
    }
    let (next, failed) = (AtomicU64::new(cli.from), Mutex::new(None));
    let (end, started) = (cli.from.saturating_add(cli.seeds), Instant::now());
    let (events, virtual_seconds) = (AtomicU64::new(0), AtomicU64::new(0));
    let running = Running::default();
    let progress = progress(cli.seeds);
    std::thread::scope(|scope| {
        for _ in 0..cli.jobs {
            scope.spawn(|| {
                let is_over =
                    || cli.seconds.is_some_and(|limit| started.elapsed() > Duration::from_secs(limit));
                while !is_over() && failed.lock().is_ok_and(|failed| failed.is_none()) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    running.begin(seed);
                    let outcome = run(&Plan::of(seed), cli.without, false);
                    events.fetch_add(outcome.events as u64, Ordering::Relaxed);
                    virtual_seconds.fetch_add(outcome.lasted.as_secs(), Ordering::Relaxed);
                    progress.inc(1);
                    let is_ok = outcome.violation.is_none();
                    running.end(seed, is_ok, cli.report_every, progress.position(), started);
                    if outcome.violation.is_some()
                        && let Ok(mut failed) = failed.lock()
                    {
                        failed.get_or_insert(seed);
                    }
                }
            });
        }
    });
    let (elapsed, runs) = (started.elapsed(), progress.position());
    progress.finish_and_clear();
    println!(
        "{runs} seeds from {} in {:.1} s: {} events, {} s of virtual time",
        cli.from,
        elapsed.as_secs_f64(),
        events.into_inner(),
        virtual_seconds.into_inner()
    );
    let failed = failed.into_inner().ok().flatten();
    failed.map_or(ExitCode::SUCCESS, |seed| report(seed, cli.without, true))
}

/// The seeds that run or have failed, and the time of the last report.
#[derive(Default)]
struct Running(Mutex<(BTreeSet<u64>, u64)>);

impl Running {
    fn begin(&self, seed: u64) {
        if let Ok(mut running) = self.0.lock() {
            running.0.insert(seed);
        }
    }

    /// Reports from time to time, so that a run that is killed shows how far it came.
    #[expect(clippy::print_stdout, reason = "the report is what this program is for")]
    fn end(&self, seed: u64, is_ok: bool, every: Option<u64>, runs: u64, started: Instant) {
        let Ok(mut running) = self.0.lock() else { return };
        let (seeds, reported) = &mut *running;
        let (lowest, seconds) = (seeds.first().copied().unwrap_or(seed), started.elapsed().as_secs());
        if is_ok {
            seeds.remove(&seed);
        }
        if every.is_some_and(|every| seconds >= *reported + every) {
            *reported = seconds;
            let (rate, memory) = (runs / seconds.max(1), resident_mib().unwrap_or_default());
            println!("{seconds} s: all seeds before {lowest} hold; {rate} seeds/s, {memory} MiB");
        }
    }
}

/// The memory of this process.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

fn progress(seeds: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{pos}/{len} seeds, {per_sec}, {eta} left");
    ProgressBar::new(seeds).with_style(style.unwrap_or_else(|_error| ProgressStyle::default_bar()))
}

/// Prints the shortest plan that fails.
#[expect(clippy::print_stdout, reason = "the report is what this program is for")]
fn report(seed: u64, without: Without, has_failed: bool) -> ExitCode {
    if !has_failed {
        return ExitCode::SUCCESS;
    }
    let plan = shrink(Plan::of(seed), without);
    let outcome = run(&plan, without, true);
    println!("\nseed {seed} fails. These faults are enough:");
    plan.faults.iter().for_each(|planned| println!("{planned}"));
    println!("\n{}", outcome.timeline);
    println!("seed {seed}: {}", outcome.violation.map_or_else(String::new, |violation| violation.0));
    println!("replay: cargo run --release -p simulation -- --replay {seed}");
    ExitCode::FAILURE
}
