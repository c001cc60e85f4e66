//! Migrates from 0.1.0: the address becomes part of a drift's identity, decisions cover paths, and each
//! person has their own read state of alerts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use scan::Identity;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ConnectionTrait, FromQueryResult, StatementBuilder};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, string, string_len, string_len_null, text, text_null, timestamp_with_time_zone,
    uuid,
};
use uuid::Uuid;

pub(super) struct Trusted;

impl MigrationName for Trusted {
    fn name(&self) -> &str {
        "m20261126_000002_drift_you_can_trust"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Trusted {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager).await?;
        for table in [alert_reads(), alert_read_marks(), rule_uses(), settings()] {
            manager.create_table(table).await?;
        }
        let mut by_actor = Index::create();
        by_actor
            .name("answered_requests_actor_createdAt")
            .table("answered_requests")
            .col("actor")
            .col("createdAt");
        manager.create_index(by_actor.take()).await?;
        let db = manager.get_connection();
        forget_unknown_regions(db).await?;
        read_each_for_themselves(db).await?;
        identify_by_address(db).await
    }
}

async fn add_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let empty = |mut column: ColumnDef| column.default("").take();
    let columns = [
        ("drifts", empty(string_len("provider", 256))),
        ("drifts", empty(string_len("providerConfig", 256))),
        ("drifts", text_null("severityReason")),
        ("drifts", boolean("isSeverityManual").default(false).take()),
        ("drifts", string_len_null("shownHash", 64)),
        ("drifts", text_null("decidable")),
        ("drift_audit", empty(string_len("ownRequestId", 64))),
        ("answered_requests", empty(string("actor"))),
    ];
    for (table, column) in columns {
        manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
    }
    Ok(())
}

fn alert_reads() -> TableCreateStatement {
    Table::create()
        .table("alert_reads")
        .col(uuid("alertId"))
        .col(string("userId"))
        .col(timestamp_with_time_zone("readAt"))
        .primary_key(Index::create().col("alertId").col("userId"))
        .foreign_key(
            ForeignKey::create()
                .from("alert_reads", "alertId")
                .to("alerts", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn alert_read_marks() -> TableCreateStatement {
    Table::create()
        .table("alert_read_marks")
        .col(string("userId").primary_key())
        .col(timestamp_with_time_zone("readUntil"))
        .take()
}

fn rule_uses() -> TableCreateStatement {
    Table::create()
        .table("rule_uses")
        .col(text("rule").primary_key())
        .col(big_integer("matches"))
        .col(timestamp_with_time_zone("lastMatchedAt"))
        .take()
}

fn settings() -> TableCreateStatement {
    Table::create().table("drift_settings").col(string("name").primary_key()).col(text("value")).take()
}

/// Clears the region `unknown`, which 0.1.0 wrote.
async fn forget_unknown_regions(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let update = Query::update()
        .table("drifts")
        .value("region", "")
        .and_where(Expr::col("region").eq("unknown"))
        .to_owned();
    execute(db, &update).await
}

/// Makes the read state of alerts personal. In 0.1.0, an alert that one person had read was read for
/// everybody. Such an alert stays closed if its drift has a decision. Otherwise it becomes read by that
/// person only.
async fn read_each_for_themselves(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let undecided =
        Query::select().column("id").from("drifts").and_where(Expr::col("status").eq("detected")).to_owned();
    let personal = || {
        Cond::all()
            .add(Expr::col("isRead").eq(true))
            .add(Expr::col("readBy").is_not_null())
            .add(Expr::col("readAt").is_not_null())
            .add(
                Cond::any()
                    .add(Expr::col("driftId").is_null())
                    .add(Expr::col("driftId").in_subquery(undecided.clone())),
            )
    };
    let reads =
        Query::select().columns(["id", "readBy", "readAt"]).from("alerts").cond_where(personal()).to_owned();
    let mut insert = Query::insert();
    insert.into_table("alert_reads").columns(["alertId", "userId", "readAt"]);
    insert.select_from(reads).map_err(|error| DbErr::Custom(error.to_string()))?;
    execute(db, &insert).await?;
    let update = Query::update()
        .table("alerts")
        .value("isRead", false)
        .value("readAt", Option::<DateTime<Utc>>::None)
        .value("readBy", Option::<String>::None)
        .cond_where(personal())
        .to_owned();
    execute(db, &update).await
}

#[derive(Clone, FromQueryResult)]
struct Row {
    id: Uuid,
    stack: String,
    address: String,
    #[sea_orm(from_alias = "resourceId")]
    resource_id: String,
    #[sea_orm(from_alias = "resourceType")]
    resource_type: String,
    #[sea_orm(from_alias = "accountId")]
    account_id: Option<String>,
    #[sea_orm(from_alias = "actualHash")]
    actual_hash: String,
    status: String,
    #[sea_orm(from_alias = "lastSeenAt")]
    last_seen_at: DateTime<Utc>,
}

impl Row {
    fn fingerprint(&self, account: Option<&str>) -> String {
        Identity {
            stack: &self.stack,
            resource_type: &self.resource_type,
            resource_id: &self.resource_id,
            address: &self.address,
            account,
        }
        .fingerprint()
    }

    fn is_live(&self) -> bool {
        self.status != "resolved"
    }
}

/// Gives every row its current identity. Rows can get the same identity, because a region or an account
/// became known. One of two such rows stays live: the one with a decision if both have the same actual state,
/// otherwise the one that was seen last.
async fn identify_by_address(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let columns = [
        "id",
        "stack",
        "address",
        "resourceId",
        "resourceType",
        "accountId",
        "actualHash",
        "status",
        "lastSeenAt",
    ];
    let select = Query::select().columns(columns).from("drifts").to_owned();
    let rows = Row::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    let mut live: HashMap<String, Vec<Row>> = HashMap::new();
    for row in rows {
        let plain = row.fingerprint(None);
        if row.is_live() {
            live.entry(plain).or_default().push(row);
        } else {
            set_fingerprint(db, row.id, &plain).await?;
        }
    }
    for (plain, mut rows) in live {
        rows.sort_by_key(|row| std::cmp::Reverse((row.last_seen_at, row.id)));
        let mut kept: Vec<Row> = Vec::new();
        for row in rows {
            let same = |kept: &&mut Row| match (&kept.account_id, &row.account_id) {
                (Some(one), Some(other)) => one == other,
                _ => true,
            };
            match kept.iter_mut().find(same) {
                None => kept.push(row),
                Some(newer) => {
                    let is_decided = row.status != "detected" && newer.status == "detected";
                    let (stays, goes) = if is_decided && row.actual_hash == newer.actual_hash {
                        (row.clone(), std::mem::replace(newer, row))
                    } else {
                        (newer.clone(), row)
                    };
                    supersede(db, &goes, &stays).await?;
                    // The row that stays takes over the account of the other, so that it cannot absorb a
                    // third row of a different account.
                    newer.account_id = stays.account_id.or(goes.account_id);
                }
            }
        }
        for (index, row) in kept.iter().enumerate() {
            let account = row.account_id.as_deref().filter(|_| index > 0);
            let fingerprint = if index == 0 { plain.clone() } else { row.fingerprint(account) };
            set_fingerprint(db, row.id, &fingerprint).await?;
        }
    }
    Ok(())
}

async fn set_fingerprint(db: &impl ConnectionTrait, id: Uuid, fingerprint: &str) -> Result<(), DbErr> {
    let update = Query::update()
        .table("drifts")
        .value("fingerprint", fingerprint)
        .and_where(Expr::col("id").eq(id))
        .to_owned();
    execute(db, &update).await
}

/// Resolves a row at the time when the row that stays was last seen.
async fn supersede(db: &impl ConnectionTrait, goes: &Row, stays: &Row) -> Result<(), DbErr> {
    let resolved = Query::update()
        .table("drifts")
        .value("status", "resolved")
        .value("resolvedAt", stays.last_seen_at)
        .value("resolvedBy", "drift-service")
        .value("resolvedHow", "superseded")
        .and_where(Expr::col("id").eq(goes.id))
        .to_owned();
    execute(db, &resolved).await?;
    let linked = Query::update()
        .table("drifts")
        .value("previousDriftId", goes.id)
        .and_where(Expr::col("id").eq(stays.id))
        .and_where(Expr::col("previousDriftId").is_null())
        .to_owned();
    execute(db, &linked).await
}

async fn execute(db: &impl ConnectionTrait, statement: &impl StatementBuilder) -> Result<(), DbErr> {
    db.execute_raw(db.get_database_backend().build(statement)).await?;
    Ok(())
}

#[cfg(test)]
mod tests;
