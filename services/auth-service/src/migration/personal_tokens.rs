use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

/// Distinguishes the tokens of people from those of machines.
pub(super) struct PersonalTokens;

impl MigrationName for PersonalTokens {
    fn name(&self) -> &str {
        "m20261128_000001_personal_tokens"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for PersonalTokens {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_personal = boolean("isPersonal").default(false).take();
        manager.alter_table(Table::alter().table("service_tokens").add_column(is_personal).take()).await
    }
}
