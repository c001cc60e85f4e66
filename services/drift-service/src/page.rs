//! Pages of lists that are sorted by a key and, among equal keys, by id. A cursor names the position where a
//! page ended, and its query.

use http::{ApiError, cursor};
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Query};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QuerySelect, QueryTrait, Select};
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

/// Counts the rows of a query, at most up to `most`, so that a long list costs no more than a short one.
pub(crate) async fn count_up_to<E: EntityTrait>(
    db: &impl ConnectionTrait,
    rows: Select<E>,
    id: E::Column,
    most: u64,
) -> Result<u64, DbErr> {
    let rows = rows.select_only().column(id).limit(most).into_query();
    let count =
        Query::select().expr_as(Expr::col(Asterisk).count(), "count").from_subquery(rows, "rows").take();
    let row = db.query_one(&count).await?;
    Ok(row.map_or(Ok(0i64), |row| row.try_get("", "count"))?.unsigned_abs())
}

fn digest(query: &str) -> String {
    hex::encode(&Sha256::digest(query)[..8])
}
