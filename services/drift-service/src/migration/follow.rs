//! Approvals for a time, returns, and what people add to a drift: assignee, ticket, snooze, comments, watchers.

use chrono::{DateTime, Utc};
use contracts::drift::ResolvedHow;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ConnectionTrait, FromQueryResult};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, string_len, string_len_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use uuid::Uuid;

use super::on;
use crate::drift::live::Predecessor;
use crate::drift::returns;

/// Number of fingerprints whose drifts are read at once.
const FINGERPRINTS: usize = 100;

pub(super) struct Follow;

impl MigrationName for Follow {
    fn name(&self) -> &str {
        "m20261128_000010_follow"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Follow {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            timestamp_with_time_zone_null("approvedUntil"),
            timestamp_with_time_zone_null("snoozedUntil"),
            string_len_null("assigneeId", 64),
            string_len_null("ticketUrl", 500),
            integer("returns").default(0).take(),
            text_null("returnTimes"),
        ] {
            manager.alter_table(Table::alter().table("drifts").add_column(column).take()).await?;
        }
        manager.create_table(comments()).await?;
        manager.create_table(watchers()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for name in REPLACED {
            manager.drop_index(Index::drop().name(name).table("drifts").to_owned()).await?;
        }
        note_returns(manager.get_connection()).await
    }
}

/// Indexes in whose place are some with one more column.
const REPLACED: [&str; 2] = [
    "drifts_actualHash_resourceType_kind_severityRank_status",
    "drifts_status_stack_resourceType_severity_kind_region_accountId",
];

fn comments() -> TableCreateStatement {
    Table::create()
        .table("drift_comments")
        .col(uuid("id").primary_key())
        .col(uuid("driftId"))
        .col(string_len("by", 255))
        .col(timestamp_with_time_zone("at"))
        .col(text("text"))
        .foreign_key(&mut of_drift("drift_comments"))
        .take()
}

fn watchers() -> TableCreateStatement {
    Table::create()
        .table("drift_watchers")
        .col(uuid("driftId"))
        .col(string_len("userId", 255))
        .col(timestamp_with_time_zone("since"))
        .primary_key(Index::create().col("driftId").col("userId"))
        .foreign_key(&mut of_drift("drift_watchers"))
        .take()
}

fn of_drift(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create().from(table, "driftId").to("drifts", "id").on_delete(ForeignKeyAction::Cascade).take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    // Few rows have a value, so the indexes stay small.
    let known = |column: &'static str| {
        on("drifts", &[column, "id"]).and_where(Expr::col(column).is_not_null()).take()
    };
    // Each has all columns of a count, so that the wide rows of drifts are not read for it.
    let mut groups =
        on("drifts", &["actualHash", "resourceType", "kind", "severityRank", "status", "snoozedUntil"]);
    let mut facets = on(
        "drifts",
        &["status", "stack", "resourceType", "severity", "kind", "region", "accountId", "snoozedUntil"],
    );
    vec![
        // With all columns, the names would be too long.
        groups.name("drifts_groups").take(),
        facets.name("drifts_facets").take(),
        known("approvedUntil"),
        known("snoozedUntil"),
        known("assigneeId"),
        on("drift_comments", &["driftId", "at", "id"]),
        on("drift_watchers", &["userId", "driftId"]),
    ]
}

#[derive(FromQueryResult)]
struct Fingerprint {
    fingerprint: String,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    fingerprint: String,
    created_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    resolved_how: Option<ResolvedHow>,
}

/// Stores the returns that the drifts of earlier versions show, with the last drift of each resource.
async fn note_returns(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let backend = db.get_database_backend();
    let repeated = Query::select()
        .column("fingerprint")
        .from("drifts")
        .group_by_col("fingerprint")
        .and_having(Expr::col("id").count().gt(1))
        .to_owned();
    let repeated = Fingerprint::find_by_statement(backend.build(&repeated)).all(db).await?;
    for chunk in repeated.chunks(FINGERPRINTS) {
        let select = Query::select()
            .columns(["id", "fingerprint"])
            .expr_as(Expr::col("createdAt"), "created_at")
            .expr_as(Expr::col("resolvedAt"), "resolved_at")
            .expr_as(Expr::col("resolvedHow"), "resolved_how")
            .from("drifts")
            .and_where(Expr::col("fingerprint").is_in(chunk.iter().map(|one| one.fingerprint.as_str())))
            .order_by("fingerprint", Order::Asc)
            .order_by("createdAt", Order::Asc)
            .order_by("id", Order::Asc)
            .to_owned();
        let rows = Row::find_by_statement(backend.build(&select)).all(db).await?;
        for drifts in rows.chunk_by(|one, next| one.fingerprint == next.fingerprint) {
            note_returns_of(db, drifts).await?;
        }
    }
    Ok(())
}

async fn note_returns_of(db: &impl ConnectionTrait, drifts: &[Row]) -> Result<(), DbErr> {
    let mut times = Vec::new();
    for (before, drift) in drifts.iter().zip(drifts.iter().skip(1)) {
        let before = Predecessor {
            id: before.id,
            resolved_at: before.resolved_at,
            resolved_how: before.resolved_how,
            return_times: returns::write(&times),
            assignee_id: None,
            ticket_url: None,
        };
        times = returns::after(&before, drift.created_at);
    }
    let (Some(last), false) = (drifts.last(), times.is_empty()) else { return Ok(()) };
    let update = Query::update()
        .table("drifts")
        .value("returns", returns::count(&times))
        .value("returnTimes", returns::write(&times))
        .and_where(Expr::col("id").eq(last.id))
        .to_owned();
    db.execute(&update).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
