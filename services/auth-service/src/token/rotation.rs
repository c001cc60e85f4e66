//! Rules for the response to each refresh token of a session. Pure: no clock, no database.
//!
//! Tokens of a session are numbered by their counter. A token is *used* once its successor has been issued,
//! so only the newest one is unused.
//!
//! | presented | response |
//! |---|---|
//! | the newest | [`Decision::Rotate`]: its successor, which becomes the newest |
//! | the one before it: the response got lost, or requests race | [`Decision::Repeat`] of the newest |
//! | an older one, first used within the grace | [`Decision::Repeat`] of its successor |
//! | anything else | [`Decision::Theft`]: two parties hold the session's tokens |

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};

/// Maximum number of remembered uses. A client that rotates more often within the grace period loses the
/// grace of its oldest tokens.
const REMEMBERED_USES: usize = 64;

/// The state of a session's refresh tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Rotation {
    /// The counter of the newest token.
    newest: u32,
    /// The times at which the tokens before the newest were first used, latest first and only within the
    /// grace period.
    used_at: Vec<DateTime<Utc>>,
    /// The last time that a refresh of the session was written to the audit log.
    #[serde(default)]
    audited_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Rotate,
    /// Respond with the token of this counter, which has been issued before.
    Repeat(u32),
    Theft,
}

impl Decision {
    /// Whether the refresh is published and counts towards limits. A repetition is not and does not, except
    /// without rotation, where every refresh repeats the first token.
    pub fn is_new(self, policy: RotationPolicy) -> bool {
        match self {
            Self::Rotate => true,
            Self::Repeat(_) => !policy.rotate,
            Self::Theft => false,
        }
    }
}

/// The policy for renewing refresh tokens.
#[derive(Clone, Copy, Debug)]
pub struct RotationPolicy {
    /// If `false`, a session keeps its first token, as frontends of the old stack expect.
    pub rotate: bool,
    pub grace: TimeDelta,
}

impl Rotation {
    pub fn newest(&self) -> u32 {
        self.newest
    }

    /// Decides how to respond to the genuine token with the counter `presented`.
    pub fn decide(&self, presented: u32, now: DateTime<Utc>, policy: RotationPolicy) -> Decision {
        let Some(uses_ago) = self.newest.checked_sub(presented) else { return Decision::Theft };
        match uses_ago {
            0 if policy.rotate => Decision::Rotate,
            0 => Decision::Repeat(presented),
            1 => Decision::Repeat(self.newest),
            _ => match self.used_at.get(uses_ago as usize - 1) {
                Some(used_at) if now - *used_at <= policy.grace => Decision::Repeat(presented + 1),
                _ => Decision::Theft,
            },
        }
    }

    /// Returns the state after the first use of the newest token: its successor becomes the newest.
    pub fn rotate(&self, now: DateTime<Utc>, policy: RotationPolicy) -> Self {
        let still_in_grace =
            self.used_at.iter().copied().take_while(|used_at| now - *used_at <= policy.grace);
        Self {
            newest: self.newest + 1,
            used_at: std::iter::once(now).chain(still_in_grace).take(REMEMBERED_USES).collect(),
            audited_at: self.audited_at,
        }
    }

    /// Whether a refresh at `now` is written to the audit log. A session gets at most one row per `interval`,
    /// so that rows do not grow with the number of refreshes.
    pub fn is_audit_due(&self, now: DateTime<Utc>, interval: TimeDelta) -> bool {
        self.audited_at.is_none_or(|at| now - at >= interval)
    }

    pub fn audited(self, now: DateTime<Utc>) -> Self {
        Self { audited_at: Some(now), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RotationPolicy = RotationPolicy { rotate: true, grace: TimeDelta::seconds(30) };

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn an_old_token_is_theft_once_the_grace_has_passed_s09() {
        let session = Rotation::default().rotate(at(0), POLICY).rotate(at(100), POLICY);
        assert_eq!(session.decide(0, at(100), POLICY), Decision::Theft);
        assert_eq!(session.decide(2, at(100), POLICY), Decision::Rotate);
    }

    #[test]
    fn an_old_token_within_the_grace_yields_its_own_successor() {
        let session = Rotation::default().rotate(at(0), POLICY).rotate(at(5), POLICY).rotate(at(6), POLICY);
        assert_eq!(session.decide(0, at(30), POLICY), Decision::Repeat(1));
        assert_eq!(session.decide(0, at(31), POLICY), Decision::Theft);
        assert_eq!(session.decide(1, at(31), POLICY), Decision::Repeat(2));
    }

    #[test]
    fn the_token_before_the_newest_works_however_old_s11() {
        let session = Rotation::default().rotate(at(0), POLICY);
        assert_eq!(session.decide(0, at(1_000_000), POLICY), Decision::Repeat(1));
    }

    #[test]
    fn a_token_that_was_never_issued_is_theft() {
        assert_eq!(Rotation::default().decide(1, at(0), POLICY), Decision::Theft);
    }

    #[test]
    fn without_rotation_the_first_token_stays() {
        let policy = RotationPolicy { rotate: false, ..POLICY };
        assert_eq!(Rotation::default().decide(0, at(1_000_000), policy), Decision::Repeat(0));
    }

    #[test]
    fn the_audit_log_keeps_one_refresh_an_interval_s60() {
        let interval = TimeDelta::seconds(60);
        let session = Rotation::default();
        assert!(session.is_audit_due(at(0), interval));
        let session = session.audited(at(0)).rotate(at(1), POLICY);
        assert!(!session.is_audit_due(at(59), interval));
        assert!(session.is_audit_due(at(60), interval));
    }

    #[test]
    fn remembered_uses_are_bounded() {
        let mut session = Rotation::default();
        for _ in 0..1_000 {
            session = session.rotate(at(0), POLICY);
        }
        assert_eq!(session.used_at.len(), REMEMBERED_USES);
        assert_eq!(session.rotate(at(31), POLICY).used_at.len(), 1);
    }
}
