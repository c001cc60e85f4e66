//! The interval at which scans of a stack arrive, and the time by which the next one is due.

use chrono::{DateTime, TimeDelta, Utc};

/// The number of last arrivals from which a cadence is learned.
pub(super) const ARRIVALS: u64 = 21;
/// Fewer intervals show no rhythm.
const MIN_INTERVALS: usize = 3;
/// A shorter cadence would report a stack for a delay in its CI.
const SHORTEST: TimeDelta = TimeDelta::minutes(10);
/// The longest cadence that is learned or can be set.
pub(super) const LONGEST: TimeDelta = TimeDelta::days(366);

/// Learns the cadence from the times of the last arrivals, newest first: the interval that nine of ten do not exceed.
/// So a stack that is scanned on workdays is not overdue on Sunday, and one long pause does not count.
pub(super) fn learn(arrivals: &[DateTime<Utc>]) -> Option<TimeDelta> {
    let mut intervals: Vec<TimeDelta> = arrivals.windows(2).map(|pair| pair[0] - pair[1]).collect();
    if intervals.len() < MIN_INTERVALS {
        return None;
    }
    intervals.sort_unstable();
    let rank = (intervals.len() * 9).div_ceil(10);
    intervals.get(rank - 1).map(|interval| (*interval).clamp(SHORTEST, LONGEST))
}

/// Returns the time after which the next scan is overdue. The twentieth part more than the cadence covers the delays of
/// schedulers.
pub(super) fn due_at(last: DateTime<Utc>, cadence: TimeDelta) -> DateTime<Utc> {
    last + cadence + cadence / 20
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrivals(hours: &[i64]) -> Vec<DateTime<Utc>> {
        hours.iter().rev().map(|hour| DateTime::UNIX_EPOCH + TimeDelta::hours(*hour)).collect()
    }

    #[test]
    fn a_cadence_needs_three_intervals() {
        assert_eq!(learn(&arrivals(&[0, 24, 48])), None);
        assert_eq!(learn(&arrivals(&[0, 24, 48, 72])), Some(TimeDelta::hours(24)));
    }

    #[test]
    fn weekends_count_and_a_single_pause_does_not() {
        let workdays: Vec<i64> = (0..28).filter(|day| day % 7 < 5).map(|day| day * 24).collect::<Vec<_>>();
        assert_eq!(learn(&arrivals(&workdays)), Some(TimeDelta::hours(72)));
        let paused: Vec<i64> = (0..21).map(|day| day * 24 + if day > 10 { 500 } else { 0 }).collect();
        assert_eq!(learn(&arrivals(&paused)), Some(TimeDelta::hours(24)));
    }

    #[test]
    fn a_cadence_is_bounded() {
        assert_eq!(learn(&[DateTime::UNIX_EPOCH; 9]), Some(SHORTEST));
        assert_eq!(learn(&arrivals(&[0, 90_000, 180_000, 270_000])), Some(LONGEST));
    }

    #[test]
    fn a_scan_is_overdue_within_a_tenth_of_the_cadence() {
        let due = due_at(DateTime::UNIX_EPOCH, TimeDelta::hours(6)) - DateTime::UNIX_EPOCH;
        assert!(due > TimeDelta::hours(6) && due < TimeDelta::minutes(396), "{due}");
    }
}
