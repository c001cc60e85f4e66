//! Makes it known whether a drift has a known cost, and lets the monthly report read resolved drifts from an index.

use sea_orm::ConnectionTrait;
use sea_orm::sea_query::ExprTrait;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::boolean;

use super::on;

pub(super) struct KnownCosts;

impl MigrationName for KnownCosts {
    fn name(&self) -> &str {
        "m20261128_000004_known_costs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for KnownCosts {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let is_known = boolean("isCostKnown").default(false).take();
        manager.alter_table(Table::alter().table("drifts").add_column(is_known).take()).await?;
        manager.create_index(on("drifts", &["resolvedAt", "stack", "resolvedHow"])).await?;
        // Until now, a cost other than 0 was set by a person.
        let update = Query::update()
            .table("drifts")
            .value("isCostKnown", true)
            .and_where(Expr::col("costCents").ne(0))
            .to_owned();
        manager.get_connection().execute(&update).await?;
        Ok(())
    }
}
