use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{string_len, text, timestamp_with_time_zone, uuid};

/// Adds the threads of drifts in Slack, and the links of its users.
pub(super) struct SlackApps;

impl MigrationName for SlackApps {
    fn name(&self) -> &str {
        "m20261128_000002_slack_apps"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SlackApps {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [threads(), links()] {
            manager.create_table(table).await?;
        }
        let index = |name: &str, table: &'static str| Index::create().name(name).table(table).take();
        let links = |name| index(name, "notify_slack_links");
        for mut index in [
            links("notify_slack_links_once").col("destinationId").col("slackUser").unique().take(),
            links("notify_slack_links_user").col("userId").take(),
            index("notify_slack_threads_shown", "notify_slack_threads").col("shownAt").take(),
        ] {
            manager.create_index(index.take()).await?;
        }
        Ok(())
    }
}

fn threads() -> TableCreateStatement {
    Table::create()
        .table("notify_slack_threads")
        .col(uuid("destinationId"))
        .col(string_len("subject", 300))
        .col(string_len("channel", 64))
        .col(string_len("ts", 64))
        .col(timestamp_with_time_zone("shownAt"))
        .primary_key(Index::create().col("destinationId").col("subject"))
        .foreign_key(&mut of_destination("notify_slack_threads"))
        .take()
}

fn links() -> TableCreateStatement {
    Table::create()
        .table("notify_slack_links")
        .col(uuid("id").primary_key())
        .col(uuid("destinationId"))
        .col(string_len("slackUser", 64))
        .col(string_len("slackName", 80))
        .col(string_len("userId", 255))
        .col(text("token"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .foreign_key(&mut of_destination("notify_slack_links"))
        .take()
}

fn of_destination(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, "destinationId")
        .to("notify_destinations", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}
