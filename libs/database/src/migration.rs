use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, json, string, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

/// Creates the `outbox` table. List it in the migrator of each service that emits events.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_000000_outbox"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Outbox::Table)
            .col(big_integer(Outbox::Id).auto_increment().primary_key())
            .col(uuid(Outbox::EventId).unique_key())
            .col(string(Outbox::Channel))
            .col(text(Outbox::Envelope))
            .col(json(Outbox::Marks))
            .col(timestamp_with_time_zone(Outbox::CreatedAt))
            .col(timestamp_with_time_zone_null(Outbox::PublishedAt))
            .to_owned();
        manager.create_table(table).await?;
        // A partial index, so that finding unsent rows costs the same however many were sent.
        let unsent = Index::create()
            .name("outbox_unsent")
            .table(Outbox::Table)
            .col(Outbox::Id)
            .and_where(Expr::col(Outbox::PublishedAt).is_null())
            .to_owned();
        manager.create_index(unsent).await
    }
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Id,
    EventId,
    Channel,
    Envelope,
    Marks,
    CreatedAt,
    PublishedAt,
}
