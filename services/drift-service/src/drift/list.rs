//! Lists of drifts: filters, sort orders, and a cursor that names a position in one sorted list.

use chrono::{DateTime, Utc};
use http::ApiError;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{Condition, Order, QueryOrder, QuerySelect, Value};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::entity::{Column, Entity, Model};
use super::filter::filtered_query;
use crate::access::Reader;
use crate::error::DriftError;
use crate::page;

filtered_query! {
    /// The drifts to list, their order and their number. Lists are comma-separated, with at most 50 values.
    pub struct DriftQuery {
        #[serde(default)]
        #[param(value_type = Option<String>, example = "-detectedAt")]
        sort: Sort,
        #[validate(range(min = 1, max = 100))]
        #[serde(default = "http::cursor::default_limit")]
        #[param(value_type = Option<u64>, default = 20, minimum = 1, maximum = 100)]
        pub limit: u64,
        cursor: Option<String>,
    }
}

/// The sort key of a list. Ties are broken by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Key {
    DetectedAt,
    CreatedAt,
    LastSeenAt,
    CostImpactMonthly,
    /// By rank: info, warning, critical.
    Severity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sort {
    key: Key,
    descending: bool,
}

impl Default for Sort {
    fn default() -> Self {
        Self { key: Key::DetectedAt, descending: true }
    }
}

impl<'de> Deserialize<'de> for Sort {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (name, descending) = text.strip_prefix('-').map_or((text.as_str(), false), |name| (name, true));
        Ok(Self { key: Key::deserialize(name.into_deserializer())?, descending })
    }
}

impl Sort {
    const fn column(self) -> Column {
        match self.key {
            Key::DetectedAt => Column::DetectedAt,
            Key::CreatedAt => Column::CreatedAt,
            Key::LastSeenAt => Column::LastSeenAt,
            Key::CostImpactMonthly => Column::CostCents,
            Key::Severity => Column::SeverityRank,
        }
    }

    /// A drift's value of this key: microseconds, cents or rank.
    pub(super) const fn place_of(self, drift: &Model) -> i64 {
        match self.key {
            Key::DetectedAt => drift.detected_at.timestamp_micros(),
            Key::CreatedAt => drift.created_at.timestamp_micros(),
            Key::LastSeenAt => drift.last_seen_at.timestamp_micros(),
            Key::CostImpactMonthly => drift.cost_cents,
            Key::Severity => drift.severity_rank as i64,
        }
    }

    fn value(self, place: i64) -> Option<Value> {
        match self.key {
            Key::DetectedAt | Key::CreatedAt | Key::LastSeenAt => {
                Some(DateTime::<Utc>::from_timestamp_micros(place)?.into())
            }
            Key::CostImpactMonthly => Some(place.into()),
            Key::Severity => Some(i16::try_from(place).ok()?.into()),
        }
    }
}

/// Returns the drifts that match and follow a place in the sorted list, at most `limit`.
///
/// # Errors
/// If the database fails.
pub(super) async fn page_after(
    db: &impl ConnectionTrait,
    condition: Condition,
    sort: Sort,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    match select_after(condition, sort, after, limit) {
        Some(select) => select.all(db).await,
        None => Ok(Vec::new()),
    }
}

/// Returns `None` if the place cannot be one of this list.
fn select_after(
    condition: Condition,
    sort: Sort,
    after: Option<(i64, Uuid)>,
    limit: u64,
) -> Option<Select<Entity>> {
    let order = if sort.descending { Order::Desc } else { Order::Asc };
    let mut select = Entity::find().filter(condition);
    if let Some((place, id)) = after {
        let here = Expr::tuple([Expr::col(sort.column()), Expr::col(Column::Id)]);
        let there = Expr::tuple([Expr::value(sort.value(place)?), Expr::value(id)]);
        select = select.filter(if sort.descending { here.lt(there) } else { here.gt(there) });
    }
    Some(select.order_by(sort.column(), order.clone()).order_by(Column::Id, order).limit(limit))
}

impl DriftQuery {
    /// Returns a page, and the cursor of the next one if there is one.
    ///
    /// # Errors
    /// 400 for a cursor of another query, or filters that `reader` may not use.
    pub async fn page(
        &self,
        db: &impl ConnectionTrait,
        reader: &Reader,
    ) -> Result<(Vec<Model>, Option<String>), ApiError> {
        let rows = self.select(reader)?.all(db).await.map_err(DriftError::from)?;
        Ok(page::cut(rows, self.limit, &self.bound(), |drift| (self.sort.place_of(drift), drift.id)))
    }

    fn select(&self, reader: &Reader) -> Result<Select<Entity>, ApiError> {
        let after = page::after(self.cursor.as_deref(), &self.bound())?;
        // One more row than requested shows whether there is a next page.
        let condition = self.filter(reader)?.condition();
        select_after(condition, self.sort, after, self.limit + 1).ok_or_else(page::foreign)
    }

    /// The parts of the query that determine the rows and their order.
    fn bound(&self) -> String {
        format!("{:?}", Self { cursor: None, limit: 0, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use backplane::{Backplane, Options};
    use contracts::{Clock, Tasks};
    use sea_orm::{DbBackend, QueryTrait, Statement};
    use serde::de;
    use testing::Backend;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::audience::Audience;
    use crate::migration::Migrator;

    const ROWS: u32 = 20_000;

    /// Creates a database with many drifts and up-to-date planner statistics.
    async fn many_drifts(url: &str) -> database::Database {
        let clock = Clock::system();
        let options = Options::new(clock.clone(), Tasks::new(CancellationToken::new()));
        let log = Backplane::connect("memory:", options).unwrap().log;
        let db = database::Database::connect::<Migrator>(url, log, clock).await.unwrap();
        let seed = format!(
            r#"INSERT INTO drifts ("id", "stack", "address", "resourceId", "resourceType", "region", "severity",
                "severityRank", "kind", "status", "difference", "costCents", "detectedAt", "firstSeenAt",
                "lastSeenAt", "createdAt", "updatedAt", "occurrences", "fingerprint", "actualHash", "version",
                "searchText", "searchPaths", "provider", "providerConfig", "isSeverityManual")
            SELECT gen_random_uuid(), 's', 'a', 'i', 't', 'r', 'info', n % 3, 'changed', 'detected', '[]', n % 97,
                at, at, at, at, at, 1, n::text, '', 1, 'a', '', '', '', false
            FROM (SELECT n, now() - n * interval '1 second' AS at FROM generate_series(1, {ROWS}) AS n) AS numbers"#
        );
        for sql in [seed.as_str(), "ANALYZE drifts"] {
            db.execute_unprepared(sql).await.unwrap();
        }
        db
    }

    #[tokio::test]
    async fn any_page_of_any_sort_is_read_from_an_index() {
        let stores = Backend::Real.start().await;
        let db = many_drifts(&stores.database_url().await).await;
        let reader = Reader { audience: Audience::Viewer, user_id: None };
        for name in ["detectedAt", "createdAt", "lastSeenAt", "costImpactMonthly", "severity"] {
            for direction in ["", "-"] {
                let sort = Sort::deserialize(format!("{direction}{name}").into_deserializer());
                let sort = sort.map_err(|error: de::value::Error| error).unwrap();
                let mut query: DriftQuery = serde_json::from_str("{}").unwrap();
                query.sort = sort;
                let (_, next) = query.page(&db, &reader).await.unwrap();
                query.cursor = next;
                let select = query.select(&reader).unwrap().build(DbBackend::Postgres);
                let explain = Statement::from_string(DbBackend::Postgres, format!("EXPLAIN {select}"));
                let lines = db.query_all_raw(explain).await.unwrap();
                let plan: Vec<String> = lines.iter().map(|line| line.try_get_by_index(0).unwrap()).collect();
                let plan = plan.join("\n");
                let is_indexed = plan.contains("Index Scan") && plan.contains("Index Cond");
                assert!(is_indexed && !plan.contains("Sort"), "{direction}{name}:\n{plan}");
            }
        }
    }
}
