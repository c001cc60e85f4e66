use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::strike::{Struck, Tokens, strike};
use crate::{
    Account, Chaos, Deployment, Ending, Producers, Received, RedisKind, Verdict, Watcher, committed, verdict,
};

/// Time after the last fault within which every watcher must have every event.
const SETTLE: Duration = Duration::from_secs(30);

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    pub redis: RedisKind,
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
pub struct Report {
    pub committed: usize,
    pub faults: Vec<Struck>,
    pub watchers: Vec<(Verdict, usize, usize)>,
    pub took: Duration,
}

impl Report {
    /// Whether every promise was kept: nothing was lost silently or delivered twice, and Redis was replaced in time,
    /// without a closed socket, and without a `resync` where nothing may be lost.
    pub fn is_clean(&self) -> bool {
        let is_redis_alone = self.faults.iter().all(|struck| struck.fault.is_of_redis());
        let mut lossless = self.faults.iter().take_while(|struck| struck.fault.is_lossless());
        self.watchers
            .iter()
            .all(|(verdict, connections, _)| verdict.is_clean() && (!is_redis_alone || *connections == 1))
            && self.faults.iter().all(Struck::is_in_time)
            && !lossless.any(Struck::has_resyncs)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { committed, faults, watchers, took } = self;
        writeln!(f, "{committed} events committed, {} faults, {:.0} s", faults.len(), took.as_secs_f64())?;
        for struck in faults {
            writeln!(f, "  {struck}")?;
        }
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
    let deployment = Deployment::start(plan.redis).await;
    let tokens =
        Tokens { engineer: deployment.token("engineer").await, admin: deployment.token("admin").await };
    let token = &tokens.engineer;
    let urls = [deployment.socket_url(0), deployment.socket_url(1)];
    let watchers = (0..plan.watchers)
        .map(|number| Watcher::start(urls.clone(), token.clone(), number))
        .collect::<Vec<_>>();
    for watcher in &watchers {
        watcher.until_live().await;
    }
    let enough = Arc::new(AtomicBool::new(plan.faults == 0));
    let producers = Producers::start(&deployment, token, plan.producers, plan.events, plan.pause, &enough);
    let (mut chaos, mut faults) = (Chaos::new(plan.seed, plan.redis), Vec::new());
    let mut finished = std::pin::pin!(producers.finish());
    // Ends when all events are committed; a fault that has begun is repaired first.
    loop {
        tokio::select! {
            () = &mut finished => break,
            () = tokio::time::sleep(plan.calm) => {}
        }
        let ending = Ending::ALL[faults.len() % Ending::ALL.len()];
        let mut strike = std::pin::pin!(strike(&deployment, &mut chaos, &watchers, &tokens, ending));
        let (struck, is_last) = tokio::select! {
            struck = &mut strike => (struck, false),
            () = &mut finished => (strike.await, true),
        };
        faults.push(struck);
        if is_last {
            break;
        }
        enough.store(faults.len() >= plan.faults, Ordering::Relaxed);
    }
    deployment.until_ready().await;
    let all = committed(&deployment.drift_database).await;
    settle(&all, &watchers).await;
    // A process that starts now knows the ended sessions from Redis alone.
    deployment.drift[1].restart();
    deployment.until_started().await;
    for effects in faults.iter().filter_map(|struck| struck.effects.as_ref()) {
        effects.trial.assert_refused_everywhere(&deployment, Instant::now()).await;
    }
    let verdicts = watchers.iter().map(|watcher| {
        let (connections, resumed) = watcher.connections();
        (verdict(&all, &watcher.received()), connections, resumed)
    });
    Report { committed: all.len(), faults, watchers: verdicts.collect(), took: started.elapsed() }
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
