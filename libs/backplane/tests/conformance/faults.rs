//! Faults that only Redis has.

use backplane::{Backplane, ResetReason};
use contracts::Clock;
use testing::{Backend, Proxy};

use super::{World, begun, entry, next_name, next_reset, options};

#[tokio::test]
async fn events_published_during_a_disconnect_are_read_from_the_log() {
    let world = World::start(Backend::Real).await;
    let proxy = Proxy::start(world.stores.redis().address()).await;
    let url = format!("redis://{}", proxy.address());
    let cut_off = Backplane::connect(&url, options()).unwrap();
    testing::eventually("it is heard", async || cut_off.is_connected()).await;
    let mut feed = begun(&cut_off).await;
    world.append(&["heard"]).await;
    assert_eq!(next_name(&mut feed).await, "heard");
    proxy.cut();
    testing::eventually("the cut is noticed", async || !cut_off.is_connected()).await;
    world.append(&["missed 1", "missed 2"]).await;
    proxy.resume();
    assert_eq!(next_name(&mut feed).await, "missed 1");
    assert_eq!(next_name(&mut feed).await, "missed 2");
    world.append(&["live"]).await;
    assert_eq!(next_name(&mut feed).await, "live");
}

#[tokio::test]
async fn a_lost_announcement_is_noticed_at_the_next_one() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    // Another replica's append whose announcement was lost: `append` without PUBLISH.
    let mut redis = world.stores.redis().connect().await;
    world.append(&["first"]).await;
    assert_eq!(next_name(&mut feed).await, "first");
    let epoch = world.backplane.log.head().await.unwrap().epoch;
    let silent = entry("silent").envelope;
    let body = format!(r#"{},"seq":2,"epoch":"{epoch}"}}"#, silent.strip_suffix('}').unwrap());
    let mut append = redis::pipe();
    append.cmd("XADD").arg("{driftsentry}:log").arg("2-0");
    append
        .arg("channel")
        .arg("drift:created")
        .arg("body")
        .arg(body)
        .arg("at")
        .arg(Clock::system().now().timestamp());
    append.cmd("HSET").arg("{driftsentry}:log:meta").arg("seq").arg(2);
    append.query_async::<()>(&mut redis).await.unwrap();
    world.append(&["third"]).await;
    assert_eq!(next_name(&mut feed).await, "silent");
    assert_eq!(next_name(&mut feed).await, "third");
}

#[tokio::test]
async fn an_emptied_redis_begins_a_new_epoch() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    world.append(&["before"]).await;
    assert_eq!(next_name(&mut feed).await, "before");
    let old = world.backplane.log.head().await.unwrap();
    world.stores.redis().kill();
    testing::eventually("the loss is noticed", async || !world.backplane.is_connected()).await;
    assert!(world.backplane.log.append(&[entry("lost")]).await.is_err());
    world.stores.redis().restart_empty();
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!(reason, ResetReason::LogLost);
    assert_ne!(position.epoch, old.epoch);
    world.append(&["after"]).await;
    assert_eq!(next_name(&mut feed).await, "after");
}

#[tokio::test]
async fn a_log_that_was_rolled_back_begins_a_new_epoch() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    world.append(&["1", "2", "3"]).await;
    for expected in ["1", "2", "3"] {
        assert_eq!(next_name(&mut feed).await, expected);
    }
    // The state after a crash that lost the last second: the same epoch, but an earlier head.
    let mut redis = world.stores.redis().connect().await;
    let mut roll_back = redis::pipe();
    roll_back.cmd("XDEL").arg("{driftsentry}:log").arg("3-0");
    roll_back.cmd("HSET").arg("{driftsentry}:log:meta").arg("seq").arg(2);
    roll_back.cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub");
    roll_back.query_async::<()>(&mut redis).await.unwrap();
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!((position.seq, reason), (0, ResetReason::LogLost));
}

#[tokio::test]
async fn a_feed_that_has_delivered_nothing_notices_that_the_log_was_rolled_back() {
    let world = World::start(Backend::Real).await;
    world.append(&["1"]).await;
    let mut redis = world.stores.redis().connect().await;
    let log = "{driftsentry}:log";
    let earlier: Vec<u8> = redis::cmd("DUMP").arg(log).query_async(&mut redis).await.unwrap();
    world.append(&["2"]).await;
    let mut feed = begun(&world.backplane).await;
    let other = Backplane::connect(&world.stores.redis_url(), options()).unwrap();
    testing::eventually("it is heard", async || other.is_connected()).await;
    // A crash loses the last event. Another process appends before the feed is connected again.
    let mut crash = redis::pipe();
    crash.cmd("ACL").arg(&["SETUSER", "default", "-psubscribe"]);
    crash.cmd("CLIENT").arg(&["KILL", "TYPE", "pubsub"]);
    crash.cmd("RESTORE").arg(log).arg(0).arg(earlier).arg("REPLACE");
    crash.cmd("HSET").arg("{driftsentry}:log:meta").arg("seq").arg(1);
    crash.query_async::<()>(&mut redis).await.unwrap();
    other.log.append(&[entry("another 2"), entry("3")]).await.unwrap();
    redis::cmd("ACL").arg(&["SETUSER", "default", "+psubscribe"]).exec_async(&mut redis).await.unwrap();
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!((position.seq, reason), (0, ResetReason::LogLost));
}

#[tokio::test]
async fn the_log_stays_within_its_cap() {
    let world = World::with(Backend::Real, |options| options.log_length = 1_000).await;
    let names = (0..500).map(|n| n.to_string()).collect::<Vec<_>>();
    let names = names.iter().map(String::as_str).collect::<Vec<_>>();
    for _ in 0..10 {
        world.append(&names).await;
    }
    let mut redis = world.stores.redis().connect().await;
    let length: u64 = redis::cmd("XLEN").arg("{driftsentry}:log").query_async(&mut redis).await.unwrap();
    assert_eq!(length, 1_000);
}
