//! Returns: a drift that a scan had resolved, and that comes back soon after. The times of the last returns are stored
//! with each drift and handed on to the next one of its resource.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::drift::ResolvedHow;
use serde::Serialize;
use utoipa::ToSchema;

use super::live::Predecessor;

/// The longest time between a resolution and a return.
const WITHIN: TimeDelta = TimeDelta::days(30);
/// The time in which returns are counted.
const COUNTED: TimeDelta = TimeDelta::days(90);
/// Maximum number of returns that are counted.
const MOST: usize = 50;
/// Number of returns from which on a drift flaps.
pub const FLAPPING: i32 = 3;

/// Returns the times of the returns of a new drift, the newest last. Another value is no return, but keeps the returns
/// before it.
pub fn after(last: &Predecessor, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let mut times = read(last.return_times.as_deref());
    match (last.resolved_how, last.resolved_at) {
        (Some(ResolvedHow::Auto), Some(at)) if now - at <= WITHIN => times.push(now),
        (Some(ResolvedHow::Superseded), _) => {}
        _ => times.clear(),
    }
    times.retain(|at| now - *at <= COUNTED);
    times.split_off(times.len().saturating_sub(MOST))
}

/// Returns the number for filters.
pub fn count(times: &[DateTime<Utc>]) -> i32 {
    i32::try_from(times.len()).unwrap_or(i32::MAX)
}

pub fn write(times: &[DateTime<Utc>]) -> Option<String> {
    if times.is_empty() { None } else { serde_json::to_string(times).ok() }
}

fn read(text: Option<&str>) -> Vec<DateTime<Utc>> {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// The rhythm in which a drift returns.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recurrence {
    /// Number of returns within 90 days, at most 50.
    pub returns: usize,
    pub last_return_at: DateTime<Utc>,
    /// The median of the times between returns; `null` after a single return.
    pub median_interval_seconds: Option<i64>,
}

impl Recurrence {
    pub fn read(text: Option<&str>) -> Option<Self> {
        let times = read(text);
        let last_return_at = *times.last()?;
        let mut intervals: Vec<i64> =
            times.iter().zip(times.iter().skip(1)).map(|(one, next)| (*next - *one).num_seconds()).collect();
        intervals.sort_unstable();
        let median_interval_seconds = intervals.get(intervals.len() / 2).copied();
        Some(Self { returns: times.len(), last_return_at, median_interval_seconds })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn resolved(how: ResolvedHow, day: i64, returns: &[i64]) -> Predecessor {
        Predecessor {
            id: Uuid::nil(),
            resolved_at: Some(at(day)),
            resolved_how: Some(how),
            return_times: write(&returns.iter().map(|day| at(*day)).collect::<Vec<_>>()),
            assignee_id: None,
            ticket_url: None,
        }
    }

    #[test]
    fn only_a_drift_that_a_scan_resolved_within_30_days_returns() {
        let days = |how, day, returns: &[i64], now| after(&resolved(how, day, returns), at(now));
        assert_eq!(days(ResolvedHow::Auto, 100, &[], 130), [at(130)]);
        assert!(days(ResolvedHow::Auto, 100, &[90], 131).is_empty());
        assert_eq!(days(ResolvedHow::Auto, 100, &[20, 90], 115), [at(90), at(115)]);
        assert_eq!(days(ResolvedHow::Superseded, 100, &[90, 95], 100), [at(90), at(95)]);
        for how in [ResolvedHow::Manual, ResolvedHow::Ignored] {
            assert!(days(how, 100, &[90, 95], 101).is_empty(), "{how:?}");
        }
    }

    #[test]
    fn the_rhythm_is_the_median_of_at_most_50_returns() {
        let rhythm = |days: &[i64]| {
            Recurrence::read(resolved(ResolvedHow::Auto, 0, days).return_times.as_deref()).map(|rhythm| {
                (rhythm.returns, rhythm.median_interval_seconds.map(|seconds| seconds / 86_400))
            })
        };
        assert_eq!(rhythm(&[]), None);
        assert_eq!(rhythm(&[5]), Some((1, None)));
        assert_eq!(rhythm(&[5, 7, 9, 30]), Some((4, Some(2))));
        let many: Vec<i64> = (1..=60).collect();
        assert_eq!(after(&resolved(ResolvedHow::Auto, 60, &many), at(61)).len(), MOST);
    }
}
