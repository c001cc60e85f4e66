//! Failover from a primary to its standby, with real servers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backplane::Backplane;
use contracts::Clock;
use contracts::events::alert::AlertClosed;
use database::{Database, is_unavailable};
use sea_orm::DbErr;
use testing::{PrivatePostgres, Proxy, eventually};
use uuid::Uuid;

use crate::{Migrator, options};

/// Longest time from the promotion until the service writes again.
const LIMIT: Duration = Duration::from_secs(5);

async fn write(database: &Database) -> Result<(), DbErr> {
    let mut transaction = database.begin().await?;
    transaction.emit(AlertClosed { id: Uuid::now_v7() });
    transaction.commit().await
}

#[tokio::test]
async fn after_the_promotion_of_a_standby_writes_continue_there() {
    let primary = PrivatePostgres::start();
    let standby = primary.start_standby();
    let address = Proxy::start(primary.address()).await;
    let clock = Clock::system();
    let log = Backplane::connect("memory:", options(&clock)).unwrap().log;
    let url = format!("postgres://postgres@{}/postgres", address.address());
    let database = Database::connect::<Migrator>(&url, Arc::clone(&log), clock).await.unwrap();
    write(&database).await.unwrap();
    eventually("the standby to have the event", async || standby.rows("outbox").await == Some(1)).await;

    // The address leads to the standby before it is promoted.
    address.lead_to(standby.address());
    primary.kill();
    eventually("the check notices that the standby is read-only", async || {
        database.check_writes().await == Err("the database takes no writes")
    })
    .await;
    let refused = write(&database).await.unwrap_err();
    assert!(is_unavailable(&refused), "{refused:?}");

    standby.promote().await;
    let promoted = Instant::now();
    eventually("the database takes writes", async || write(&database).await.is_ok()).await;
    eventually("the check notices", async || database.check_writes().await.is_ok()).await;
    assert!(promoted.elapsed() < LIMIT, "{:?}", promoted.elapsed());
    assert_eq!(database.publish_pending().await.unwrap(), 2, "what was committed before is still there");
}
