use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, string, timestamp_with_time_zone, uuid};

/// Adds failed logins by account and place, the networks that users log in from, and the login epoch of
/// users.
pub(super) struct LoginLimits;

impl MigrationName for LoginLimits {
    fn name(&self) -> &str {
        "m20261127_000001_login_limits"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LoginLimits {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let epoch = Table::alter().table("users").add_column(big_integer("loginEpoch").default(0)).take();
        manager.alter_table(epoch).await?;
        for table in [login_failures(), login_networks()] {
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("login_failures", "endsAt"),
            ("login_networks", "network"),
            ("login_networks", "lastLoginAt"),
            ("service_tokens", "createdBy"),
        ] {
            let index = Index::create().name(format!("{table}_by_{column}")).table(table).col(column).take();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn login_failures() -> TableCreateStatement {
    Table::create()
        .table("login_failures")
        .col(string("account"))
        .col(string("place"))
        .col(big_integer("failures"))
        .col(timestamp_with_time_zone("endsAt"))
        .primary_key(Index::create().col("account").col("place"))
        .take()
}

fn login_networks() -> TableCreateStatement {
    Table::create()
        .table("login_networks")
        .col(uuid("userId"))
        .col(string("network"))
        .col(timestamp_with_time_zone("lastLoginAt"))
        .primary_key(Index::create().col("userId").col("network"))
        .take()
}
