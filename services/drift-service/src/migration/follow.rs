//! Approvals for a time, returns, and what people add to a drift: assignee, ticket, snooze, comments, watchers.

use sea_orm::sea_query::ExprTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, string_len, string_len_null, text, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

use super::on;

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
        Ok(())
    }
}

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
    vec![
        known("approvedUntil"),
        known("snoozedUntil"),
        known("assigneeId"),
        on("drift_comments", &["driftId", "at", "id"]),
        on("drift_watchers", &["userId", "driftId"]),
    ]
}
