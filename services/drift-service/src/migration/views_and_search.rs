//! Saved views, and the changed paths as a search reads them.

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, string_len, text, timestamp_with_time_zone, uuid};

use super::on;

/// U+0000, which Postgres cannot store, is U+FFFD in the paths.
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
                    ), char(10)) FROM json_each(replace("difference", '\u0000', '\ufffd')) AS changed), ''))"#
            }
            _ => {
                r#"UPDATE "drifts" SET "searchPaths" = lower(coalesce((
                    SELECT string_agg((
                        SELECT string_agg(step.value #>> '{}', '.' ORDER BY step.place)
                        FROM jsonb_array_elements(changed.value -> 'path') WITH ORDINALITY AS step(value, place)
                    ), E'\n') FROM jsonb_array_elements(replace("difference", '\u0000', '\ufffd')::jsonb) AS changed(value)), ''))"#
            }
        };
        db.execute_unprepared(fill).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use sea_orm::{Database, FromQueryResult, Statement};
    use testing::Backend;

    use crate::drift::content;
    use crate::migration::Migrator;

    use super::*;

    /// The number of migrations before this one.
    const BEFORE: u32 = 4;
    const DIFFERENCES: [&str; 3] = [
        "[]",
        r#"[{"path":["Tags","Owner_Team"],"change":"added"},{"path":["rule",0,"Port"],"change":"changed"}]"#,
        r#"[{"path":["data","a\u0000b","c\\d"],"change":"changed"}]"#,
    ];

    #[derive(Debug, FromQueryResult)]
    struct Row {
        paths: String,
    }

    #[rstest]
    #[tokio::test]
    async fn the_paths_of_earlier_drifts_are_found(
        #[values(Backend::Memory, Backend::Real)] backend: Backend,
    ) {
        let stores = backend.start().await;
        let db = Database::connect(stores.database_url().await).await.unwrap();
        Migrator::up(&db, Some(BEFORE)).await.unwrap();
        for (index, difference) in DIFFERENCES.iter().enumerate() {
            let at = "'2026-11-20T00:00:00+00:00'";
            let insert = format!(
                r#"INSERT INTO "drifts" ("id", "stack", "address", "resourceId", "resourceType", "region", "severity",
                    "severityRank", "kind", "status", "difference", "costCents", "detectedAt", "firstSeenAt",
                    "lastSeenAt", "createdAt", "updatedAt", "occurrences", "fingerprint", "actualHash", "version",
                    "searchText", "provider", "providerConfig", "isSeverityManual")
                VALUES ('00000000-0000-0000-0000-00000000000{index}', 's', 'a', 'i', 't', 'r', 'info', 1, 'changed',
                    'detected', '{difference}', 0, {at}, {at}, {at}, {at}, {at}, 1, '{index}', '', 1, 'a', '', '', false)"#
            );
            db.execute_unprepared(&insert).await.unwrap();
        }
        Migrator::up(&db, Some(1)).await.unwrap();
        let select = r#"SELECT "searchPaths" AS paths FROM "drifts" ORDER BY "fingerprint""#;
        let select = Statement::from_string(db.get_database_backend(), select);
        let rows = Row::find_by_statement(select).all(&db).await.unwrap();
        for (row, difference) in rows.iter().zip(DIFFERENCES) {
            assert_eq!(row.paths, content::search_paths(difference));
        }
        assert_eq!(rows[1].paths, "tags.owner_team\nrule.0.port");
    }
}
