//! The SQLite file that is moved.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult,
    Statement, TransactionTrait, Value,
};
use sea_orm_migration::MigrationTrait;

use super::tables::{Column, Table, count};

/// Number of rows in one statement. A row can have some hundred kilobytes.
const PAGE: i64 = 200;
const COLUMNS: &str = r#"
    SELECT t.name AS "table", c.name AS "column"
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!'"#;

/// One view of the file: it stays the same even if another process writes.
pub(super) struct Source {
    connection: DatabaseConnection,
    transaction: DatabaseTransaction,
}

/// A row as a JSON array of its values. Bytes are in hex.
pub(super) struct Row {
    pub id: i64,
    pub json: String,
}

impl Source {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(1)
            .sqlx_logging(false)
            .map_sqlx_sqlite_opts(|sqlite| sqlite.create_if_missing(false).read_only(true));
        let connection = sea_orm::Database::connect(options).await.context("cannot open the SQLite file")?;
        let transaction = connection.begin().await?;
        Ok(Self { connection, transaction })
    }

    /// Closes the file. Without this, SQLite would still have it open for a moment.
    pub(super) async fn close(self) -> Result<(), DbErr> {
        self.transaction.rollback().await?;
        self.connection.close().await
    }

    /// Checks that exactly the migrations of this version have been applied.
    pub(super) async fn check_version(
        &self,
        table: &str,
        migrations: &[Box<dyn MigrationTrait>],
    ) -> Result<()> {
        let rows = self.query(&format!(r#"SELECT version FROM "{table}""#), []).await;
        let rows = rows.context("the SQLite file is not one of DriftSentry")?;
        let applied = rows.iter().map(|row| row.try_get::<String>("", "version"));
        let applied = applied.collect::<Result<BTreeSet<_>, _>>()?;
        let known = migrations.iter().map(|migration| migration.name().to_owned()).collect::<BTreeSet<_>>();
        ensure!(applied.is_subset(&known), "the SQLite file is from a newer version of DriftSentry");
        ensure!(
            applied == known,
            "the SQLite file is from an older version of DriftSentry; start this version on it once, \
             which migrates it"
        );
        Ok(())
    }

    /// Checks that the file has these tables with these columns, and no others.
    pub(super) async fn check_tables(&self, tables: &[Table], migrations: &str) -> Result<()> {
        let mut found = BTreeMap::<String, BTreeSet<String>>::new();
        for row in self.query(COLUMNS, []).await? {
            found.entry(row.try_get("", "table")?).or_default().insert(row.try_get("", "column")?);
        }
        found.remove(migrations);
        for table in tables {
            let columns = table.columns.iter().map(|column| column.name.clone()).collect();
            ensure!(
                found.remove(&table.name) == Some(columns),
                "the table {} has other columns in the SQLite file and in the target",
                table.name
            );
        }
        let unknown = found.into_keys().collect::<Vec<_>>().join(", ");
        ensure!(unknown.is_empty(), "the SQLite file has tables that DriftSentry does not know: {unknown}");
        Ok(())
    }

    pub(super) async fn count(&self, table: &Table) -> Result<u64, DbErr> {
        count(&self.transaction, &table.name).await
    }

    /// Returns the next rows after the row with the id `after`.
    pub(super) async fn page(&self, table: &Table, after: i64) -> Result<Vec<Row>, DbErr> {
        let values = table.columns.iter().map(|Column { name, .. }| {
            format!(r#"CASE typeof("{name}") WHEN 'blob' THEN hex("{name}") ELSE "{name}" END"#)
        });
        let sql = format!(
            r#"SELECT rowid AS "_id", json_array({}) AS "_json" FROM "{}" WHERE rowid > ? ORDER BY rowid LIMIT ?"#,
            values.collect::<Vec<_>>().join(", "),
            table.name,
        );
        let rows = self.query(&sql, [after.into(), PAGE.into()]).await?;
        let row =
            |row: &QueryResult| Ok(Row { id: row.try_get("", "_id")?, json: row.try_get("", "_json")? });
        rows.iter().map(row).collect()
    }

    /// Returns the highest id that the column ever had, also in rows that have been deleted.
    pub(super) async fn last_id(&self, table: &Table, column: &Column) -> Result<Option<i64>, DbErr> {
        let (table, column) = (&table.name, &column.name);
        let sql = format!(
            r#"SELECT max("id") AS "last" FROM (SELECT max("{column}") AS "id" FROM "{table}"
               UNION ALL SELECT seq FROM sqlite_sequence WHERE name = '{table}')"#
        );
        let rows = self.query(&sql, []).await?;
        rows.first().map_or(Ok(None), |row| row.try_get("", "last"))
    }

    async fn query(
        &self,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
        self.transaction.query_all_raw(statement).await
    }
}
