//! A database that can be read and not written, as after a failover: the old primary keeps its connections.

use contracts::events::alert::AlertRead;
use outbox::{Database, is_away};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use testing::{Backend, eventually};
use uuid::Uuid;

use crate::World;

async fn run(database: &Database, sql: &str) {
    database.execute_unprepared(sql).await.unwrap();
}

async fn write(database: &Database) -> Result<(), DbErr> {
    let mut transaction = database.begin().await?;
    transaction.emit(AlertRead { id: Uuid::now_v7() });
    transaction.commit().await
}

/// Makes every later connection read-only, or writable again. Connections that are open keep their mode.
async fn make_read_only(admin: &Database, is_read_only: bool) {
    let name = Statement::from_string(admin.get_database_backend(), "SELECT current_database()::text");
    let name: String = admin.query_one_raw(name).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    let mode = if is_read_only { "on" } else { "off" };
    let change = format!("ALTER DATABASE {name} SET default_transaction_read_only = {mode}");
    run(admin, &format!("BEGIN READ WRITE; {change}; COMMIT")).await;
}

#[tokio::test]
async fn a_read_only_postgres_is_unavailable_and_its_connections_are_dropped_s70() {
    let world = World::start(Backend::Real).await;
    let database = &world.database;
    assert!(database.is_writable().await);
    let admin = world.connect_again().await;
    make_read_only(&admin, true).await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    run(&admin, others).await;

    eventually("the check notices", async || !database.is_writable().await).await;
    for _ in 0..3 {
        let refused = write(database).await.unwrap_err();
        assert!(is_away(&refused), "{refused:?}");
    }
    assert_eq!(
        database
            .query_all_raw(Statement::from_string(database.get_database_backend(), "SELECT 1"))
            .await
            .unwrap()
            .len(),
        1
    );

    make_read_only(&admin, false).await;
    write(database).await.unwrap();
    eventually("the check notices", async || database.is_writable().await).await;
}

#[tokio::test]
async fn a_read_only_sqlite_is_unavailable_s70() {
    let world = World::start(Backend::Memory).await;
    assert!(world.database.is_writable().await);
    let read_only = world.url.replace("mode=rwc", "mode=ro");
    let database = sea_orm::Database::connect(read_only).await.unwrap();
    let refused = database.execute_unprepared("DELETE FROM outbox").await.unwrap_err();
    assert!(is_away(&refused), "{refused:?}");
}

#[tokio::test]
async fn a_sqlite_that_somebody_writes_to_is_writable() {
    let world = World::start(Backend::Memory).await;
    let writing = world.database.begin().await.unwrap();
    assert!(world.database.is_writable().await);
    drop(writing);
}

#[tokio::test]
async fn the_check_leaves_nothing_behind() {
    for backend in [Backend::Memory, Backend::Real] {
        let world = World::start(backend).await;
        assert!(world.database.is_writable().await);
        assert_eq!(world.database.publish_pending().await.unwrap(), 0);
    }
}
