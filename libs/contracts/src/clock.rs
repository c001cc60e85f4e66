use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::time::Instant;

/// The current time as an input, so that tests move it instead of waiting.
///
/// Truncated to microseconds: Postgres stores no more, and a time must be equal after it was stored and
/// read back, on either database.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    source: Source,
    offset_micros: Arc<AtomicI64>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Source {
    #[default]
    Machine,
    /// The time of the runtime since `at`, when it was `then`.
    Runtime { then: DateTime<Utc>, at: Instant },
}

impl Clock {
    /// Returns the clock of the machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that shows `now` and follows the time of the tokio runtime, which a simulation moves.
    pub fn of_runtime(now: DateTime<Utc>) -> Self {
        Self { source: Source::Runtime { then: now, at: Instant::now() }, ..Self::default() }
    }

    /// Returns the current time in UTC, truncated to microseconds.
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> DateTime<Utc> {
        let offset = TimeDelta::microseconds(self.offset_micros.load(Ordering::Relaxed));
        let now = match self.source {
            Source::Machine => Utc::now(),
            Source::Runtime { then, at } => then + at.elapsed(),
        } + offset;
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Moves this clock, and every clone of it, forward.
    pub fn advance(&self, by: TimeDelta) {
        self.offset_micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn now_has_no_nanoseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1_000, 0);
    }

    #[test]
    fn clones_move_together() {
        let clock = Clock::system();
        let clone = clock.clone();
        let before = clone.now();
        clock.advance(TimeDelta::hours(3));
        assert!(clone.now() - before >= TimeDelta::hours(3));
    }
}
