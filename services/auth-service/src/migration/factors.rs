use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, json, string, string_len, string_null, string_uniq, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

/// Adds second factors, logins that wait for one, trusted devices, and the strength of sessions.
pub(super) struct SecondFactors;

impl MigrationName for SecondFactors {
    fn name(&self) -> &str {
        "m20261128_000002_factors"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for SecondFactors {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement per column, because SQLite adds one at a time.
        for (table, column) in [
            ("sessions", string("acr").default("pwd").take()),
            ("sessions", string("amr").default("").take()),
            ("sessions", timestamp_with_time_zone_null("authTime").take()),
            ("sessions", uuid_null("trustedDeviceId").take()),
            ("users", string_null("passkeyHandle").take()),
            ("users", boolean("hasFactor").default(false).take()),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        for table in [
            totp_factors(),
            recovery_codes(),
            passkeys(),
            passkey_challenges(),
            pending_logins(),
            trusted_devices(),
        ] {
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("recovery_codes", "userId"),
            ("passkeys", "userId"),
            ("passkey_challenges", "expiresAt"),
            ("pending_logins", "userId"),
            ("pending_logins", "expiresAt"),
            ("trusted_devices", "userId"),
            ("trusted_devices", "expiresAt"),
        ] {
            let index = Index::create().name(format!("{table}_by_{column}")).table(table).col(column).take();
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn totp_factors() -> TableCreateStatement {
    Table::create()
        .table("totp_factors")
        .col(uuid("userId").primary_key())
        .col(text("secret"))
        .col(big_integer("lastStep"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone_null("confirmedAt"))
        .col(timestamp_with_time_zone_null("lastUsedAt"))
        .take()
}

fn recovery_codes() -> TableCreateStatement {
    Table::create()
        .table("recovery_codes")
        .col(uuid("id").primary_key())
        .col(uuid("userId"))
        .col(string("codeHash"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone_null("usedAt"))
        .take()
}

fn passkeys() -> TableCreateStatement {
    Table::create()
        .table("passkeys")
        .col(uuid("id").primary_key())
        .col(uuid("userId"))
        .col(string_len("name", 100))
        .col(string_uniq("credentialId"))
        .col(string("rpId"))
        .col(text("publicKey"))
        .col(text("state"))
        .col(boolean("isBackedUp"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone_null("lastUsedAt"))
        .take()
}

fn passkey_challenges() -> TableCreateStatement {
    Table::create()
        .table("passkey_challenges")
        .col(string("id").primary_key())
        .col(string("purpose"))
        .col(uuid_null("ownerId"))
        .col(text("state"))
        .col(timestamp_with_time_zone("expiresAt"))
        .take()
}

fn pending_logins() -> TableCreateStatement {
    Table::create()
        .table("pending_logins")
        .col(uuid("id").primary_key())
        .col(uuid("userId"))
        .col(string("method"))
        .col(boolean("isEnrolment"))
        .col(big_integer("loginEpoch"))
        .col(big_integer("tries").default(0))
        .col(text_null("totpSecret"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("usedAt"))
        .take()
}

fn trusted_devices() -> TableCreateStatement {
    Table::create()
        .table("trusted_devices")
        .col(uuid("id").primary_key())
        .col(uuid("userId"))
        .col(json("deviceInfo"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("lastUsedAt"))
        .col(timestamp_with_time_zone_null("revokedAt"))
        .take()
}
