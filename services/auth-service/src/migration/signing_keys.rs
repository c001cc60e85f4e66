use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_uniq, string, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

/// Adds the keys that sign access tokens.
pub(super) struct SigningKeys;

impl MigrationName for SigningKeys {
    fn name(&self) -> &str {
        "m20261127_000003_signing_keys"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SigningKeys {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("signing_keys")
            .col(string("id").primary_key())
            .col(big_integer_uniq("number"))
            .col(text("publicKey"))
            .col(text_null("privateKey"))
            .col(timestamp_with_time_zone("createdAt"))
            .col(timestamp_with_time_zone_null("announcedAt"))
            .col(timestamp_with_time_zone_null("withdrawnAt"))
            .take();
        manager.create_table(table).await
    }
}
