//! Proof of work against automated requests.
//!
//! A challenge is the SHA-256 of a salt and a secret number, which the client finds by trying. The service stores no
//! challenge: it signs each with a key derived from `JWT_REFRESH_SECRET`, and keeps only the used ones until they expire.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use aws_lc_rs::rand;
use chrono::DateTime;
use hmac::{Hmac, Mac};
use http::{ApiError, NoQuery};
use sha2::Sha256;

use crate::challenge::{AbuseProtection, Challenge, MAX_NUMBER, Solution, Unproven};
use crate::error::AuthError;
use crate::state::State;
use crate::token::refresh_token::keyed;

const LIFETIME: Duration = Duration::from_secs(10 * 60);
const SALT_BYTES: usize = 12;

/// Returns a challenge whose solution is accepted once, within ten minutes. 404 unless `ABUSE_PROTECTION=pow`.
#[utoipa::path(get, path = "/api/auth/challenge", tag = "auth", responses((status = 200, body = Challenge), (status = 404)))]
pub async fn get_challenge(state: Data<State>, _: NoQuery) -> Result<HttpResponse, ApiError> {
    if state.settings.abuse_protection == AbuseProtection::Off {
        return Err(ApiError::not_found("this server asks for no proof of work"));
    }
    let (mut salt, mut number) = ([0; SALT_BYTES], [0; 8]);
    rand::fill(&mut salt).and_then(|()| rand::fill(&mut number)).map_err(ApiError::internal)?;
    let expires = state.platform.clock().now() + LIFETIME;
    let number = u64::from_le_bytes(number) % (MAX_NUMBER + 1);
    let salt = format!("{}?expires={}&", hex::encode(salt), expires.timestamp());
    let [key, _] = keys(&state);
    // The widget solves each challenge once.
    let uncached = (header::CACHE_CONTROL, "no-store");
    Ok(HttpResponse::Ok().insert_header(uncached).json(Challenge::new(&key, salt, number)))
}

/// Admits a request with a solution in `payload`, or any request while the proof of work is off. Each solution is
/// accepted once on all replicas; while Redis is unavailable, once on each replica.
///
/// # Errors
/// [`AuthError::Unproven`] without a valid solution.
pub async fn admit(state: &State, payload: Option<&str>) -> Result<(), AuthError> {
    if state.settings.abuse_protection == AbuseProtection::Off {
        return Ok(());
    }
    let solution = Solution::parse(payload.filter(|payload| !payload.is_empty()).ok_or(Unproven::Missing)?)?;
    let keys = keys(state);
    let expires = keys.iter().find_map(|key| solution.verify(key)).ok_or(Unproven::Wrong)?;
    if DateTime::from_timestamp(expires, 0).is_none_or(|expires| expires <= state.platform.clock().now()) {
        return Err(Unproven::Expired.into());
    }
    let uses =
        state.platform.limiter().count(&format!("proof-of-work:{}", solution.challenge), LIFETIME).await;
    if uses == 1 { Ok(()) } else { Err(Unproven::Used.into()) }
}

/// Returns the keys of signatures: the main one, which signs, and the previous one while the secret is rotated.
fn keys(state: &State) -> [Hmac<Sha256>; 2] {
    let main = state.settings.jwt_refresh_secret.as_deref().unwrap_or_default();
    let previous = state.settings.previous_refresh_secret().unwrap_or(main);
    [main, previous].map(|secret| {
        let derived = keyed(secret.as_bytes()).chain_update(b"proof of work\0").finalize().into_bytes();
        // As text, so that altcha's own libraries accept the key.
        keyed(hex::encode(derived).as_bytes())
    })
}
