//! Saved views, and the changed paths as a search reads them.

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, string_len, text, timestamp_with_time_zone, uuid};

use super::on;

pub(super) struct ViewsAndSearch;

impl MigrationName for ViewsAndSearch {
    fn name(&self) -> &str {
        "m20261128_000004_views_and_search"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for ViewsAndSearch {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let views = Table::create()
            .table("drift_views")
            .col(uuid("id").primary_key())
            .col(string_len("ownerId", 64))
            .col(string_len("name", 80))
            .col(text("query"))
            .col(boolean("isShared"))
            .col(timestamp_with_time_zone("createdAt"))
            .take();
        manager.create_table(views).await?;
        manager.create_index(on("drift_views", &["ownerId"])).await?;
        let paths = Table::alter().table("drifts").add_column(text("searchPaths").default("")).take();
        manager.alter_table(paths).await?;
        let db = manager.get_connection();
        let fill = match db.get_database_backend() {
            DbBackend::Sqlite => {
                r#"UPDATE "drifts" SET "searchPaths" = lower(coalesce((
                    SELECT group_concat((
                        SELECT group_concat(step.value, '.') FROM json_each(changed.value, '$.path') AS step
                    ), char(10)) FROM json_each("difference") AS changed), ''))"#
            }
            _ => {
                r#"UPDATE "drifts" SET "searchPaths" = lower(coalesce((
                    SELECT string_agg((
                        SELECT string_agg(step.value #>> '{}', '.' ORDER BY step.place)
                        FROM jsonb_array_elements(changed.value -> 'path') WITH ORDINALITY AS step(value, place)
                    ), E'\n') FROM jsonb_array_elements("difference"::jsonb) AS changed(value)), ''))"#
            }
        };
        db.execute_unprepared(fill).await?;
        Ok(())
    }
}
