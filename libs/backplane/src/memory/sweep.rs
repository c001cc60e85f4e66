use chrono::{DateTime, TimeDelta, Utc};

const INTERVAL: TimeDelta = TimeDelta::minutes(1);

/// When to delete expired entries. Readers skip them anyway, so once a minute is enough.
#[derive(Default)]
pub(super) struct Sweep {
    next: DateTime<Utc>,
}

impl Sweep {
    /// Whether a sweep is due. If so, the next one is due in a minute.
    pub(super) fn is_due(&mut self, now: DateTime<Utc>) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.next = now + INTERVAL;
        }
        is_due
    }
}
