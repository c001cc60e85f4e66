//! PostgreSQL behind pgbouncer in transaction mode: each transaction may get another connection to the server.

use std::sync::Arc;

use backplane::Backplane;
use contracts::Clock;
use contracts::events::alert::AlertClosed;
use database::{Database, UrlError, Urls};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use testing::{PrivatePooler, PrivatePostgres};
use uuid::Uuid;

use crate::{Migrator, options};

/// A database, direct and behind a pooler with two connections.
struct Pooled {
    _pooler: PrivatePooler,
    direct: String,
    pooled: String,
}

impl Pooled {
    async fn start() -> Self {
        let direct = PrivatePostgres::shared().create_database().await;
        let pooler = PrivatePooler::start(PrivatePostgres::shared());
        let pooled = format!("{}?pooler=transaction", pooler.url(&direct));
        Self { _pooler: pooler, direct, pooled }
    }

    async fn connect(&self, parameters: &str, migration: Option<&str>) -> Result<Database, UrlError> {
        let clock = Clock::system();
        let log = Backplane::connect("memory:", options(&clock)).unwrap().log;
        let database = format!("{}{parameters}", self.pooled);
        Database::connect::<Migrator>(Urls { database: &database, migration }, log, clock).await
    }
}

async fn emit(database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    transaction.emit(AlertClosed { id: Uuid::now_v7() });
    transaction.commit().await.unwrap();
}

async fn count(database: &Database) -> i64 {
    let count = Statement::from_string(database.get_database_backend(), "SELECT count(*) AS n FROM outbox");
    database.query_one_raw(count).await.unwrap().unwrap().try_get("", "n").unwrap()
}

#[tokio::test]
async fn many_clients_share_the_connections_of_a_pooler() {
    let server = Pooled::start().await;
    let databases = [server.connect("", None).await.unwrap(), server.connect("", None).await.unwrap()];
    let work = (0..20).map(|n| {
        let database = databases[n % 2].clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                emit(&database).await;
                assert!(count(&database).await > 0);
                assert_eq!(database.check_writes().await, Ok(()));
            }
        })
    });
    for done in work.collect::<Vec<_>>() {
        done.await.unwrap();
    }
    assert_eq!(count(&databases[0]).await, 200);
    assert_eq!(databases[0].publish_pending().await.unwrap(), 200);
    assert_eq!(databases[1].publish_pending().await.unwrap(), 0);
}

#[tokio::test]
async fn schemas_stay_apart_behind_a_pooler() {
    let server = Pooled::start().await;
    let auth = server.connect("&schema=auth", None).await.unwrap();
    let drift = server.connect("&schema=drift", None).await.unwrap();
    for _ in 0..10 {
        emit(&auth).await;
        assert_eq!(count(&drift).await, 0);
    }
    assert_eq!((count(&auth).await, drift.publish_pending().await.unwrap()), (10, 0));
}

#[tokio::test]
async fn replicas_migrate_once_over_a_direct_connection() {
    let server = Pooled::start().await;
    let connect = || server.connect("", Some(&server.direct));
    let (a, b, c, d) = tokio::join!(connect(), connect(), connect(), connect());
    for database in [a, b, c, d] {
        emit(&database.unwrap()).await;
    }
}

/// The user of the service may use the tables, and not create any.
#[tokio::test]
async fn the_owner_of_the_tables_migrates_for_another_user() {
    let direct = PrivatePostgres::shared().create_database().await;
    let owner = sea_orm::Database::connect(&direct).await.unwrap();
    let user = format!("app_{}", Uuid::new_v4().simple());
    for change in [
        format!("CREATE ROLE {user} LOGIN"),
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC".into(),
        format!("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {user}"),
        format!("ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {user}"),
    ] {
        owner.execute_unprepared(&change).await.unwrap();
    }
    let restricted = direct.replace("postgres@", &format!("{user}@"));
    let clock = Clock::system();
    let log = Backplane::connect("memory:", options(&clock)).unwrap().log;
    let connect = async |migration| {
        let urls = Urls { database: &restricted, migration };
        Database::connect::<Migrator>(urls, Arc::clone(&log), clock.clone()).await
    };
    let refused = connect(None).await.unwrap_err();
    assert_eq!(refused.variable, "DATABASE_URL");
    emit(&connect(Some(&direct)).await.unwrap()).await;
}

#[tokio::test]
async fn an_unusable_url_is_named() {
    let server = Pooled::start().await;
    let refused = server.connect("", Some("postgres://u:hunter2@127.0.0.1:1/db")).await.unwrap_err();
    assert_eq!(refused.to_string(), "MIGRATION_DATABASE_URL cannot be used");
    assert!(!refused.source.to_string().contains("hunter2"));
    let clock = Clock::system();
    let log = Backplane::connect("memory:", options(&clock)).unwrap().log;
    let wrong = server.pooled.replace("pooler=transaction", "pooler=statement");
    let refused = Database::connect::<Migrator>(&wrong, log, clock).await.unwrap_err();
    assert_eq!(refused.variable, "DATABASE_URL");
    assert!(refused.source.to_string().contains("pooler must be transaction"));
}

/// Without the parameter, statements of different clients have the same names on the server.
#[tokio::test]
async fn without_the_parameter_a_pooler_in_transaction_mode_fails() {
    let server = Pooled::start().await;
    let plain = server.pooled.replace("?pooler=transaction", "");
    let clock = Clock::system();
    let log = Backplane::connect("memory:", options(&clock)).unwrap().log;
    let connected = Database::connect::<Migrator>(&plain, log, clock).await;
    let used: Result<(), DbErr> = async {
        let database = connected.map_err(|error| DbErr::Custom(error.to_string()))?;
        let statement = Statement::from_string(database.get_database_backend(), "SELECT 1");
        for _ in 0..50 {
            let (a, b) = (statement.clone(), statement.clone());
            tokio::try_join!(database.query_one_raw(a), database.query_one_raw(b))?;
        }
        Ok(())
    }
    .await;
    used.unwrap_err();
}
