//! When a key signs, and when it is replaced. Pure functions of the rows and the time.

use chrono::{DateTime, TimeDelta, Utc};

/// The time between the announcement of a key and its first use, at most. Services read the announced keys again every
/// five minutes, even if a notification is lost.
const LONGEST_LEAD: TimeDelta = TimeDelta::minutes(10);

/// The times of the life of a key.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The time after which a key is replaced.
    pub rotation: TimeDelta,
}

/// What the schedule needs to know about a key.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    pub created_at: DateTime<Utc>,
    pub announced_at: Option<DateTime<Utc>>,
    /// Whether the key has not been withdrawn and its private key can be decrypted.
    pub can_sign: bool,
}

impl Schedule {
    /// The time from the announcement of a key to its first use.
    pub fn lead(self) -> TimeDelta {
        LONGEST_LEAD.min(self.rotation / 4)
    }

    /// Returns the index of the key that signs: the newest one that every service knows, or else the oldest one that
    /// can sign. `keys` are sorted, oldest first.
    pub fn signing(self, keys: &[Candidate], now: DateTime<Utc>) -> Option<usize> {
        let known = |key: &Candidate| key.announced_at.is_some_and(|at| at + self.lead() <= now);
        let newest_known = keys.iter().rposition(|key| key.can_sign && known(key));
        newest_known.or_else(|| keys.iter().position(|key| key.can_sign))
    }

    /// Whether a new key must be created. Its creation comes before its first use, so that keys sign for `rotation`.
    pub fn is_due(self, keys: &[Candidate], now: DateTime<Utc>) -> bool {
        let newest = keys.iter().rfind(|key| key.can_sign);
        newest.is_none_or(|newest| newest.created_at + self.rotation <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: TimeDelta = TimeDelta::days(1);

    fn key(created: i64, announced: Option<i64>, can_sign: bool) -> Candidate {
        let at = |minutes| DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes);
        Candidate { created_at: at(created), announced_at: announced.map(at), can_sign }
    }

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_key_signs_ten_minutes_after_its_announcement_or_if_there_is_no_other() {
        let schedule = Schedule { rotation: DAY };
        let signing = |keys: &[Candidate], now| schedule.signing(keys, at(now));
        assert_eq!(signing(&[], 0), None);
        assert_eq!(signing(&[key(0, None, true)], 0), Some(0), "the first key signs at once");
        let two = [key(0, Some(0), true), key(60, Some(60), true)];
        assert_eq!(signing(&two, 69), Some(0));
        assert_eq!(signing(&two, 70), Some(1));
        let not_announced = [key(0, Some(0), true), key(60, None, true)];
        assert_eq!(signing(&not_announced, 6_000), Some(0), "an outage delays the new key");
        let unreadable = [key(0, Some(0), false), key(60, None, true)];
        assert_eq!(signing(&unreadable, 60), Some(1));
    }

    #[test]
    fn a_key_is_replaced_after_the_rotation_or_if_none_can_sign() {
        let schedule = Schedule { rotation: DAY };
        let is_due = |keys: &[Candidate], now| schedule.is_due(keys, at(now));
        assert!(is_due(&[], 0));
        assert!(is_due(&[key(0, Some(0), false)], 0));
        assert!(!is_due(&[key(0, Some(0), true)], 24 * 60 - 1));
        assert!(is_due(&[key(0, Some(0), true)], 24 * 60));
        assert!(!is_due(&[key(0, Some(0), true), key(24 * 60, None, true)], 24 * 60));
    }

    #[test]
    fn the_lead_is_short_if_keys_live_shortly() {
        assert_eq!(Schedule { rotation: TimeDelta::seconds(8) }.lead(), TimeDelta::seconds(2));
        assert_eq!(Schedule { rotation: DAY }.lead(), TimeDelta::minutes(10));
    }
}
