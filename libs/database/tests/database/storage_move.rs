//! Moves from SQLite to PostgreSQL, with tables of every kind.

use std::collections::BTreeMap;

use database::StorageMove;
use sea_orm_migration::schema::{
    big_integer, binary_null, boolean_null, integer, json_null, pk_auto, small_integer_null, string,
    text_null, timestamp_with_time_zone_null, uuid, uuid_null,
};
use testing::{PrivatePostgres, execute, read_all_tables};

use super::*;

/// Tables with every type, a sequence, and references against the order of the alphabet.
struct Tables;

#[async_trait::async_trait]
impl MigratorTrait for Tables {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(database::Migration), Box::new(First), Box::new(Second)]
    }

    fn migration_table_name() -> DynIden {
        "own_migrations".into_iden()
    }
}

struct First;

impl MigrationName for First {
    fn name(&self) -> &str {
        "m1_first"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for First {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reference = |from: &'static str, column: &'static str, to: &'static str| {
            ForeignKey::create().from(from, column).to(to, "id").take()
        };
        let roots = Table::create().table("roots").col(uuid("id").primary_key()).take();
        let parents = Table::create()
            .table("parents")
            .col(pk_auto("id").big_integer())
            .col(uuid("rootId"))
            .foreign_key(&mut reference("parents", "rootId", "roots"))
            .take();
        let children = Table::create()
            .table("children")
            .col(string("name").string_len(20))
            .col(integer("place"))
            .col(big_integer("parentId"))
            .col(small_integer_null("small"))
            .col(boolean_null("flag"))
            .col(binary_null("bytes"))
            .col(json_null("document"))
            .col(text_null("longText"))
            .col(uuid_null("other"))
            .col(timestamp_with_time_zone_null("changedAt"))
            .primary_key(Index::create().col("name").col("place"))
            .foreign_key(&mut reference("children", "parentId", "parents"))
            .take();
        for table in [roots, parents, children] {
            manager.create_table(table).await?;
        }
        Ok(())
    }
}

struct Second;

impl MigrationName for Second {
    fn name(&self) -> &str {
        "m2_second"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Second {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = integer("added").default(0).take();
        manager.alter_table(Table::alter().table("roots").add_column(column).take()).await
    }
}

/// A SQLite file with rows in each table, and an empty PostgreSQL database.
struct Sides {
    folder: tempfile::TempDir,
    sqlite: String,
    postgres: String,
}

impl Sides {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite://{}/own.db?mode=rwc", folder.path().display());
        connect(&sqlite).await;
        execute(
            &sqlite,
            r#"INSERT INTO "roots" ("id", "added") VALUES (x'0123456789abcdef0123456789abcdef', 7);
            INSERT INTO "parents" ("rootId") SELECT "id" FROM "roots";
            INSERT INTO "parents" ("rootId") SELECT "id" FROM "roots";
            INSERT INTO "parents" ("rootId") SELECT "id" FROM "roots";
            DELETE FROM "parents" WHERE "id" > 1;
            INSERT INTO "children" VALUES
                ('all', 1, 1, -32768, 1, x'00ff', '{"b": 1.10, "a":[null]}', 'ä "quoted" \' || char(10) || '🦀',
                    x'ffffffffffffffffffffffffffffffff', '2026-11-27T07:00:00.123456+00:00'),
                ('none', 2147483647, 1, NULL, 0, NULL, 'null', '', NULL, '2026-11-27T07:00:00+00:00'),
                ('nothing', -1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
                INSERT INTO "children" ("name", "place", "parentId") SELECT 'many', i, 1 FROM n;
            INSERT INTO "outbox" VALUES (9007199254740993, x'00000000000000000000000000000001', 'c', '{}', '[]',
                '2026-11-27T07:00:00+00:00', NULL)"#,
        )
        .await;
        let postgres = PrivatePostgres::shared().create_database().await;
        Self { folder, sqlite, postgres }
    }

    async fn copy(&self) -> anyhow::Result<Vec<String>> {
        let target = StorageMove::begin(&self.postgres).await?;
        let mut lines = Vec::new();
        let note = |progress: database::Progress<'_>| {
            if progress.copied == progress.total {
                lines.push(format!("{}.{} {}", progress.schema, progress.table, progress.total));
            }
        };
        target.copy::<Tables>(&self.sqlite, "own", note).await?;
        target.commit().await?;
        Ok(lines)
    }

    /// The URL of the schema of the copies.
    fn copies(&self) -> String {
        format!("{}?options[search_path]=own", self.postgres)
    }

    /// Asserts that a move fails for a reason and leaves nothing in the target.
    async fn fails(&self, reason: &str) {
        let error = format!("{:#}", self.copy().await.unwrap_err());
        assert!(error.contains(reason), "{error}");
        assert_eq!(read_all_tables(&self.copies()).await, BTreeMap::new());
    }
}

async fn connect(url: &str) -> Database {
    let backplane = Backplane::connect("memory:", options(&Clock::system())).unwrap();
    Database::connect::<Tables>(url, Arc::clone(&backplane.log), Clock::system()).await.unwrap()
}

fn files(folder: &tempfile::TempDir) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().path());
    let files = files.filter(|path| !path.ends_with("own.db-shm"));
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[tokio::test]
async fn every_table_type_row_and_sequence_is_moved_and_the_file_stays_as_it_is() {
    let mut sides = Sides::new().await;
    // A writer that was killed leaves its last writes in the -wal file.
    let writer = connect(&sides.sqlite).await;
    writer.execute_unprepared(r#"UPDATE "roots" SET "added" = 8"#).await.unwrap();
    let left = tempfile::tempdir().unwrap();
    for file in ["own.db", "own.db-wal"] {
        std::fs::copy(sides.folder.path().join(file), left.path().join(file)).unwrap();
    }
    sides.sqlite = format!("sqlite://{}/own.db?mode=rwc", left.path().display());
    let before = files(&left);
    let lines = sides.copy().await.unwrap();
    assert_eq!(lines, ["own.outbox 1", "own.roots 1", "own.parents 1", "own.children 1003"]);
    assert_eq!(files(&left), before);

    let (mut from, mut to) = (read_all_tables(&sides.sqlite).await, read_all_tables(&sides.copies()).await);
    let migrations =
        [from.remove("own_migrations").unwrap().len(), to.remove("own_migrations").unwrap().len()];
    assert_eq!(migrations, [3, 3]);
    assert_eq!(from, to);
    assert!(
        to["children"].iter().any(|row| row.contains(r#"document={"b": 1.10, "a":[null]}"#)),
        "exact JSON"
    );
    assert!(to["roots"][0].starts_with("added=8"));

    // The schema is up to date, and new rows continue after ids that have been deleted.
    let moved = connect(&format!("{}?schema=own", sides.postgres)).await;
    let insert = r#"INSERT INTO "parents" ("rootId") SELECT "id" FROM "roots""#;
    moved.execute_unprepared(insert).await.unwrap();
    assert!(read_all_tables(&sides.copies()).await["parents"][1].starts_with("id=4 "));
}

#[tokio::test]
async fn a_target_with_rows_is_refused_and_stays_as_it_is() {
    let sides = Sides::new().await;
    sides.copy().await.unwrap();
    let before = read_all_tables(&sides.copies()).await;
    let error = sides.copy().await.unwrap_err().to_string();
    assert!(error.contains("the target is not empty: outbox has rows"), "{error}");
    assert_eq!(read_all_tables(&sides.copies()).await, before);
}

#[tokio::test]
async fn a_row_that_cannot_be_copied_moves_nothing_and_the_next_attempt_can_succeed() {
    let sides = Sides::new().await;
    let set = async |name: &str| {
        execute(&sides.sqlite, &format!(r#"UPDATE "children" SET "name" = {name} WHERE "place" = -1"#)).await;
    };
    // Without the check of the length, PostgreSQL would cut the text.
    for bad in ["'more than twenty characters'", "'a' || char(0)"] {
        set(bad).await;
        sides.fails("cannot copy children").await;
    }
    set("'fine'").await;
    sides.copy().await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_version_is_refused() {
    let sides = Sides::new().await;
    execute(&sides.sqlite, "INSERT INTO own_migrations VALUES ('m3_third', 0)").await;
    sides.fails("from a newer version").await;
    execute(&sides.sqlite, "DELETE FROM own_migrations WHERE version IN ('m3_third', 'm2_second')").await;
    sides.fails("from an older version").await;
    execute(&sides.sqlite, "INSERT INTO own_migrations VALUES ('m2_second', 0)").await;
    execute(&sides.sqlite, "CREATE TABLE strangers (id integer)").await;
    sides.fails("tables that DriftSentry does not know: strangers").await;
    execute(&sides.sqlite, "DROP TABLE strangers; ALTER TABLE children ADD COLUMN strange integer").await;
    sides.fails("children has other columns").await;
}
