use std::sync::Arc;
use std::time::{Duration, Instant};

use backplane::Backplane;
use contracts::Clock;
use sea_orm::sqlx;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteJournalMode;
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Mutex, Notify};

use crate::connect::{ConnectError, Target};
use crate::transaction::Transaction;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: u32 = 20;
/// Key of the advisory lock that lets one process migrate at a time: "driftsen" in ASCII.
const MIGRATION_LOCK: i64 = 0x6472_6966_7473_656e;

/// The last check whether the database accepts writes: its time and its result.
pub(crate) type LastCheck = Option<(Instant, Result<(), &'static str>)>;

/// A pool of connections to Postgres or SQLite whose transactions carry events. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Database {
    pub(crate) connection: DatabaseConnection,
    pub(crate) backplane: Backplane,
    pub(crate) clock: Clock,
    pub(crate) committed: Arc<Notify>,
    pub(crate) last_check: Arc<Mutex<LastCheck>>,
}

impl Database {
    /// Connects to `postgres://…`, `sqlite://file?mode=rwc` or `sqlite::memory:`, and migrates.
    ///
    /// `?schema=name` on a Postgres URL keeps the tables in that schema, which is created if it does not
    /// exist. With it, several services can share one database.
    ///
    /// A SQLite file is readable by its owner only.
    ///
    /// # Errors
    /// If the URL cannot be used, or the database cannot be reached or migrated.
    pub async fn connect<M: MigratorTrait>(
        url: &str,
        backplane: Backplane,
        clock: Clock,
    ) -> Result<Self, ConnectError> {
        let target = Target::parse(url)?;
        target.prepare_file()?;
        let Target { url, schema } = target;
        let connection = sea_orm::Database::connect(options(&url, schema.as_deref())).await?;
        let (committed, last_check) = Default::default();
        let database = Self { connection, backplane, clock, committed, last_check };
        database.migrate::<M>(schema.as_deref()).await.map_err(ConnectError::Migration)?;
        Ok(database)
    }

    /// Begins a transaction. On SQLite it takes the write lock at once: a transaction that reads first and
    /// writes later would fail if another one wrote in between.
    ///
    /// # Errors
    /// If no connection is available.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        let transaction = self.begin_immediate().await?;
        Ok(Transaction::new(transaction, self.clock.clone(), Arc::clone(&self.committed)))
    }

    async fn begin_immediate(&self) -> Result<sea_orm::DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection.begin_with_options(options).await
    }

    /// Migrates inside one transaction, one process at a time.
    async fn migrate<M: MigratorTrait>(&self, schema: Option<&str>) -> Result<(), DbErr> {
        let transaction = self.begin_immediate().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            let lock = "SELECT pg_advisory_xact_lock($1)";
            let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [MIGRATION_LOCK.into()]);
            transaction.execute_raw(lock).await?;
        }
        if let Some(schema) = schema {
            transaction.execute_unprepared(&format!(r#"CREATE SCHEMA IF NOT EXISTS "{schema}""#)).await?;
        }
        M::up(&transaction, None).await?;
        transaction.commit().await
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Database {
    fn get_database_backend(&self) -> DbBackend {
        self.connection.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.connection.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.connection.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.connection.query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.connection.query_all_raw(statement).await
    }
}

fn options(url: &str, schema: Option<&str>) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    // With `sqlite::memory:`, each connection has its own database.
    let connections = if url.starts_with("sqlite::memory:") { 1 } else { MAX_CONNECTIONS };
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(|sqlite| {
            sqlite.journal_mode(SqliteJournalMode::Wal).busy_timeout(SQLITE_BUSY_TIMEOUT).foreign_keys(true)
        });
    if !url.starts_with("sqlite:") {
        // Replaces the pool's own test with one that checks more, also in one exchange.
        options
            .test_before_acquire(false)
            .map_sqlx_postgres_before_acquire(|connection, _| Box::pin(is_read_write(connection)));
    }
    if let Some(schema) = schema {
        options.set_schema_search_path(schema);
    }
    options
}

/// Whether a connection may be used again. A server that became read-only, such as the old primary after a
/// failover, keeps its connections open: without this check the pool would keep using them.
async fn is_read_write(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mode: String = sqlx::query_scalar("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(mode == "off")
}
