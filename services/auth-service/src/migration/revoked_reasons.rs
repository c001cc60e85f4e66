use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::string_null;

/// Adds the reason for which a service token was revoked.
pub(super) struct RevokedReasons;

impl MigrationName for RevokedReasons {
    fn name(&self) -> &str {
        "m20261127_000002_revoked_reasons"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RevokedReasons {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reason = string_null("revokedReason");
        manager.alter_table(Table::alter().table("service_tokens").add_column(reason).take()).await
    }
}
