mod login_limits;
mod people;
mod personal_tokens;
mod revoked_reasons;
mod signing_keys;
mod user_settings;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, json, pk_auto, string, string_len, string_null, string_uniq, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

use login_limits::LoginLimits;
use people::People;
use personal_tokens::PersonalTokens;
use revoked_reasons::RevokedReasons;
use signing_keys::SigningKeys;
use user_settings::UserSettings;

/// The migrations of this service. They are recorded in a table of this service, so that services can share a
/// database.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(UsersAndSessions),
            Box::new(database::Migration),
            Box::new(LoginLimits),
            Box::new(RevokedReasons),
            Box::new(SigningKeys),
            Box::new(UserSettings),
            Box::new(People),
            Box::new(PersonalTokens),
        ]
    }

    fn migration_table_name() -> DynIden {
        "auth_migrations".into_iden()
    }
}

struct UsersAndSessions;

impl MigrationName for UsersAndSessions {
    fn name(&self) -> &str {
        "m20261120_000001_users_and_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for UsersAndSessions {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [users(), sessions(), audit_logs(), service_tokens()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

/// Columns that the old stack does not have get a default, so that one INSERT … SELECT can copy its rows.
fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(uuid("id").primary_key())
        .col(string_len("name", 100))
        .col(string_uniq("email"))
        .col(text("password"))
        .col(string("role").default("viewer"))
        .col(boolean("isActive").default(true))
        .col(string_null("accountId"))
        .col(big_integer("generation").default(0))
        .col(text("search").default(""))
        .col(timestamp_with_time_zone_null("lastLoginAt"))
        .col(timestamp_with_time_zone_null("lastActivityAt"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("updatedAt"))
        .take()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("sessions")
        .col(uuid("id").primary_key())
        .col(uuid("userId"))
        .col(string_uniq("sessionToken"))
        .col(json("deviceInfo"))
        .col(string("ipAddress"))
        .col(json("rotation"))
        .col(timestamp_with_time_zone("lastActivity"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("revokedAt"))
        .col(string_null("revokedReason"))
        .foreign_key(ForeignKey::create().from("sessions", "userId").to("users", "id"))
        .take()
}

fn audit_logs() -> TableCreateStatement {
    Table::create()
        .table("audit_logs")
        .col(pk_auto("id").big_integer())
        .col(string("action"))
        .col(uuid_null("userId"))
        .col(uuid_null("actorId"))
        .col(uuid_null("sessionId"))
        .col(string_null("detail"))
        .col(string_null("ipAddress"))
        .col(timestamp_with_time_zone("createdAt"))
        .take()
}

fn service_tokens() -> TableCreateStatement {
    Table::create()
        .table("service_tokens")
        .col(uuid("id").primary_key())
        .col(string_len("name", 100))
        .col(string("role"))
        .col(string_null("accountId"))
        .col(string_uniq("tokenHash"))
        .col(uuid("createdBy"))
        .col(timestamp_with_time_zone("createdAt"))
        .col(timestamp_with_time_zone("expiresAt"))
        .col(timestamp_with_time_zone_null("lastUsedAt"))
        .col(timestamp_with_time_zone_null("revokedAt"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let open = |name: &str, column: &'static str| {
        // Partial indexes over open sessions only, because ended sessions are kept for months.
        let nobody_ended_it = Expr::col("revokedAt").is_null();
        Index::create().name(name).table("sessions").col(column).and_where(nobody_ended_it).take()
    };
    vec![
        open("sessions_open_by_user", "userId"),
        open("sessions_open_by_activity", "lastActivity"),
        open("sessions_open_by_expiry", "expiresAt"),
        Index::create().name("sessions_by_end").table("sessions").col("revokedAt").take(),
        Index::create().name("users_by_change").table("users").col("updatedAt").take(),
        Index::create().name("audit_logs_by_user").table("audit_logs").col("userId").col("id").take(),
        Index::create().name("audit_logs_by_action").table("audit_logs").col("action").col("id").take(),
    ]
}
