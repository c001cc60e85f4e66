//! Pages of lists that are sorted by a key and, among equal keys, by id. A cursor names the position where a
//! page ended, and its query.

use http::{ApiError, cursor};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Place<K> {
    query: String,
    key: K,
    id: Uuid,
}

/// Returns the position after which the page begins; `None` without a cursor. `query` is the text of
/// everything that determines the rows and their order.
///
/// # Errors
/// 400 for a cursor of another query.
pub(crate) fn after<K: DeserializeOwned>(
    cursor: Option<&str>,
    query: &str,
) -> Result<Option<(K, Uuid)>, ApiError> {
    let Some(text) = cursor else { return Ok(None) };
    let place: Place<K> = cursor::decode(text)?;
    if place.query == digest(query) { Ok(Some((place.key, place.id))) } else { Err(foreign()) }
}

/// The error 400 for a cursor of another list.
pub(crate) fn foreign() -> ApiError {
    ApiError::validation("cursor", "is not a cursor of this list")
}

/// Cuts rows to a page. `rows` has one row more than `limit` if there is a next page, whose cursor is then
/// returned.
pub(crate) fn cut<T, K: Serialize>(
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
    hex::encode(&Sha256::digest(query)[..8])
}
