//! Shared by all simulated processes: time, chance, the network, and the notes of what happened.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::Instant;

use crate::notes::Notes;
use crate::redis::Redis;

/// Time after a change, or after the last fault, in which every process acts on the change.
pub(crate) const ACTED_IN: Duration = Duration::from_secs(2);

/// The processes: two of auth-service, two of drift-service, three gateways.
pub(crate) const PROCESSES: usize = 7;

/// Protections that a run leaves out, to see that it fails without them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Without {
    #[default]
    Nothing,
    /// An event that is published again is appended again.
    IdempotentAppend,
    /// An append does not check that the log is the one that the process knows, with what it appended before.
    KnownLog,
    /// An epoch that ended, and is there again, is an epoch like any other.
    PastEpochs,
    /// A process keeps its connection to a server that became read-only.
    ReconnectOnReadonly,
    /// Transactions take no lock on what they change.
    RowLock,
    /// Ended sessions are not marked again after Redis lost its data.
    RestoredMarks,
}

/// A violated invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

pub(crate) struct World {
    pub start: Instant,
    pub without: Without,
    pub redis: Mutex<Redis>,
    notes: Mutex<Notes>,
    state: Mutex<State>,
}

struct State {
    rng: Rng,
    /// Number of times that a process has started.
    lives: u64,
    /// The process cannot reach anything until then.
    cut_off_until: [Option<Instant>; PROCESSES],
    /// The time at which the last fault has been overcome.
    calm_at: Instant,
    timeline: Option<String>,
    violation: Option<Violation>,
}

impl World {
    pub(crate) fn new(seed: u64, without: Without, is_told: bool) -> Arc<Self> {
        let start = Instant::now();
        let state = State {
            rng: Rng::with_seed(seed ^ 0x5eed),
            lives: 0,
            cut_off_until: [None; PROCESSES],
            calm_at: start,
            timeline: is_told.then(String::new),
            violation: None,
        };
        Arc::new(Self {
            start,
            without,
            redis: Mutex::new(Redis::new()),
            notes: Mutex::default(),
            state: Mutex::new(state),
        })
    }

    /// Draws from the one source of chance of this run.
    pub(crate) fn draw<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.state().rng)
    }

    pub(crate) fn draw_duration(&self, millis: std::ops::Range<u64>) -> Duration {
        self.draw(|rng| Duration::from_micros(rng.u64(millis.start * 1_000..millis.end * 1_000)))
    }

    /// Whether the process can reach Redis and the database.
    pub(crate) fn is_reachable(&self, process: usize) -> bool {
        self.state().cut_off_until[process].is_none_or(|until| until <= Instant::now())
    }

    pub(crate) fn cut_off(&self, process: usize, duration: Duration) {
        self.state().cut_off_until[process] = Some(Instant::now() + duration);
    }

    /// Ends all faults of the network.
    pub(crate) fn heal(&self) {
        self.state().cut_off_until = [None; PROCESSES];
    }

    /// Notes that the effects of a fault may last for that time.
    pub(crate) fn disturb(&self, duration: Duration) {
        let mut state = self.state();
        state.calm_at = state.calm_at.max(Instant::now() + duration);
    }

    pub(crate) fn calm_at(&self) -> Instant {
        self.state().calm_at
    }

    /// Whether every process must have acted on a change of that time by now.
    pub(crate) fn is_late(&self, changed: Instant) -> bool {
        Instant::now() > changed.max(self.calm_at()) + ACTED_IN
    }

    /// Adds a line to the timeline, if one is wanted.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        let elapsed = self.start.elapsed();
        let mut state = self.state();
        if let Some(timeline) = &mut state.timeline {
            let _ = writeln!(timeline, "{:>9.3} s  {}", elapsed.as_secs_f64(), line());
        }
    }

    /// The number of the next life of a process.
    pub(crate) fn next_life(&self) -> u64 {
        let mut state = self.state();
        state.lives += 1;
        state.lives
    }

    /// Ends the run with a violation. Only the first one counts.
    pub(crate) fn violate(&self, what: impl FnOnce() -> String) {
        if self.state().violation.is_none() {
            let what = what();
            self.note(|| format!("VIOLATION: {what}"));
            self.state().violation = Some(Violation(what));
        }
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.state().violation.clone()
    }

    pub(crate) fn timeline(&self) -> String {
        self.state().timeline.clone().unwrap_or_default()
    }

    pub(crate) fn redis(&self) -> MutexGuard<'_, Redis> {
        self.redis.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The name of a process in the timeline.
pub(crate) fn name(process: usize) -> &'static str {
    ["auth-0", "auth-1", "drift-0", "drift-1", "gateway-0", "gateway-1", "gateway-2"][process]
}
