//! An outage of Redis under load: no client is disconnected, and no event is missing afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Deployment, Producers, Received, RedisFault, RedisKind, Verdict, Watcher, committed, verdict};

const WATCHERS: usize = 8;
const SETTLE: Duration = Duration::from_secs(10);

/// The result of an outage.
#[derive(Debug)]
pub struct Outage {
    pub committed: usize,
    /// The number of connections that each watcher made; 1 is right.
    pub connections: Vec<usize>,
    pub verdicts: Vec<Verdict>,
    /// Time from the return of Redis until every watcher had all events committed before it.
    pub caught_up_in: Duration,
}

/// Stops Redis for `away` while events are committed.
pub async fn outage(away: Duration) -> Outage {
    let deployment = Deployment::start(RedisKind::Single).await;
    let token = deployment.token("engineer").await;
    let urls = [deployment.socket_url(0), deployment.socket_url(1)];
    let watchers = (0..WATCHERS).map(|number| Watcher::start(urls.clone(), token.clone(), number));
    let watchers = watchers.collect::<Vec<_>>();
    for watcher in &watchers {
        watcher.until_live().await;
    }
    let enough = Arc::new(AtomicBool::new(false));
    let producers = Producers::start(&deployment, &token, 4, 0, Duration::from_millis(50), &enough);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let meanwhile = async {
        tokio::time::sleep(away).await;
        committed(&deployment.drift_database).await
    };
    let (meanwhile, back) = deployment.redis.during(RedisFault::Killed, meanwhile).await;
    caught_up(&watchers, meanwhile.last().map(|account| account.event_id.clone())).await;
    let caught_up_in = back.elapsed();
    enough.store(true, Ordering::Relaxed);
    producers.finish().await;
    let all = committed(&deployment.drift_database).await;
    caught_up(&watchers, all.last().map(|account| account.event_id.clone())).await;
    Outage {
        committed: all.len(),
        connections: watchers.iter().map(|watcher| watcher.connections().0).collect(),
        verdicts: watchers.iter().map(|watcher| verdict(&all, &watcher.received())).collect(),
        caught_up_in,
    }
}

async fn caught_up(watchers: &[Watcher], last: Option<String>) {
    let Some(last) = last.map(Received::Event) else { return };
    let deadline = Instant::now() + SETTLE;
    while Instant::now() < deadline && !watchers.iter().all(|watcher| watcher.received().contains(&last)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
