use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backplane::Log;
use contracts::Clock;
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::sqlite::SqliteJournalMode;
use sea_orm::sqlx::{self, Row};
use sea_orm::{
    ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use tokio::sync::{Mutex, Notify};

use crate::connect::{ConnectError, MIGRATION_URL, Target, URL, UrlError, Urls};
use crate::foreign::{NAMES_OF_OURS, has_column, legacy_tables};
use crate::transaction::Transaction;

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_CONNECTIONS: u32 = 20;
/// Key of the advisory lock that lets one process migrate at a time: "driftsen" in ASCII.
const MIGRATION_LOCK: i64 = 0x6472_6966_7473_656e;

/// The last check whether the database accepts writes: its time and its result.
pub(crate) type LastCheck = Option<(Instant, Result<(), &'static str>)>;

/// A pool of connections to Postgres or SQLite whose transactions carry events. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(crate) connection: DatabaseConnection,
    /// The statements that begin each transaction, behind a pooler.
    pub(crate) opening: Option<Arc<str>>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: Clock,
    pub(crate) committed: Arc<Notify>,
    pub(crate) last_check: Arc<Mutex<LastCheck>>,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Database {
    /// Connects to `postgres://…`, `sqlite://file?mode=rwc` or `sqlite::memory:`, and migrates, over a connection of
    /// its own if `urls` names one.
    ///
    /// `?schema=name` on a Postgres URL keeps the tables in that schema, which is created if it does not
    /// exist. With it, several services can share one database. `?pooler=transaction` means that each transaction may
    /// get another connection to the server.
    ///
    /// A SQLite file is readable by its owner only.
    ///
    /// # Errors
    /// If a URL cannot be used, or the database cannot be reached or migrated; the message names the variable.
    pub async fn connect<M: MigratorTrait>(
        urls: impl Into<Urls<'_>>,
        log: Arc<dyn Log>,
        clock: Clock,
    ) -> Result<Self, UrlError> {
        let Urls { database, migration } = urls.into();
        if let Some(url) = migration {
            let named = |source| UrlError { variable: MIGRATION_URL, source };
            let (connection, target) = Self::open(url).await.map_err(named)?;
            migrate::<M>(&connection, &target).await.map_err(named)?;
            connection.close().await.map_err(ConnectError::from).map_err(named)?;
        }
        let named = |source| UrlError { variable: URL, source };
        let (connection, target) = Self::open(database).await.map_err(named)?;
        if migration.is_none() {
            migrate::<M>(&connection, &target).await.map_err(named)?;
        }
        let opening = target.opening().map(Into::into);
        let (committed, last_check) = Default::default();
        Ok(Self { connection, opening, log, clock, committed, last_check })
    }

    pub(crate) async fn open(url: &str) -> Result<(DatabaseConnection, Target), ConnectError> {
        let target = Target::parse(url)?;
        target.prepare_file()?;
        Ok((sea_orm::Database::connect(options(&target)).await?, target))
    }

    /// Connects to the PostgreSQL database of another system, and changes nothing in it.
    ///
    /// # Errors
    /// If the URL cannot be used, or the database cannot be reached.
    pub async fn open_foreign(url: &str) -> Result<DatabaseConnection, ConnectError> {
        if url.starts_with("sqlite:") {
            return Err(ConnectError::Scheme);
        }
        Ok(Self::open(url).await?.0)
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

    pub(crate) async fn begin_immediate(&self) -> Result<DatabaseTransaction, DbErr> {
        let transaction = begin_immediate(&self.connection).await?;
        if let Some(opening) = &self.opening {
            transaction.execute_unprepared(opening).await?;
        }
        Ok(transaction)
    }
}

async fn begin_immediate(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    connection.begin_with_options(options).await
}

/// Begins a transaction that one process at a time can have.
pub(crate) async fn begin_migration(
    connection: &DatabaseConnection,
    target: &Target,
) -> Result<DatabaseTransaction, DbErr> {
    let transaction = begin_immediate(connection).await?;
    if let Some(opening) = target.opening() {
        transaction.execute_unprepared(&opening).await?;
    }
    if transaction.get_database_backend() == DbBackend::Postgres {
        let lock = "SELECT pg_advisory_xact_lock($1)";
        let lock = Statement::from_sql_and_values(DbBackend::Postgres, lock, [MIGRATION_LOCK.into()]);
        transaction.execute_raw(lock).await?;
    }
    Ok(transaction)
}

/// Migrates inside one transaction, one process at a time.
async fn migrate<M: MigratorTrait>(
    connection: &DatabaseConnection,
    target: &Target,
) -> Result<(), ConnectError> {
    let transaction = begin_migration(connection, target).await.map_err(ConnectError::Migration)?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        notice_legacy_tables::<M>(&transaction, target).await?;
    }
    let migrate = async {
        if let Some(schema) = &target.schema {
            transaction.execute_unprepared(&format!(r#"CREATE SCHEMA IF NOT EXISTS "{schema}""#)).await?;
        }
        M::up(&transaction, None).await?;
        transaction.commit().await
    };
    migrate.await.map_err(ConnectError::Migration)
}

/// Before the first migration, refuses a schema in which the replaced Node stack has tables with names of ours, and
/// reports its other tables.
async fn notice_legacy_tables<M: MigratorTrait>(
    transaction: &DatabaseTransaction,
    target: &Target,
) -> Result<(), ConnectError> {
    let look = async {
        let migrations = M::migration_table_name().to_string();
        if has_column(transaction, &migrations, "version").await? {
            return Ok((Vec::new(), Vec::new()));
        }
        let here = legacy_tables(transaction, None).await?;
        let beside = if target.schema.is_some() { Some("public") } else { None };
        Ok((here, legacy_tables(transaction, beside).await?))
    };
    let (here, found) = look.await.map_err(ConnectError::Migration)?;
    if here.iter().any(|table| NAMES_OF_OURS.contains(table)) {
        return Err(ConnectError::Legacy(here.join(", ")));
    }
    if !found.is_empty() {
        let tables = found.join(", ");
        tracing::info!(tables, "found tables of the replaced Node stack; import-legacy copies their rows");
    }
    Ok(())
}

fn options(Target { url, schema, is_pooled }: &Target) -> ConnectOptions {
    let mut options = ConnectOptions::new(url.clone());
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
    if *is_pooled {
        // The pooler accepts no such parameter, and a cached statement may be unknown to the next connection.
        options
            .map_sqlx_postgres_opts(|postgres| postgres.extra_float_digits(None).statement_cache_capacity(0));
    } else if let Some(schema) = schema {
        options.set_schema_search_path(schema);
    }
    options
}

/// Whether a connection may be used again. A server that became read-only, such as the old primary after a
/// failover, keeps its connections open: without this check the pool would keep using them.
async fn is_read_write(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    // Not prepared, so that one exchange is enough, also behind a pooler.
    let mode = sqlx::raw_sql("SHOW transaction_read_only").fetch_one(connection).await?;
    Ok(mode.try_get::<String, _>(0)? == "off")
}
