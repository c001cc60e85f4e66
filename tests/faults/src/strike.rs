use std::fmt;
use std::time::{Duration, Instant};

use crate::endings::RECOVERY;
use crate::producers::produce;
use crate::{Chaos, Deployment, Ending, Fault, Received, Trial, Watcher, trial};

/// A fault of a run, and its effects.
pub struct Struck {
    pub fault: Fault,
    /// Only for a fault of Redis.
    pub effects: Option<Effects>,
}

/// The effects of a fault of Redis, until Redis could bear another one.
pub struct Effects {
    /// The session that ended during the fault.
    pub trial: Trial,
    /// The longest time that an event took to reach a watcher, counted from its cause or from the repair.
    pub slowest: Duration,
    /// Number of notices that events may have been missed.
    pub resyncs: usize,
}

/// The access tokens of a run.
pub(crate) struct Tokens {
    pub engineer: String,
    pub admin: String,
}

impl Struck {
    /// Whether every event was delivered in time.
    pub fn is_in_time(&self) -> bool {
        self.effects.as_ref().is_none_or(|effects| effects.slowest <= RECOVERY)
    }

    /// Whether watchers were told to load everything again.
    pub fn has_resyncs(&self) -> bool {
        self.effects.as_ref().is_some_and(|effects| effects.resyncs > 0)
    }
}

impl fmt::Display for Struck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.effects {
            None => write!(f, "{}", self.fault),
            Some(Effects { trial, slowest, resyncs }) => {
                let (closed, slowest) = (trial.took.as_millis(), slowest.as_millis());
                write!(
                    f,
                    "{trial}: sockets closed in {closed} ms, slowest event {slowest} ms, {resyncs} resyncs"
                )
            }
        }
    }
}

/// Causes the next fault and repairs it. During a fault of Redis, a session ends.
pub(crate) async fn strike(
    deployment: &Deployment,
    chaos: &mut Chaos,
    watchers: &[Watcher],
    tokens: &Tokens,
    ending: Ending,
) -> Struck {
    let (fault, hold) = (chaos.fault(), chaos.hold());
    if !fault.is_of_redis() {
        fault.during(deployment, tokio::time::sleep(hold)).await;
        return Struck { fault, effects: None };
    }
    deployment.until_ready().await;
    for watcher in watchers {
        watcher.until_live().await;
    }
    let before = resyncs(watchers);
    let trial = trial(deployment, &tokens.admin, ending, Some(fault)).await;
    produce(deployment, &tokens.engineer).await;
    until_delivered(watchers, trial.mended).await;
    deployment.until_ready().await;
    let times = watchers.iter().map(|watcher| watcher.slowest_since(trial.mended));
    let slowest = times.map(|time| time.unwrap_or(trial.mended.elapsed())).max().unwrap_or_default();
    Struck { fault, effects: Some(Effects { trial, slowest, resyncs: resyncs(watchers) - before }) }
}

/// Waits until every watcher has an event that was caused after `since`, or until that is too late.
async fn until_delivered(watchers: &[Watcher], since: Instant) {
    let deadline = Instant::now() + RECOVERY;
    while Instant::now() < deadline && watchers.iter().any(|watcher| watcher.slowest_since(since).is_none()) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn resyncs(watchers: &[Watcher]) -> usize {
    let of = |watcher: &Watcher| watcher.received().iter().filter(|item| **item == Received::Resync).count();
    watchers.iter().map(of).sum()
}
