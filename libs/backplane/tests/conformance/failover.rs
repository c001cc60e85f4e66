//! Failover through Sentinels, with real servers.

use std::time::{Duration, Instant};

use backplane::{Backplane, Feed, ResetReason};
use testing::{PrivateSentinels, eventually};

use super::{begun, entry, next_name, next_reset, options};

/// Longest time that it may take until everything works on the new primary.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

pub(crate) async fn connect(url: &str) -> Backplane {
    let backplane = Backplane::connect(url, options()).unwrap();
    eventually("the backplane is heard", async || backplane.is_connected()).await;
    backplane
}

/// Repeats an event until the log takes it, as an outbox does, and checks that the feed delivers it in time.
pub(crate) async fn assert_works(backplane: &Backplane, feed: &mut Feed, name: &str, since: Instant) {
    let entry = entry(name);
    eventually("the log takes events", async || {
        backplane.log.append(std::slice::from_ref(&entry)).await.is_ok()
    })
    .await;
    assert_eq!(next_name(feed).await, name);
    eventually("the link is up", async || backplane.is_connected()).await;
    assert!(since.elapsed() < LIMIT, "{:?}", since.elapsed());
}

/// Connects, and delivers one event that both servers have.
async fn begun_on(group: &PrivateSentinels) -> (Backplane, Feed) {
    let backplane = connect(&group.url()).await;
    let mut feed = begun(&backplane).await;
    backplane.log.append(&[entry("before")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "before");
    group.servers()[0].until_replicated().await;
    (backplane, feed)
}

#[tokio::test]
async fn after_the_death_of_the_primary_the_log_continues_on_the_promoted_replica() {
    let group = PrivateSentinels::start().await;
    let [first, second] = group.servers();
    let (backplane, mut feed) = begun_on(&group).await;
    assert_eq!(backplane.keys.hit("key", LIMIT * 10).await.unwrap(), 1);
    first.until_replicated().await;

    first.kill();
    group.until_primary(second).await;
    let promoted = Instant::now();
    assert_works(&backplane, &mut feed, "after", promoted).await;
    assert_eq!(backplane.log.head().await.unwrap().seq, 2, "the log goes on");
    assert_eq!(backplane.keys.hit("key", LIMIT * 10).await.unwrap(), 2);

    // The Sentinels make the old primary a replica, which changes nothing.
    first.restart();
    eventually("the old primary to be a replica", async || first.is_replica().await).await;
    assert_works(&backplane, &mut feed, "again", Instant::now()).await;
}

#[tokio::test]
async fn events_that_the_new_primary_lacks_begin_a_new_epoch() {
    let group = PrivateSentinels::start().await;
    let [first, second] = group.servers();
    let (backplane, mut feed) = begun_on(&group).await;
    first.cut_off_replicas().await;
    backplane.log.append(&[entry("lost")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "lost");

    first.kill();
    group.until_primary(second).await;
    let promoted = Instant::now();
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!((position.seq, reason), (0, ResetReason::LogLost));
    assert_works(&backplane, &mut feed, "after", promoted).await;
}

#[tokio::test]
async fn a_primary_that_hangs_is_left_for_the_promoted_replica() {
    let group = PrivateSentinels::start().await;
    let [first, second] = group.servers();
    let (backplane, mut feed) = begun_on(&group).await;

    first.freeze();
    group.until_primary(second).await;
    let promoted = Instant::now();
    assert_works(&backplane, &mut feed, "after", promoted).await;
    first.thaw();
    eventually("the old primary to be a replica", async || first.is_replica().await).await;
    assert_works(&backplane, &mut feed, "again", Instant::now()).await;
}

#[tokio::test]
async fn a_primary_that_still_works_is_left_after_the_sentinels_have_replaced_it() {
    let group = PrivateSentinels::start().await;
    let (_backplane, mut feed) = begun_on(&group).await;

    group.fail_over_at_once().await;
    let promoted = Instant::now();
    // A process that starts now finds the new primary at once.
    let other = connect(&group.url()).await;
    other.log.append(&[entry("after")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "after");
    assert!(promoted.elapsed() < LIMIT, "{:?}", promoted.elapsed());
}
