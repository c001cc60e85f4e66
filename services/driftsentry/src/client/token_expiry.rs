//! Warns before a service token expires, so that a CI job does not first notice when a scan is refused.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::dangerous::insecure_decode_claims;
use serde::Deserialize;

const WARN_WITHIN: TimeDelta = TimeDelta::days(14);

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: i64,
}

/// Prints a warning to standard error if `token` is a service token that expires soon.
#[expect(clippy::print_stderr, reason = "for the person who reads the CI job's output")]
pub(super) fn warn(token: &str, now: DateTime<Utc>) {
    if let Some(warning) = warning(token, now) {
        eprintln!("warning: {warning}");
    }
}

/// Returns the warning about a token, if any. The signature is not checked, because the server decides
/// whether the token is valid.
fn warning(token: &str, now: DateTime<Utc>) -> Option<String> {
    let Claims { sub, exp } = insecure_decode_claims(token).ok()?;
    identity::service_token_id(&sub)?;
    let expires_at = DateTime::from_timestamp(exp, 0)?;
    let left = expires_at - now;
    let state = match left.num_days() {
        _ if left > WARN_WITHIN => return None,
        _ if left <= TimeDelta::zero() => "has expired".to_owned(),
        0 => "expires within a day".into(),
        1 => "expires in 1 day".into(),
        days => format!("expires in {days} days"),
    };
    let day = expires_at.format("%Y-%m-%d");
    Some(format!("the service token {state} ({day}); an admin can create a new one in the console"))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn token(sub: &str, exp: i64) -> String {
        let claims = serde_json::json!({"sub": sub, "exp": exp, "role": "engineer"});
        jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(b"key")).unwrap()
    }

    fn said(seconds_left: i64) -> Option<String> {
        let machine = "service:01a218f0-da3c-721d-bde8-9b6eefceaa19";
        warning(&token(machine, NOW + seconds_left), at(NOW))
    }

    #[test]
    fn a_service_token_that_expires_within_two_weeks_is_announced_s64() {
        let day = 24 * 60 * 60;
        assert_eq!(said(14 * day + 1), None);
        assert!(said(14 * day).unwrap().contains("expires in 14 days (2027-01-29)"));
        assert!(said(day).unwrap().contains("expires in 1 day ("));
        assert!(said(day - 1).unwrap().contains("expires within a day"));
        assert!(said(0).unwrap().contains("has expired"));
        assert!(said(-day).unwrap().contains("has expired"));
    }

    #[test]
    fn a_persons_token_and_text_that_is_no_token_are_not_announced() {
        assert_eq!(warning(&token("01a218f0-da3c-721d-bde8-9b6eefceaa19", NOW + 60), at(NOW)), None);
        for text in ["", ".", "..", "a.b.c", "header.e30.signature", "é.é.é"] {
            assert_eq!(warning(text, at(NOW)), None, "{text}");
        }
        assert_eq!(warning(&token("service:01a218f0-da3c-721d-bde8-9b6eefceaa19", i64::MAX), at(NOW)), None);
    }
}
