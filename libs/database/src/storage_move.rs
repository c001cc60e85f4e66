//! Moves the tables of services from SQLite files to PostgreSQL.
//!
//! The tables and columns come from the schema that the migrations create, so a new table needs no code here.

mod source;
mod tables;

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use sea_orm_migration::MigratorTrait;

use crate::connect::ConnectError;
use crate::database::{Database, begin_migration};
use source::{Row, Source};
use tables::{Table, read_tables};

/// The rows of one table that have been copied so far.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'a> {
    pub schema: &'a str,
    pub table: &'a str,
    pub copied: u64,
    pub total: u64,
}

/// A move to one PostgreSQL database, in one transaction: all services are moved, or none.
pub struct StorageMove {
    transaction: DatabaseTransaction,
}

impl StorageMove {
    /// Connects to the target and begins the transaction. No service migrates the target before it ends.
    ///
    /// # Errors
    /// If the URL cannot be used, or the database cannot be reached.
    pub async fn begin(url: &str) -> Result<Self, ConnectError> {
        let (connection, target) = Database::open(url).await?;
        Ok(Self { transaction: begin_migration(&connection, &target).await? })
    }

    /// Copies all tables of a service from the SQLite file of `url` into a schema, and counts the rows of both.
    /// The file is only read.
    ///
    /// # Errors
    /// If the file is from another version, the schema has rows already, or a row cannot be copied.
    pub async fn copy<M: MigratorTrait>(
        &self,
        url: &str,
        schema: &str,
        mut progress: impl FnMut(Progress<'_>),
    ) -> Result<()> {
        let migrations = M::migration_table_name().to_string();
        let source = Source::open(url).await?;
        source.check_version(&migrations, &M::migrations()).await?;
        let tables = self.create_tables::<M>(schema, &migrations).await?;
        source.check_tables(&tables, &migrations).await?;
        for table in &tables {
            self.lock_empty(table).await?;
            let total = source.count(table).await?;
            let mut copied = 0;
            let mut report = |copied| progress(Progress { schema, table: &table.name, copied, total });
            report(copied);
            let mut after = i64::MIN;
            loop {
                let rows = source.page(table, after).await?;
                let Some(last) = rows.last() else { break };
                after = last.id;
                self.insert(table, &rows).await.with_context(|| format!("cannot copy {}", table.name))?;
                copied += rows.len() as u64;
                report(copied);
            }
            self.continue_sequences(&source, table).await?;
        }
        for table in &tables {
            let (expected, actual) = (source.count(table).await?, self.count(table).await?);
            ensure!(expected == actual, "{} has {expected} rows, but {actual} were copied", table.name);
        }
        Ok(source.close().await?)
    }

    /// Makes the copies visible.
    ///
    /// # Errors
    /// If the database is unavailable. Nothing is moved then.
    pub async fn commit(self) -> Result<(), DbErr> {
        self.transaction.commit().await
    }

    async fn create_tables<M: MigratorTrait>(&self, schema: &str, migrations: &str) -> Result<Vec<Table>> {
        let open = format!(r#"CREATE SCHEMA IF NOT EXISTS "{schema}"; SET LOCAL search_path = "{schema}""#);
        let create = async {
            self.transaction.execute_unprepared(&open).await?;
            M::up(&self.transaction, None).await
        };
        create.await.with_context(|| format!("cannot create the tables in the schema {schema}"))?;
        read_tables(&self.transaction, migrations).await
    }

    /// Keeps others from writing into the table until the end, and checks that it has no rows.
    async fn lock_empty(&self, table: &Table) -> Result<()> {
        let name = &table.name;
        self.transaction.execute_unprepared(&format!(r#"LOCK TABLE "{name}" IN EXCLUSIVE MODE"#)).await?;
        ensure!(
            self.count(table).await? == 0,
            "the target is not empty: {name} has rows; name an empty database"
        );
        Ok(())
    }

    async fn insert(&self, table: &Table, rows: &[Row]) -> Result<(), DbErr> {
        let names = table.columns.iter().map(|column| format!(r#""{}""#, column.name));
        let values = table.columns.iter().enumerate().map(|(index, column)| column.value(index));
        let sql = format!(
            r#"INSERT INTO "{}" ({}) SELECT {} FROM jsonb_array_elements($1::jsonb) AS item"#,
            table.name,
            names.collect::<Vec<_>>().join(", "),
            values.collect::<Vec<_>>().join(", "),
        );
        let rows = rows.iter().map(|row| row.json.as_str()).collect::<Vec<_>>().join(",");
        let values = [format!("[{rows}]").into()];
        let insert = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        self.transaction.execute_raw(insert).await.map(drop)
    }

    /// Makes new rows continue after the highest id that was ever given.
    async fn continue_sequences(&self, source: &Source, table: &Table) -> Result<()> {
        for column in &table.columns {
            let Some(sequence) = &column.sequence else { continue };
            let Some(last) = source.last_id(table, column).await? else { continue };
            let values = [sequence.as_str().into(), last.into()];
            let sql = "SELECT setval($1::text::regclass, $2)";
            let set = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
            self.transaction.query_one_raw(set).await?;
        }
        Ok(())
    }

    async fn count(&self, table: &Table) -> Result<u64, DbErr> {
        tables::count(&self.transaction, &table.name).await
    }
}
