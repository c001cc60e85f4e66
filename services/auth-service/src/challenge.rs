//! Challenges in the first format of the altcha widget, and their solutions. Pure: no clock, no store.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ValueEnum;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

const ALGORITHM: &str = "SHA-256";
/// A browser tries all numbers in about a second.
pub const MAX_NUMBER: u64 = 100_000;
/// A payload of the widget has about 300 bytes.
const MAX_PAYLOAD_BYTES: usize = 2 * 1024;

/// The measures against automated requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AbuseProtection {
    /// None besides the limits.
    Off,
    /// Proof of work: a sign-up, or a request for a mail, needs the solution of a challenge, which takes a browser about a second.
    Pow,
}

/// A challenge, as the altcha widget reads it.
#[derive(Serialize, ToSchema)]
pub struct Challenge {
    #[schema(value_type = String, example = "SHA-256")]
    algorithm: &'static str,
    challenge: String,
    maxnumber: u64,
    /// Random, with the time at which the challenge expires: `?expires=…&`, in seconds since 1970.
    salt: String,
    signature: String,
}

/// A solved challenge. The widget sends it as JSON in base64.
#[derive(Deserialize)]
pub struct Solution {
    algorithm: String,
    pub challenge: String,
    number: u64,
    salt: String,
    signature: String,
}

/// The reason why a request without a valid proof of work was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    #[error("is missing; solve a challenge from GET /api/auth/challenge")]
    Missing,
    #[error("is not the solution of a challenge from this server; solve a new one")]
    Wrong,
    #[error("is the solution of a challenge that has expired; solve a new one")]
    Expired,
    #[error("was used already; solve a new challenge")]
    Used,
}

impl Challenge {
    /// Creates the challenge with this solution.
    pub fn new(key: &Hmac<Sha256>, salt: String, number: u64) -> Self {
        let challenge = hash(&salt, number);
        let signature = hex::encode(key.clone().chain_update(&challenge).finalize().into_bytes());
        Self { algorithm: ALGORITHM, challenge, maxnumber: MAX_NUMBER, salt, signature }
    }
}

impl Solution {
    pub fn parse(payload: &str) -> Result<Self, Unproven> {
        let bytes = (payload.len() <= MAX_PAYLOAD_BYTES).then(|| STANDARD.decode(payload).ok()).flatten();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).ok_or(Unproven::Wrong)
    }

    /// Returns the time at which the challenge expires. `None` if this key did not sign it, or the number is wrong.
    pub fn verify(&self, key: &Hmac<Sha256>) -> Option<i64> {
        let signature = hex::decode(&self.signature).ok()?;
        key.clone().chain_update(&self.challenge).verify_slice(&signature).ok()?;
        let is_solved = self.algorithm == ALGORITHM
            && self.number <= MAX_NUMBER
            && hash(&self.salt, self.number) == self.challenge;
        // The `&` separates the time from the number, whose digits a client could otherwise move into the time.
        let expires = self.salt.strip_suffix('&')?.split_once("?expires=")?.1;
        is_solved.then(|| expires.parse().ok()).flatten()
    }
}

fn hash(salt: &str, number: u64) -> String {
    hex::encode(Sha256::digest(format!("{salt}{number}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::refresh_token::keyed;

    /// Created by altcha-lib 2.8.0: `createChallenge` of `altcha-lib/v1`.
    const SALT: &str = "000102030405060708090a0b?expires=1800000000&";
    const CHALLENGE: &str = "032b11ab881ccb091d7c1a26641fa831d72e294a04bd5bb020a98ed4b46ccc63";
    const SIGNATURE: &str = "2d7f1dcb0ba3cd142000db30cc64791f7bd20f2f4380bcdd9974c1a080524f50";

    fn solution(salt: &str, number: u64) -> Solution {
        let [algorithm, challenge, salt, signature] =
            [ALGORITHM, CHALLENGE, salt, SIGNATURE].map(str::to_owned);
        Solution { algorithm, challenge, number, salt, signature }
    }

    #[test]
    fn challenges_are_those_of_altcha() {
        let key = keyed(b"0123456789abcdef0123456789abcdef");
        let challenge = Challenge::new(&key, SALT.to_owned(), 4_711);
        assert_eq!((challenge.challenge.as_str(), challenge.signature.as_str()), (CHALLENGE, SIGNATURE));
        assert_eq!(solution(SALT, 4_711).verify(&key), Some(1_800_000_000));
        assert_eq!(solution(SALT, 4_711).verify(&keyed(b"another key")), None);
        assert_eq!(solution(SALT, 4_712).verify(&key), None);
    }

    #[test]
    fn no_digit_moves_from_the_number_into_the_time() {
        let key = keyed(b"a key");
        let challenge = Challenge::new(&key, "00?expires=1800000000".to_owned(), 4_711);
        let moved = Solution {
            algorithm: ALGORITHM.to_owned(),
            challenge: challenge.challenge,
            number: 11,
            salt: "00?expires=180000000047".to_owned(),
            signature: challenge.signature,
        };
        assert_eq!(moved.verify(&key), None);
    }
}
