use std::time::Duration;

use backplane::{Entry, FeedItem, LogRead, Position, ResetReason};
use rstest::rstest;
use testing::Backend;

use super::{World, begun, entry, name, next, next_name, next_reset};

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_feed_begins_with_a_reset_and_continues_in_order(#[case] backend: Backend) {
    let world = World::start(backend).await;
    world.append(&["before"]).await;
    let mut feed = world.backplane.feed();
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!((position.seq, reason), (1, ResetReason::Started));
    world.append(&["a", "b"]).await;
    world.append(&["c"]).await;
    for (seq, expected) in [(2, "a"), (3, "b"), (4, "c")] {
        let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
        assert_eq!(name(&message), expected);
        assert_eq!(message.position, Some(Position { epoch: position.epoch.clone(), seq }));
        let placed = (message.envelope.seq, message.envelope.epoch.as_deref());
        assert_eq!(placed, (Some(seq), Some(&*position.epoch)));
    }
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_event_appended_again_is_heard_once(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let twice = entry("twice");
    world.backplane.log.append(std::slice::from_ref(&twice)).await.unwrap();
    world.backplane.log.append(&[twice, entry("next")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "twice");
    assert_eq!(next_name(&mut feed).await, "next");
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 2);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_unlogged_message_is_received_and_takes_no_position(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = world.backplane.feed_of_all_channels();
    next_reset(&mut feed).await;
    let mut of_log = begun(&world.backplane).await;
    let unlogged = entry("order").envelope.replace("drift:created", "orders:made");
    let receivers = world.backplane.log.broadcast("orders:made", &unlogged).await.unwrap();
    assert_eq!(receivers, 1, "one process receives it");
    world.append(&["drift"]).await;
    let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
    assert_eq!((message.channel.as_str(), &message.position), ("orders:made", &None));
    assert_eq!(next_name(&mut feed).await, "drift");
    assert_eq!(next_name(&mut of_log).await, "drift", "a feed of the log hears no other channel");
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 1);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_event_is_remembered_as_long_as_the_log_has_it(#[case] backend: Backend) {
    let world = World::with(backend, |options| options.log_length = 3).await;
    let mut feed = begun(&world.backplane).await;
    let again = entry("again");
    world.backplane.log.append(std::slice::from_ref(&again)).await.unwrap();
    world.append(&["2", "3"]).await;
    world.backplane.log.append(std::slice::from_ref(&again)).await.unwrap();
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 3);
    for expected in ["again", "2", "3"] {
        assert_eq!(next_name(&mut feed).await, expected);
    }
    world.append(&["4"]).await;
    world.backplane.log.append(&[again]).await.unwrap();
    for expected in ["4", "again"] {
        assert_eq!(next_name(&mut feed).await, expected);
    }
}

#[tokio::test]
async fn redis_memory_does_not_grow_with_traffic_s60() {
    let world = World::with(Backend::Real, |options| options.log_length = 100).await;
    let keys = async || {
        let mut redis = world.stores.redis().connect().await;
        let keys: u64 = redis::cmd("DBSIZE").query_async(&mut redis).await.unwrap();
        let count =
            async |key| redis::cmd("ZCARD").arg(key).query_async::<u64>(&mut redis.clone()).await.unwrap();
        (keys, count("{driftsentry}:log:ids").await, count("{driftsentry}:log:unlogged").await)
    };
    for _ in 0..10 {
        let refreshed =
            (0..500).map(|_| Entry { channel: "auth:token.refreshed".into(), ..entry("refreshed") });
        world.backplane.log.append(&refreshed.collect::<Vec<_>>()).await.unwrap();
        world.append(&["logged"; 50]).await;
    }
    assert_eq!(keys().await, (5, 100, 2_000), "meta, log, two sets of ids, and the probe");
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_frequent_event_is_published_once_and_takes_no_position_s60(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let refreshed = Entry { channel: "auth:token.refreshed".into(), ..entry("refreshed") };
    world.backplane.log.append(&[refreshed.clone(), entry("drift")]).await.unwrap();
    world.backplane.log.append(&[refreshed, entry("next")]).await.unwrap();
    let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
    assert_eq!((name(&message).as_str(), &message.position), ("refreshed", &None));
    assert_eq!(next_name(&mut feed).await, "drift");
    assert_eq!(next_name(&mut feed).await, "next");
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 2);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn the_log_is_read_from_a_position_or_reported_lost(#[case] backend: Backend) {
    let world = World::with(backend, |options| options.log_length = 5).await;
    world.append(&["1", "2", "3", "4", "5", "6", "7", "8"]).await;
    let head = world.backplane.log.head().await.unwrap();
    let read = async |seq, limit| {
        let position = Position { epoch: head.epoch.clone(), seq };
        match world.backplane.log.read_after(&position, None, limit).await.unwrap() {
            LogRead::Events(events) => Some(events.iter().map(|event| name(event)).collect::<Vec<_>>()),
            LogRead::Lost => None,
        }
    };
    assert_eq!(read(8, 10).await, Some(vec![]));
    assert_eq!(read(6, 10).await, Some(vec!["7".into(), "8".into()]));
    assert_eq!(read(3, 2).await, Some(vec!["4".into(), "5".into()]));
    assert_eq!(read(2, 10).await, None, "event 3 was dropped: returning a part would be a silent loss");
    assert_eq!(read(9, 10).await, None, "a position that never existed");
    let elsewhere = Position { epoch: "another".into(), seq: 7 };
    assert!(matches!(world.backplane.log.read_after(&elsewhere, None, 10).await.unwrap(), LogRead::Lost));
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn the_log_drops_old_events_but_keeps_its_newest(#[case] backend: Backend) {
    let world = World::with(backend, |options| options.log_age = Duration::from_secs(1)).await;
    world.append(&["old", "older news"]).await;
    let start = Position { seq: 0, ..world.backplane.log.head().await.unwrap() };
    testing::eventually("the first event ages", async || {
        world.backplane.log.append(&[]).await.unwrap();
        matches!(world.backplane.log.read_after(&start, None, 10).await.unwrap(), LogRead::Lost)
    })
    .await;
    let one = Position { seq: 1, ..start };
    assert!(
        matches!(world.backplane.log.read_after(&one, None, 10).await.unwrap(), LogRead::Events(events) if events.len() == 1)
    );
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_feed_that_lags_reads_the_log_instead_of_skipping(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let names = (0..10_000).map(|n| n.to_string()).collect::<Vec<_>>();
    for chunk in names.chunks(500) {
        world.append(&chunk.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    for expected in &names {
        assert_eq!(&next_name(&mut feed).await, expected);
    }
}

#[tokio::test]
async fn an_entry_that_is_not_an_envelope_uses_no_id() {
    let world = World::start(Backend::Memory).await;
    let mut feed = begun(&world.backplane).await;
    let good = entry("good");
    let bad = Entry { envelope: "{}".into(), ..good.clone() };
    world.backplane.log.append(&[bad]).await.unwrap();
    world.backplane.log.append(&[good]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "good");
}
