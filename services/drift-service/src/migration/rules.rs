//! The versions of the rules of the console.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null, string, text, text_null, timestamp_with_time_zone};

pub(super) struct RuleVersions;

impl MigrationName for RuleVersions {
    fn name(&self) -> &str {
        "m20261128_000001_rule_versions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for RuleVersions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("rule_versions")
            .col(integer("version").primary_key())
            .col(text("rules"))
            .col(text_null("alertThreshold"))
            .col(string("by"))
            .col(timestamp_with_time_zone("at"))
            .col(text_null("note"))
            .col(integer_null("restoredFrom"))
            .take();
        manager.create_table(table).await
    }
}
