use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{text, timestamp_with_time_zone, uuid};

/// Adds the settings that pages of the old stack keep for a user.
pub(super) struct UserSettings;

impl MigrationName for UserSettings {
    fn name(&self) -> &str {
        "m20261127_000004_user_settings"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for UserSettings {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("user_settings")
            .col(uuid("userId").primary_key())
            .col(text("settings"))
            .col(timestamp_with_time_zone("updatedAt"))
            .foreign_key(ForeignKey::create().from("user_settings", "userId").to("users", "id"))
            .take();
        manager.create_table(table).await
    }
}
