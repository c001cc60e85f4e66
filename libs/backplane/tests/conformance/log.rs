use std::time::Duration;

use backplane::{FeedItem, LogRead, Position, ResetReason};
use rstest::rstest;
use testing::Backend;

use super::{World, begun, entry, mark, name, next, next_name, next_reset};

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_feed_begins_with_a_reset_and_goes_on_in_order(#[case] backend: Backend) {
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
        let body: serde_json::Value = serde_json::from_str(&message.body).unwrap();
        assert_eq!((body["seq"].as_u64(), body["epoch"].as_str()), (Some(seq), Some(&*position.epoch)));
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
    world.backplane.append(std::slice::from_ref(&twice)).await.unwrap();
    world.backplane.append(&[twice, entry("next")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "twice");
    assert_eq!(next_name(&mut feed).await, "next");
    assert_eq!(world.backplane.head().await.unwrap().seq, 2);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_message_without_the_log_is_heard_and_takes_no_place(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let unlogged = entry("order").envelope.replace("drift:created", "orders:made");
    world.backplane.broadcast("orders:made", &unlogged).await.unwrap();
    world.append(&["drift"]).await;
    let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
    assert_eq!((message.channel.as_str(), &message.position), ("orders:made", &None));
    assert_eq!(next_name(&mut feed).await, "drift");
    assert_eq!(world.backplane.head().await.unwrap().seq, 1);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn the_log_is_read_from_a_position_or_said_to_be_lost(#[case] backend: Backend) {
    let world = World::with(backend, |options| options.log_length = 5).await;
    world.append(&["1", "2", "3", "4", "5", "6", "7", "8"]).await;
    let head = world.backplane.head().await.unwrap();
    let read = async |seq, limit| {
        let position = Position { epoch: head.epoch.clone(), seq };
        match world.backplane.log_after(&position, limit).await.unwrap() {
            LogRead::Events(events) => Some(events.iter().map(|event| name(event)).collect::<Vec<_>>()),
            LogRead::Lost => None,
        }
    };
    assert_eq!(read(8, 10).await, Some(vec![]));
    assert_eq!(read(6, 10).await, Some(vec!["7".into(), "8".into()]));
    assert_eq!(read(3, 2).await, Some(vec!["4".into(), "5".into()]));
    assert_eq!(read(2, 10).await, None, "event 3 is gone: a part would be a silent loss");
    assert_eq!(read(9, 10).await, None, "a place that never was");
    let elsewhere = Position { epoch: "another".into(), seq: 7 };
    assert!(matches!(world.backplane.log_after(&elsewhere, 10).await.unwrap(), LogRead::Lost));
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn the_log_forgets_by_age_but_keeps_its_newest_event(#[case] backend: Backend) {
    let world = World::with(backend, |options| options.log_age = Duration::from_secs(60)).await;
    world.append(&["old", "older news"]).await;
    let start = Position { seq: 0, ..world.backplane.head().await.unwrap() };
    world.clock.advance(chrono::TimeDelta::minutes(5));
    world.backplane.append(&[]).await.unwrap();
    assert!(matches!(world.backplane.log_after(&start, 10).await.unwrap(), LogRead::Lost));
    let one = Position { seq: 1, ..start };
    assert!(
        matches!(world.backplane.log_after(&one, 10).await.unwrap(), LogRead::Events(events) if events.len() == 1)
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

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn marks_come_with_their_event_and_go_when_they_expire(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let marks = vec![mark("long", &world.clock, 600), mark("short", &world.clock, 30)];
    world.backplane.append(&[backplane::Entry { marks, ..entry("ended") }]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "ended");
    let marked = async || {
        let mut marks = world.backplane.marks().await.unwrap();
        marks.sort();
        marks
    };
    assert_eq!(marked().await, ["long", "short"]);
    world.clock.advance(chrono::TimeDelta::seconds(60));
    assert_eq!(marked().await, ["long"]);
    world.backplane.mark(&[mark("later", &world.clock, 60), mark("long", &world.clock, 1)]).await.unwrap();
    assert!(matches!(next(&mut feed).await, FeedItem::MarksChanged));
    world.clock.advance(chrono::TimeDelta::seconds(30));
    assert_eq!(marked().await, ["later", "long"], "a mark never expires earlier than it once was to");
}
