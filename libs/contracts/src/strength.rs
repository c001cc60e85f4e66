//! The strength of a login: what the person has proved, and when.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::named::named;

named! {
    /// The strength of a login (`acr`). Ordered: each includes those before it.
    #[derive(Default)]
    pub enum Acr {
        /// A password, or a mail.
        #[default]
        Pwd,
        /// A second factor.
        Mfa,
        /// Phishing-resistant: a passkey.
        Phr,
    }
}

/// The proofs that a person has given in a session. Part of the claims of an access token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strength {
    #[serde(default)]
    pub acr: Acr,
    /// The methods of the login and of later step-ups (RFC 8176): `pwd`, `email`, `otp`, `pop` (a passkey), `swk` (a
    /// trusted device) and `mfa`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The Unix seconds of the login or of the last step-up. Absent for machines and in tokens of a replaced stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// Whether the person has a second factor, and can therefore be asked for it.
    #[serde(default, rename = "mfa", skip_serializing_if = "is_false")]
    pub has_factor: bool,
}

impl Strength {
    /// Whether a second factor was shown within `window` before `now`.
    pub fn is_fresh(&self, now: DateTime<Utc>, window: TimeDelta) -> bool {
        let shown_at = self.auth_time.and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        self.acr > Acr::Pwd && shown_at.is_some_and(|at| now - at <= window)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strength_is_fresh_for_its_window_and_never_without_a_factor() {
        let at = DateTime::from_timestamp(1_000, 0).unwrap();
        let shown = |acr| Strength { acr, auth_time: Some(1_000), ..Strength::default() };
        let window = TimeDelta::minutes(5);
        assert!(shown(Acr::Mfa).is_fresh(at + window, window) && shown(Acr::Phr).is_fresh(at, window));
        assert!(!shown(Acr::Mfa).is_fresh(at + window + TimeDelta::seconds(1), window));
        assert!(!shown(Acr::Pwd).is_fresh(at, window));
        assert!(!Strength { acr: Acr::Phr, ..Strength::default() }.is_fresh(at, window));
    }
}
