use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, string, string_len_null, string_null, string_uniq, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

/// Adds logins of devices without a browser, which a person approves in another session.
pub(super) struct DeviceLogins;

impl MigrationName for DeviceLogins {
    fn name(&self) -> &str {
        "m20261128_000003_device_logins"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for DeviceLogins {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(device_logins()).await?;
        for column in ["network", "userId", "expiresAt"] {
            let name = format!("device_logins_by_{column}");
            let index = Index::create().name(name).table("device_logins").col(column).take();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn device_logins() -> TableCreateStatement {
    Table::create()
        .table("device_logins")
        .col(uuid("id").primary_key())
        .col(string_uniq("userCodeHash"))
        .col(string_len_null("name", 100))
        .col(string("ipAddress"))
        .col(string("network"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("lastPolledAt"))
        .col(timestamp_with_time_zone_null("decidedAt"))
        .col(string_null("decision"))
        .col(uuid_null("userId"))
        .col(uuid_null("sessionId"))
        .col(big_integer_null("loginEpoch"))
        .col(string_null("acr"))
        .col(string_null("amr"))
        .col(timestamp_with_time_zone_null("authTime"))
        .col(timestamp_with_time_zone_null("usedAt"))
        .take()
}
