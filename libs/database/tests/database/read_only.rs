//! A database that can be read and not written, as after a failover: the old primary keeps its connections.

use std::io;
use std::sync::{Arc, Mutex};

use contracts::events::alert::AlertClosed;
use database::{Database, is_unavailable};
use sea_orm::{ConnectionTrait, DbErr, Statement};
use testing::{Backend, PrivatePostgres, eventually};
use uuid::Uuid;

use crate::World;

/// The log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn write(database: &Database) -> Result<(), DbErr> {
    let mut transaction = database.begin().await?;
    transaction.emit(AlertClosed { id: Uuid::now_v7() });
    transaction.commit().await
}

#[tokio::test]
async fn a_read_only_postgres_is_unavailable_and_its_connections_are_dropped_s70() {
    let world = World::start(Backend::Real).await;
    let database = &world.database;
    assert_eq!(database.check_writes().await, Ok(()));
    PrivatePostgres::make_read_only(&world.url, true).await;
    eventually("the check notices", async || {
        database.check_writes().await == Err("the database takes no writes")
    })
    .await;
    for _ in 0..3 {
        let refused = write(database).await.unwrap_err();
        assert!(is_unavailable(&refused), "{refused:?}");
    }
    assert_eq!(
        database
            .query_all_raw(Statement::from_string(database.get_database_backend(), "SELECT 1"))
            .await
            .unwrap()
            .len(),
        1
    );

    PrivatePostgres::make_read_only(&world.url, false).await;
    write(database).await.unwrap();
    eventually("the check notices", async || database.check_writes().await.is_ok()).await;
}

#[tokio::test]
async fn a_read_only_sqlite_is_unavailable_s70() {
    let world = World::start(Backend::Memory).await;
    assert_eq!(world.database.check_writes().await, Ok(()));
    let read_only = world.url.replace("mode=rwc", "mode=ro");
    let database = sea_orm::Database::connect(read_only).await.unwrap();
    let refused = database.execute_unprepared("DELETE FROM outbox").await.unwrap_err();
    assert!(is_unavailable(&refused), "{refused:?}");
}

#[tokio::test]
async fn a_sqlite_database_with_an_active_writer_counts_as_writable() {
    let world = World::start(Backend::Memory).await;
    let writing = world.database.begin().await.unwrap();
    assert_eq!(world.database.check_writes().await, Ok(()));
    drop(writing);
}

#[tokio::test]
async fn the_check_leaves_nothing_behind() {
    for backend in [Backend::Memory, Backend::Real] {
        let world = World::start(backend).await;
        assert_eq!(world.database.check_writes().await, Ok(()));
        assert_eq!(world.database.publish_pending().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_write_check_that_takes_too_long_is_logged_s70() {
    let world = World::start(Backend::Real).await;
    let other = world.connect_again().await;
    let locked = other.begin().await.unwrap();
    locked.execute_unprepared("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let log = Log::default();
    let writer = log.clone();
    let recording = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let recording = tracing::subscriber::set_default(recording);
    let refusal = world.database.check_writes().await;
    assert_eq!(refusal, Err("the database does not respond in time"));
    drop((recording, locked));
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("the database did not accept a write in time"), "{text}");
    eventually("the check notices", async || world.database.check_writes().await.is_ok()).await;
}
