//! Rules for the expiry and the eviction of sessions. Pure: no clock, no database.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::events::auth::EndReason;
use uuid::Uuid;

/// The moments in a session's life that decide when it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub created_at: DateTime<Utc>,
    pub last_activity: DateTime<Utc>,
    /// The latest end of the session, set at login and never changed.
    pub expires_at: DateTime<Utc>,
}

impl Lifetime {
    /// Returns the reason why a session has expired at `now`; `None` if it has not.
    pub fn over(&self, now: DateTime<Utc>, idle_timeout: TimeDelta) -> Option<EndReason> {
        if now >= self.expires_at {
            Some(EndReason::Expired)
        } else if now >= self.last_activity + idle_timeout {
            Some(EndReason::IdleTimeout)
        } else {
            None
        }
    }
}

/// Returns the live sessions of a user to evict, so that a new one makes at most `max`. The least recently
/// active come first.
pub fn evicted_by_one_more(mut live: Vec<(Uuid, Lifetime)>, max: usize) -> Vec<Uuid> {
    let excess = (live.len() + 1).saturating_sub(max).min(live.len());
    live.sort_by_key(|(id, life)| (life.last_activity, life.created_at, *id));
    live.into_iter().take(excess).map(|(id, _)| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn active_at(last_activity: i64) -> Lifetime {
        Lifetime { created_at: at(0), last_activity: at(last_activity), expires_at: at(1_000) }
    }

    #[test]
    fn a_session_expires_on_time_and_not_a_second_earlier() {
        let idle = TimeDelta::seconds(60);
        assert_eq!(active_at(100).over(at(159), idle), None);
        assert_eq!(active_at(100).over(at(160), idle), Some(EndReason::IdleTimeout));
        assert_eq!(active_at(999).over(at(999), idle), None);
        assert_eq!(active_at(999).over(at(1_000), idle), Some(EndReason::Expired));
    }

    #[test]
    fn the_least_recently_active_sessions_are_evicted_s22() {
        let live: Vec<_> = (1..=5).map(|n| (Uuid::from_u128(n), active_at(100 - n as i64))).collect();
        assert!(evicted_by_one_more(live.clone(), 6).is_empty());
        assert_eq!(evicted_by_one_more(live.clone(), 5), [Uuid::from_u128(5)]);
        assert_eq!(evicted_by_one_more(live.clone(), 4), [5, 4].map(Uuid::from_u128));
        assert_eq!(evicted_by_one_more(live, 1).len(), 5);
    }
}
