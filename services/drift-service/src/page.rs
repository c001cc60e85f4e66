//! Pages of lists that are sorted by a key and, among equal keys, by id. A cursor names the place where
//! a page ended, and the query it belongs to.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use web::{ApiError, cursor};

pub const fn default_limit() -> u64 {
    20
}

#[derive(Serialize, Deserialize)]
struct Place<K> {
    query: String,
    key: K,
    id: Uuid,
}

/// The place after which the page begins; none without a cursor. `query` is everything that decides
/// which rows there are, and where.
///
/// # Errors
/// 400 for a cursor of another query.
pub fn after<K: DeserializeOwned>(cursor: Option<&str>, query: &str) -> Result<Option<(K, Uuid)>, ApiError> {
    let Some(text) = cursor else { return Ok(None) };
    let place: Place<K> = cursor::decode(text)?;
    if place.query == digest(query) { Ok(Some((place.key, place.id))) } else { Err(foreign()) }
}

/// 400: the cursor is none of this list's.
pub fn foreign() -> ApiError {
    ApiError::validation("cursor", "is not one that this list gave")
}

/// Cuts rows, read one more than asked for, to a page; with the cursor of the next one if there is one.
pub fn cut<T, K: Serialize>(
    mut rows: Vec<T>,
    limit: u64,
    query: &str,
    place: impl Fn(&T) -> (K, Uuid),
) -> (Vec<T>, Option<String>) {
    if rows.len() as u64 <= limit {
        return (rows, None);
    }
    rows.truncate(limit as usize);
    let next = rows.last().map(|last| {
        let (key, id) = place(last);
        cursor::encode(&Place { query: digest(query), key, id })
    });
    (rows, next)
}

fn digest(query: &str) -> String {
    Sha256::digest(query).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
