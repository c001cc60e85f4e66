//! Makes stacks and scans objects of their own. The table `stacks` of 0.1.0 had one row per account of a stack.

use sea_orm::sea_query::ExprTrait;
use sea_orm::{ConnectionTrait, FromQueryResult};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, string_len, string_len_null, string_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};
use uuid::Uuid;

use super::on;

pub(super) struct StacksAndScans;

impl MigrationName for StacksAndScans {
    fn name(&self) -> &str {
        "m20261127_000003_stacks_and_scans"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for StacksAndScans {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.rename_table(Table::rename().table("stacks", "stack_scopes").take()).await?;
        for (table, column) in [
            ("stack_scopes", uuid_null("lastScanId")),
            ("stack_scopes", timestamp_with_time_zone_null("lastReceivedAt")),
            ("stack_scopes", timestamp_with_time_zone_null("lastCompleteAt")),
            ("stack_scopes", big_integer_null("learnedSeconds")),
            ("stack_scopes", text_null("blindReason")),
            ("alerts", string_len_null("stack", 256)),
            ("alerts", uuid_null("scanId")),
        ] {
            manager.alter_table(Table::alter().table(table).add_column(column).take()).await?;
        }
        manager.create_table(stacks()).await?;
        manager.create_table(scans()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        // One of them begins with the same columns.
        manager.drop_index(Index::drop().name("drifts_stack_status").table("drifts").to_owned()).await?;
        let db = manager.get_connection();
        name_stacks_of_alerts(db).await?;
        create_known_stacks(db).await
    }
}

fn stacks() -> TableCreateStatement {
    Table::create()
        .table("stacks")
        .col(uuid("id").primary_key())
        .col(string_len("name", 256).unique_key())
        .col(string_null("owner"))
        .col(text("labels"))
        .col(big_integer_null("cadenceSeconds"))
        .col(text_null("blindReason"))
        .col(timestamp_with_time_zone_null("dueAt"))
        .col(timestamp_with_time_zone_null("silentSince"))
        .take()
}

fn scans() -> TableCreateStatement {
    Table::create()
        .table("scans")
        .col(uuid("id").primary_key())
        .col(string_len("stack", 256))
        .col(string_len("accountId", 64))
        .col(timestamp_with_time_zone("receivedAt"))
        .col(timestamp_with_time_zone_null("takenAt"))
        .col(text("tool"))
        .col(string_len_null("toolVersion", 32))
        .col(text("format"))
        .col(text("completeness"))
        .col(text_null("reason"))
        .col(integer("created"))
        .col(integer("changed"))
        .col(integer("unchanged"))
        .col(integer("resolved"))
        .col(integer("ignored"))
        .col(integer("skipped"))
        .col(text("warnings"))
        .col(string_null("sentBy"))
        .col(text_null("runUrl"))
        .col(string_len_null("commit", 64))
        .col(big_integer("durationMillis"))
        .take()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        on("stacks", &["dueAt"]),
        on("scans", &["receivedAt", "id"]),
        on("scans", &["stack", "receivedAt", "id"]),
        on("alerts", &["stack", "alertType"]),
        // Each has all columns of a count, so that the wide rows of drifts are not read for it.
        on("drifts", &["stack", "status", "severity", "firstSeenAt", "resolvedAt", "approvedAt"]),
        on("drifts", &["actualHash", "resourceType", "kind", "severityRank", "status"]),
        on("drifts", &["status", "stack", "resourceType", "severity", "kind", "region", "accountId"]),
    ]
}

async fn name_stacks_of_alerts(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let stack = Query::select()
        .column("stack")
        .from("drifts")
        .and_where(Expr::col(("drifts", "id")).equals(("alerts", "driftId")))
        .to_owned();
    let update = Query::update().table("alerts").value("stack", stack).to_owned();
    db.execute(&update).await?;
    Ok(())
}

#[derive(FromQueryResult)]
struct Row {
    stack: String,
}

async fn create_known_stacks(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    let select = Query::select().distinct().column("stack").from("stack_scopes").to_owned();
    let rows = Row::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    for Row { stack } in rows {
        let mut insert = Query::insert();
        insert.into_table("stacks").columns(["id", "name", "labels", "blindReason"]);
        let blind = "no scan has arrived since the upgrade";
        insert.values_panic([Uuid::now_v7().into(), stack.into(), "{}".into(), blind.into()]);
        db.execute(&insert).await?;
    }
    Ok(())
}
