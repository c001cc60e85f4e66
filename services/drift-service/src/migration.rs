mod costs;
mod follow;
mod rules;
mod stacks;
mod trusted;
mod views_and_search;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, small_integer, string_len, string_len_null, string_null,
    text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

/// The migrations of this service. They are recorded in a table of this service, so that services can share a
/// database.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(DriftsAndAlerts),
            Box::new(database::Migration),
            Box::new(trusted::Trusted),
            Box::new(stacks::StacksAndScans),
            Box::new(views_and_search::ViewsAndSearch),
            Box::new(costs::KnownCosts),
            Box::new(follow::Follow),
            Box::new(rules::RuleVersions),
        ]
    }

    fn migration_table_name() -> DynIden {
        "drift_migrations".into_iden()
    }
}

struct DriftsAndAlerts;

impl MigrationName for DriftsAndAlerts {
    fn name(&self) -> &str {
        "m20261120_000001_drifts_and_alerts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DriftsAndAlerts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [drifts(), alerts(), audit(), stacks(), answered_requests()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn drifts() -> TableCreateStatement {
    Table::create()
        .table("drifts")
        .col(uuid("id").primary_key())
        .col(string_len_null("accountId", 64))
        .col(string_len("stack", 256))
        .col(string_len("address", 2048))
        .col(string_len("resourceId", 1024))
        .col(string_len("resourceType", 256))
        .col(string_len("region", 64))
        .col(text("severity"))
        .col(small_integer("severityRank"))
        .col(text("kind"))
        .col(text("status"))
        .col(text_null("expectedState"))
        .col(text_null("actualState"))
        .col(text("difference"))
        .col(big_integer("costCents"))
        .col(timestamp_with_time_zone("detectedAt"))
        .col(timestamp_with_time_zone("firstSeenAt"))
        .col(timestamp_with_time_zone("lastSeenAt"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("updatedAt"))
        .col(integer("occurrences"))
        .col(timestamp_with_time_zone_null("approvedAt"))
        .col(string_null("approvedBy"))
        .col(text_null("approvedReason"))
        .col(timestamp_with_time_zone_null("rejectedAt"))
        .col(string_null("rejectedBy"))
        .col(text_null("rejectedReason"))
        .col(big_integer_null("decisionSeconds"))
        .col(timestamp_with_time_zone_null("resolvedAt"))
        .col(string_null("resolvedBy"))
        .col(text_null("resolvedHow"))
        .col(uuid_null("previousDriftId"))
        .col(string_len("fingerprint", 64))
        .col(string_len("actualHash", 64))
        .col(integer("version"))
        .col(text("searchText"))
        .take()
}

fn alerts() -> TableCreateStatement {
    Table::create()
        .table("alerts")
        .col(uuid("id").primary_key())
        .col(uuid_null("driftId"))
        .col(text("alertType"))
        .col(text("severity"))
        .col(string_len("title", 255))
        .col(text("message"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(boolean("isRead"))
        .col(timestamp_with_time_zone_null("readAt"))
        .col(string_null("readBy"))
        .foreign_key(
            ForeignKey::create()
                .from("alerts", "driftId")
                .to("drifts", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

/// Without foreign keys, because audit rows outlive the drifts and alerts that they describe.
fn audit() -> TableCreateStatement {
    Table::create()
        .table("drift_audit")
        .col(uuid("id").primary_key())
        .col(timestamp_with_time_zone("at"))
        .col(text("actor"))
        .col(text("action"))
        .col(text("entity"))
        .col(uuid("entityId"))
        .col(text_null("fromStatus"))
        .col(text_null("toStatus"))
        .col(text_null("reason"))
        .col(text("requestId"))
        .col(text("changedFields"))
        .take()
}

fn stacks() -> TableCreateStatement {
    Table::create()
        .table("stacks")
        .col(string_len("stack", 256))
        .col(string_len("accountId", 64))
        .col(timestamp_with_time_zone_null("lastScanAt"))
        .primary_key(Index::create().col("stack").col("accountId"))
        .take()
}

fn answered_requests() -> TableCreateStatement {
    Table::create()
        .table("answered_requests")
        .col(string_len("id", 64).primary_key())
        .col(string_len("requestHash", 64))
        .col(small_integer("status"))
        .col(text("body"))
        .col(timestamp_with_time_zone("createdAt"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    // The database itself prevents duplicates, also under parallel ingest.
    let one_live_row = Index::create()
        .name("drifts_one_live_per_fingerprint")
        .table("drifts")
        .col("fingerprint")
        .unique()
        .and_where(Expr::col("status").ne("resolved"))
        .take();
    vec![
        one_live_row,
        on("drifts", &["fingerprint", "resolvedAt"]),
        on("drifts", &["stack", "status"]),
        on("drifts", &["detectedAt", "id"]),
        on("drifts", &["createdAt", "id"]),
        on("drifts", &["lastSeenAt", "id"]),
        on("drifts", &["costCents", "id"]),
        on("drifts", &["severityRank", "id"]),
        on("drifts", &["status", "detectedAt", "id"]),
        on("alerts", &["createdAt", "id"]),
        on("alerts", &["driftId", "alertType"]).unique().take(),
        on("alerts", &["isRead", "createdAt", "id"]),
        on("drift_audit", &["at", "id"]),
        on("drift_audit", &["entityId", "at", "id"]),
        on("answered_requests", &["createdAt"]),
    ]
}

/// An index on these columns, named after them.
fn on(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(format!("{table}_{}", columns.join("_"))).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
