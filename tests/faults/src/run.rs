use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Account, Chaos, Deployment, Producers, Received, Verdict, Watcher, committed, verdict};

/// Time after the last fault within which every watcher must have every event.
const SETTLE: Duration = Duration::from_secs(30);

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub events: usize,
    /// The smallest number of faults.
    pub faults: usize,
    pub watchers: usize,
    pub producers: usize,
    /// Pause between two faults.
    pub calm: Duration,
    pub pause: Duration,
    pub seed: u64,
}

/// The result of a run.
#[derive(Debug)]
pub struct Report {
    pub committed: usize,
    pub faults: Vec<String>,
    pub watchers: Vec<(Verdict, usize, usize)>,
    pub took: Duration,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.watchers.iter().all(|(verdict, ..)| verdict.is_clean())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { committed, faults, watchers, took } = self;
        writeln!(f, "{committed} events committed, {} faults, {:.0} s", faults.len(), took.as_secs_f64())?;
        writeln!(f, "{}", faults.join(" · "))?;
        writeln!(f, "watcher  received  lost  twice  disordered  resyncs  connections  resumed")?;
        for (number, (verdict, connections, resumed)) in watchers.iter().enumerate() {
            writeln!(
                f,
                "{number:>7}  {:>8}  {:>4}  {:>5}  {:>10}  {:>7}  {connections:>11}  {resumed:>7}",
                verdict.received,
                verdict.lost.len(),
                verdict.twice.len(),
                verdict.out_of_order.len(),
                verdict.resyncs,
            )?;
        }
        Ok(())
    }
}

/// Commits events during faults, then waits until the system is quiet and compares.
pub async fn run(plan: Plan) -> Report {
    let started = Instant::now();
    let deployment = Deployment::start().await;
    let token = deployment.log_in("engineer").await["accessToken"].as_str().expect("a token").to_owned();
    let urls = [deployment.socket_url(0), deployment.socket_url(1)];
    let watchers = (0..plan.watchers)
        .map(|number| Watcher::start(urls.clone(), token.clone(), number))
        .collect::<Vec<_>>();
    for watcher in &watchers {
        watcher.until_live().await;
    }
    let enough = Arc::new(AtomicBool::new(plan.faults == 0));
    let producers = Producers::start(&deployment, &token, plan.producers, plan.events, plan.pause, &enough);
    let mut chaos = Chaos::new(plan.seed);
    let mut finished = std::pin::pin!(producers.finish());
    // Ends when all events are committed; a fault that has begun is repaired first.
    loop {
        tokio::select! {
            () = &mut finished => break,
            () = tokio::time::sleep(plan.calm) => {}
        }
        let done = {
            let mut strike = std::pin::pin!(chaos.strike(&deployment));
            tokio::select! {
                () = &mut strike => false,
                () = &mut finished => {
                    strike.await;
                    true
                }
            }
        };
        if done {
            break;
        }
        enough.store(chaos.done.len() >= plan.faults, Ordering::Relaxed);
    }
    deployment.until_ready().await;
    let all = committed(&deployment.drift_database).await;
    settle(&all, &watchers).await;
    let verdicts = watchers.iter().map(|watcher| {
        let (connections, resumed) = watcher.connections();
        (verdict(&all, &watcher.received()), connections, resumed)
    });
    Report {
        committed: all.len(),
        faults: chaos.done.iter().map(ToString::to_string).collect(),
        watchers: verdicts.collect(),
        took: started.elapsed(),
    }
}

/// Waits until every watcher has the last event, or until the time limit.
async fn settle(all: &[Account], watchers: &[Watcher]) {
    let Some(last) = all.last().map(|account| Received::Event(account.event_id.clone())) else { return };
    let deadline = Instant::now() + SETTLE;
    while Instant::now() < deadline {
        if watchers.iter().all(|watcher| watcher.received().contains(&last)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
