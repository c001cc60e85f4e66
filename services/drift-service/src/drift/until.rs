//! The times until which an approval lasts or a drift is snoozed.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use contracts::Timestamp;

use super::Action;
use crate::error::DriftError;

const LONGEST_APPROVAL: TimeDelta = TimeDelta::days(731);
const LONGEST_SNOOZE: TimeDelta = TimeDelta::days(90);

/// Checks the end of an approval.
///
/// # Errors
/// 400 if the action is no approval, or the time is not within the next two years.
pub(super) fn approval_end(
    until: Option<Timestamp>,
    action: Action,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DriftError> {
    let Some(until) = until else { return Ok(None) };
    if action != Action::Approve {
        return Err(invalid("until", "is only for approvals"));
    }
    let end = within(until, LONGEST_APPROVAL, now);
    end.map(Some).ok_or_else(|| invalid("until", "must be in the future, and at most two years ahead"))
}

/// Checks the end of a snooze.
///
/// # Errors
/// 400 if the time is not within the next 90 days.
pub(super) fn snooze_end(until: Timestamp, now: DateTime<Utc>) -> Result<DateTime<Utc>, DriftError> {
    within(until, LONGEST_SNOOZE, now)
        .ok_or_else(|| invalid("snoozedUntil", "must be in the future, and at most 90 days ahead"))
}

fn within(Timestamp(until): Timestamp, longest: TimeDelta, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    // As databases store it.
    let until = until.trunc_subsecs(6);
    (until > now && until - now <= longest).then_some(until)
}

fn invalid(field: &'static str, message: &str) -> DriftError {
    DriftError::Invalid { field, message: message.into() }
}
