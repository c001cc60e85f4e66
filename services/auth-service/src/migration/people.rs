use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, json, string, string_null, text_null, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

/// Adds the profile, the verified email and the deletion of users, one-time links, and mails to send.
pub(super) struct People;

impl MigrationName for People {
    fn name(&self) -> &str {
        "m20261127_000005_people"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for People {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One statement per column, because SQLite adds one at a time.
        for column in [
            timestamp_with_time_zone_null("emailVerifiedAt"),
            timestamp_with_time_zone_null("deletedAt"),
            string_null("timeZone"),
            string_null("language"),
            text_null("notifications"),
        ] {
            manager.alter_table(Table::alter().table("users").add_column(column).take()).await?;
        }
        for table in [links(), mails()] {
            manager.create_table(table).await?;
        }
        for (table, column) in [
            ("links", "userId"),
            ("links", "invitedBy"),
            ("links", "email"),
            ("links", "expiresAt"),
            ("links", "preparedAt"),
            ("mails", "recipient"),
            ("mails", "nextAttemptAt"),
            ("mails", "createdAt"),
        ] {
            let index = Index::create().name(format!("{table}_by_{column}")).table(table).col(column).take();
            manager.create_index(index).await?;
        }
        // Partial, because most rows have no actor.
        let has_actor = Expr::col("actorId").is_not_null();
        let index = Index::create()
            .name("audit_logs_by_actor")
            .table("audit_logs")
            .col("actorId")
            .and_where(has_actor)
            .take();
        manager.create_index(index).await
    }
}

fn links() -> TableCreateStatement {
    Table::create()
        .table("links")
        .col(uuid("id").primary_key())
        .col(string("purpose"))
        .col(uuid_null("userId"))
        .col(string("email"))
        .col(uuid_null("invitedBy"))
        .col(json("content"))
        .col(string_null("network"))
        .col(big_integer("wrongCodes").default(0))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("preparedAt"))
        .col(timestamp_with_time_zone_null("usedAt"))
        .col(timestamp_with_time_zone_null("revokedAt"))
        .take()
}

fn mails() -> TableCreateStatement {
    Table::create()
        .table("mails")
        .col(uuid("id").primary_key())
        .col(string("template"))
        .col(uuid_null("linkId"))
        .col(uuid_null("userId"))
        .col(string("recipient"))
        .col(string_null("language"))
        .col(json("content"))
        .col(big_integer("attempts").default(0))
        .col(string_null("failure"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone_null("nextAttemptAt"))
        .col(timestamp_with_time_zone_null("sentAt"))
        .take()
}
