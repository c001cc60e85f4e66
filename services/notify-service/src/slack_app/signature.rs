//! Signatures of Slack's requests: <https://docs.slack.dev/authentication/verifying-requests-from-slack>.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Largest difference between the time of a request and ours.
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);
/// Time for which a signature is valid: a request may be signed that long before, or after, the present.
pub(super) const VALID_FOR: Duration = Duration::from_secs(600);
const VERSION: &str = "v0";

/// Whether Slack signed this body with the secret, within five minutes.
#[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
pub(super) fn is_genuine(
    secret: &str,
    timestamp: &str,
    signature: &str,
    body: &[u8],
    now: DateTime<Utc>,
) -> bool {
    let Some(seconds) = seconds(timestamp) else { return false };
    if (now.timestamp() - seconds).abs() > TOLERANCE.num_seconds() {
        return false;
    }
    let sent = signature.strip_prefix(VERSION).and_then(|rest| rest.strip_prefix('='));
    let Some(Ok(sent)) = sent.map(hex::decode) else { return false };
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    // Compares in constant time.
    mac.chain_update(format!("{VERSION}:{timestamp}:")).chain_update(body).verify_slice(&sent).is_ok()
}

/// Reads seconds as Slack writes them, so that one request has one text.
fn seconds(text: &str) -> Option<i64> {
    let is_canonical = (1..=11).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    // The example of Slack's documentation.
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_531_420_618 + seconds, 0).unwrap()
    }

    #[rstest]
    #[case::at_once(0, true)]
    #[case::late(300, true)]
    #[case::early(-300, true)]
    #[case::too_late(301, false)]
    #[case::too_early(-301, false)]
    fn the_published_example_is_genuine_for_five_minutes(#[case] seconds: i64, #[case] expected: bool) {
        assert_eq!(is_genuine(SECRET, TIMESTAMP, SIGNATURE, BODY.as_bytes(), at(seconds)), expected);
    }

    #[rstest]
    #[case::secret("8f742231b10e8888abcd99yyyzzz85a6", TIMESTAMP, SIGNATURE, BODY)]
    #[case::time(SECRET, "1531420619", SIGNATURE, BODY)]
    #[case::padded_time(SECRET, "01531420618", SIGNATURE, BODY)]
    #[case::no_time(SECRET, "", SIGNATURE, BODY)]
    #[case::signed_time(SECRET, "+1531420618", SIGNATURE, BODY)]
    #[case::body(SECRET, TIMESTAMP, SIGNATURE, "token=other")]
    #[case::no_version(SECRET, TIMESTAMP, &SIGNATURE[3..], BODY)]
    #[case::other_version(
        SECRET,
        TIMESTAMP,
        "v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
        BODY
    )]
    #[case::part(SECRET, TIMESTAMP, "v0=a2114d57", BODY)]
    #[case::nothing(SECRET, TIMESTAMP, "", BODY)]
    #[case::no_hex(SECRET, TIMESTAMP, "v0=xyz", BODY)]
    fn every_other_request_is_not(
        #[case] secret: &str,
        #[case] timestamp: &str,
        #[case] signature: &str,
        #[case] body: &str,
    ) {
        assert!(!is_genuine(secret, timestamp, signature, body.as_bytes(), at(0)));
    }
}
