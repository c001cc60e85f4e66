//! Committed events are published once and in order; events of a rolled-back transaction are not.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![expect(clippy::disallowed_methods, reason = "a task of a test fails with the test")]

mod foreign;
mod pooler;
mod read_only;
mod standby;
mod storage_move;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use backplane::{Backplane, Feed, FeedItem, Mark, Options};
use contracts::events::alert::AlertClosed;
use contracts::{Clock, Event, Tasks};
use database::Database;
use prometheus::Registry;
use rstest::rstest;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::prelude::*;
use testing::{Backend, Stores};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(database::Migration)]
    }
}

fn options(clock: &Clock) -> Options {
    Options::new(clock.clone(), Tasks::new(CancellationToken::new()))
}

struct World {
    stores: Stores,
    url: String,
    backplane: Backplane,
    database: Database,
    registry: Registry,
    stop: CancellationToken,
}

impl World {
    async fn start(backend: Backend) -> Self {
        let stores = backend.start().await;
        let clock = Clock::system();
        let backplane = Backplane::connect(&stores.redis_url(), options(&clock)).unwrap();
        testing::eventually("the backplane is heard", async || backplane.is_connected()).await;
        let url = stores.database_url().await;
        let database = Database::connect::<Migrator>(&url, Arc::clone(&backplane.log), clock).await.unwrap();
        let (registry, stop) = (Registry::new(), CancellationToken::new());
        Self { stores, url, backplane, database, registry, stop }
    }

    /// Opens another pool on the same database.
    async fn connect_again(&self) -> Database {
        Database::connect::<Migrator>(&self.url, Arc::clone(&self.backplane.log), Clock::system())
            .await
            .unwrap()
    }

    fn relay(&self, database: &Database, service: &'static str) {
        let (database, registry, stop) = (database.clone(), self.registry.clone(), self.stop.clone());
        tokio::spawn(async move { database.run_relay(&registry, service, stop).await.unwrap() });
    }

    /// Returns a feed of everything that is published from now on.
    async fn begun_feed(&self) -> Feed {
        let mut feed = self.backplane.feed();
        assert!(matches!(feed.next().await, FeedItem::Reset { .. }));
        feed
    }

    async fn commit(&self, ids: &[Uuid]) {
        let mut transaction = self.database.begin().await.unwrap();
        ids.iter().for_each(|id| transaction.emit(AlertClosed { id: *id }));
        transaction.commit().await.unwrap();
    }

    fn pending(&self) -> Option<f64> {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == "outbox_pending")?;
        Some(family.get_metric()[0].get_gauge().get_value())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn ids(count: usize) -> Vec<Uuid> {
    (0..count).map(|_| Uuid::now_v7()).collect()
}

async fn next_id(feed: &mut Feed) -> Uuid {
    loop {
        let item = tokio::time::timeout(Duration::from_secs(20), feed.next()).await.unwrap();
        if let FeedItem::Message(message) = item {
            assert_eq!(message.channel, AlertClosed::TYPE);
            let payload: serde_json::Value = serde_json::from_str(message.envelope.payload.get()).unwrap();
            return payload["id"].as_str().unwrap().parse().unwrap();
        }
    }
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn committed_events_are_published_in_order_and_rolled_back_ones_never_s47(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = world.begun_feed().await;
    world.relay(&world.database, "test");
    let (kept, lost, after) = (ids(1_200), ids(3), ids(1));
    world.commit(&kept).await;
    let mut rolled_back = world.database.begin().await.unwrap();
    lost.iter().for_each(|id| rolled_back.emit(AlertClosed { id: *id }));
    drop(rolled_back);
    world.commit(&after).await;
    for expected in kept.iter().chain(&after) {
        assert_eq!(next_id(&mut feed).await, *expected);
    }
    testing::eventually("nothing waits", async || world.pending() == Some(0.0)).await;
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_event_published_twice_after_a_crash_is_heard_once(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = world.begun_feed().await;
    let (first, second) = (ids(1), ids(1));
    world.commit(&first).await;
    assert_eq!(world.database.publish_pending().await.unwrap(), 1);
    // The state after a relay died between publishing and marking.
    let backend = world.database.get_database_backend();
    let forget = Statement::from_string(backend, "UPDATE outbox SET published_at = NULL");
    world.database.execute_raw(forget).await.unwrap();
    assert_eq!(world.database.publish_pending().await.unwrap(), 1);
    world.commit(&second).await;
    world.database.publish_pending().await.unwrap();
    assert_eq!(next_id(&mut feed).await, first[0]);
    assert_eq!(next_id(&mut feed).await, second[0]);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn several_relays_publish_everything_once(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = world.begun_feed().await;
    let other = world.connect_again().await;
    world.relay(&world.database, "one");
    world.relay(&other, "two");
    let all = ids(600);
    for chunk in all.chunks(20) {
        world.commit(chunk).await;
    }
    for expected in &all {
        assert_eq!(next_id(&mut feed).await, *expected);
    }
}

#[tokio::test]
async fn events_wait_during_a_redis_outage_and_are_published_after_it_s47() {
    let world = World::start(Backend::Real).await;
    let mut feed = world.begun_feed().await;
    world.relay(&world.database, "test");
    let (before, meanwhile) = (ids(1), ids(5));
    world.commit(&before).await;
    assert_eq!(next_id(&mut feed).await, before[0]);
    world.stores.redis().kill();
    world.commit(&meanwhile).await;
    testing::eventually("they wait", async || world.pending() == Some(5.0)).await;
    world.stores.redis().restart();
    for expected in &meanwhile {
        assert_eq!(next_id(&mut feed).await, *expected);
    }
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn marks_arrive_with_their_event_s25(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let expires_at = Clock::system().now() + chrono::TimeDelta::minutes(15);
    let mark = Mark { value: "session:x:logout".into(), expires_at };
    let mut transaction = world.database.begin().await.unwrap();
    transaction.emit_with(AlertClosed { id: Uuid::now_v7() }, vec![mark]);
    transaction.commit().await.unwrap();
    world.database.publish_pending().await.unwrap();
    assert_eq!(world.backplane.marks.live().await.unwrap(), ["session:x:logout"]);
}

#[tokio::test]
async fn replicas_that_start_at_once_migrate_once() {
    let stores = Backend::Real.start().await;
    let url = stores.database_url().await;
    let backplane = Backplane::connect("memory:", options(&Clock::system())).unwrap();
    let connect = || Database::connect::<Migrator>(&url, Arc::clone(&backplane.log), Clock::system());
    let (a, b, c, d) = tokio::join!(connect(), connect(), connect(), connect());
    for database in [a, b, c, d] {
        database.unwrap();
    }
}

#[tokio::test]
async fn services_share_a_database_in_separate_schemas() {
    let stores = Backend::Real.start().await;
    let url = stores.database_url().await;
    let backplane = Backplane::connect("memory:", options(&Clock::system())).unwrap();
    let connect = async |schema| {
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}schema={schema}");
        Database::connect::<Migrator>(&url, Arc::clone(&backplane.log), Clock::system()).await
    };
    let (auth, drift) = (connect("auth").await.unwrap(), connect("drift").await.unwrap());
    let mut transaction = auth.begin().await.unwrap();
    transaction.emit(AlertClosed { id: Uuid::now_v7() });
    transaction.commit().await.unwrap();
    assert_eq!(drift.publish_pending().await.unwrap(), 0);
    assert_eq!(auth.publish_pending().await.unwrap(), 1);
    assert!(connect("a\"; DROP").await.is_err());
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn transactions_that_read_and_then_write_wait_for_each_other(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let writers = (0..8).map(|_| async {
        for _ in 0..25 {
            let mut transaction = world.database.begin().await.unwrap();
            let count =
                Statement::from_string(transaction.get_database_backend(), "SELECT count(*) FROM outbox");
            transaction.query_one_raw(count).await.unwrap();
            transaction.emit(AlertClosed { id: Uuid::now_v7() });
            transaction.commit().await.unwrap();
        }
    });
    futures_util::future::join_all(writers).await;
    assert_eq!(world.database.publish_pending().await.unwrap(), 200);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_database_that_a_newer_version_has_migrated_is_refused(#[case] backend: Backend) {
    let world = World::start(backend).await;
    testing::execute(&world.url, "INSERT INTO seaql_migrations VALUES ('m30000101_000001_future', 0)").await;
    let log = Arc::clone(&world.backplane.log);
    let error = Database::connect::<Migrator>(&world.url, log, Clock::system()).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    let cause = source.source().unwrap().to_string();
    assert!(cause.contains("m30000101_000001_future"), "{cause}");
}
