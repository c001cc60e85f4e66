//! Failover and the move of a slot in a cluster, with real servers.

use std::time::Instant;

use backplane::{LogRead, Position};
use testing::PrivateCluster;

use super::failover::{LIMIT, assert_works, connect};
use super::{World, begun, entry, next_name};

const KEY: &str = "{driftsentry}:log";

#[tokio::test]
async fn after_the_death_of_a_member_the_log_continues_on_its_replica() {
    let cluster = PrivateCluster::start().await;
    let backplane = connect(&cluster.url()).await;
    let mut feed = begun(&backplane).await;
    backplane.log.append(&[entry("before")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "before");
    let holder = cluster.holder_of(KEY).await;
    holder.until_replicated().await;

    holder.kill();
    let next = cluster.holder_of(KEY).await;
    assert!(next.is_available());
    assert_works(&backplane, &mut feed, "after", Instant::now()).await;
    assert_eq!(backplane.log.head().await.unwrap().seq, 2, "the log goes on");
}

#[tokio::test]
async fn after_the_move_of_its_slot_the_log_continues_on_the_other_member() {
    let cluster = PrivateCluster::start().await;
    let backplane = connect(&cluster.url()).await;
    let mut feed = begun(&backplane).await;
    let start = backplane.log.head().await.unwrap();
    backplane.log.append(&[entry("before")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "before");
    assert_eq!(backplane.keys.hit("key", LIMIT * 10).await.unwrap(), 1);

    let members = cluster.begin_to_move(KEY).await;
    // Redis refuses scripts of several keys until the slot has moved.
    assert!(backplane.log.append(&[entry("refused")]).await.is_err());
    cluster.finish_move(KEY, members).await;
    let moved = Instant::now();
    assert_works(&backplane, &mut feed, "after", moved).await;
    assert_eq!(backplane.keys.hit("key", LIMIT * 10).await.unwrap(), 2);
    let read = backplane.log.read_after(&Position { seq: 0, ..start }, None, 10).await.unwrap();
    assert!(matches!(read, LogRead::Events(events) if events.len() == 2));
}

#[tokio::test]
async fn events_that_others_publish_on_any_member_are_heard() {
    let cluster = PrivateCluster::start().await;
    let backplane = connect(&cluster.url()).await;
    let mut feed = begun(&backplane).await;
    for (number, member) in cluster.members().iter().enumerate() {
        let name = number.to_string();
        member.publish_all([("drift:created".to_owned(), entry(&name).envelope)]).await;
        assert_eq!(next_name(&mut feed).await, name);
    }
}

#[tokio::test]
async fn a_server_without_a_cluster_is_reported() {
    let world = World::start(testing::Backend::Real).await;
    let url = world.stores.redis_url().replace("redis://", "redis+cluster://");
    let backplane = backplane::Backplane::connect(&url, super::options()).unwrap();
    let error = backplane.log.head().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("cluster support disabled"), "{cause}");
}
