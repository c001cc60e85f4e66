mod slack_app;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, integer_null, string_len, string_len_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

use slack_app::SlackApps;

/// The migrations of this service. They are recorded in a table of this service, so that services can share a
/// database.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Notifications), Box::new(database::Migration), Box::new(SlackApps)]
    }

    fn migration_table_name() -> DynIden {
        "notify_migrations".into_iden()
    }
}

struct Notifications;

impl MigrationName for Notifications {
    fn name(&self) -> &str {
        "m20261128_000001_notifications"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Notifications {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [cursors(), destinations(), events(), deliveries()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn cursors() -> TableCreateStatement {
    Table::create()
        .table("notify_cursors")
        .col(string_len("name", 32).primary_key())
        .col(string_len("position", 128))
        .col(uuid_null("lastEvent"))
        .col(timestamp_with_time_zone("readAt"))
        .take()
}

fn destinations() -> TableCreateStatement {
    Table::create()
        .table("notify_destinations")
        .col(uuid("id").primary_key())
        .col(string_len("name", 80))
        .col(string_len("kind", 16))
        .col(text("target"))
        .col(string_len("shown", 300))
        .col(text_null("signing"))
        .col(json("rules"))
        .col(json("schedule"))
        .col(text_null("template"))
        .col(boolean("isEnabled"))
        .col(integer("version"))
        .col(string_len("createdBy", 255))
        .col(timestamp_with_time_zone("createdAt"))
        .col(string_len("updatedBy", 255))
        .col(timestamp_with_time_zone("updatedAt"))
        .col(timestamp_with_time_zone_null("dueAt"))
        .col(uuid_null("leasedBy"))
        .col(timestamp_with_time_zone_null("leasedUntil"))
        .col(integer("failures"))
        .col(timestamp_with_time_zone_null("failingSince"))
        .col(string_len_null("lastFailure", 64))
        .col(timestamp_with_time_zone_null("blockedUntil"))
        .take()
}

fn json(name: &'static str) -> ColumnDef {
    sea_orm_migration::schema::json(name)
}

fn events() -> TableCreateStatement {
    Table::create()
        .table("notify_events")
        .col(uuid("id").primary_key())
        .col(string_len("type", 64))
        .col(timestamp_with_time_zone("at"))
        .col(string_len_null("accountId", 64))
        .col(string_len_null("userId", 255))
        .col(string_len("subject", 300))
        .col(string_len("state", 64))
        .col(text("payload"))
        .col(timestamp_with_time_zone("storedAt"))
        .take()
}

fn deliveries() -> TableCreateStatement {
    let destination = ForeignKey::create()
        .from("notify_deliveries", "destinationId")
        .to("notify_destinations", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    let event = ForeignKey::create().from("notify_deliveries", "eventId").to("notify_events", "id").take();
    Table::create()
        .table("notify_deliveries")
        .col(big_integer("id").auto_increment().primary_key())
        .col(uuid("destinationId"))
        .col(uuid("eventId"))
        .col(string_len("subject", 300))
        .col(string_len("status", 16))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("dueAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(integer("attempts"))
        .col(json("log"))
        .col(integer_null("lastStatus"))
        .col(string_len_null("failure", 64))
        .col(timestamp_with_time_zone_null("finishedAt"))
        .foreign_key(&mut destination.clone())
        .foreign_key(&mut event.clone())
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let on = |name: &str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(table).take();
        for column in columns {
            index.col(*column);
        }
        index
    };
    // Few deliveries wait, so that the indexes of those that do stay small.
    let waiting = || Expr::col("status").eq("pending");
    vec![
        on("notify_deliveries_once", "notify_deliveries", &["destinationId", "eventId"]).unique().take(),
        on("notify_deliveries_waiting", "notify_deliveries", &["destinationId", "subject", "id"])
            .and_where(waiting())
            .take(),
        on("notify_deliveries_subject", "notify_deliveries", &["destinationId", "subject", "id"]),
        on("notify_deliveries_expiring", "notify_deliveries", &["expiresAt"]).and_where(waiting()).take(),
        on("notify_deliveries_list", "notify_deliveries", &["destinationId", "id"]),
        on("notify_deliveries_event", "notify_deliveries", &["eventId"]),
        on("notify_deliveries_finished", "notify_deliveries", &["finishedAt"]),
        on("notify_destinations_due", "notify_destinations", &["dueAt"]),
        on("notify_events_user", "notify_events", &["userId"]),
        on("notify_events_stored", "notify_events", &["storedAt"]),
    ]
}
