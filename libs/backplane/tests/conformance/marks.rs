use std::time::Duration;

use backplane::{Backplane, FeedItem, Hold};
use chrono::TimeDelta;
use contracts::Clock;
use rstest::rstest;
use testing::{Backend, Proxy};

use super::{World, begun, entry, mark, next, next_name, options};

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn marks_arrive_with_their_event_and_expire(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let marks = vec![mark("long", &world.clock, 600), mark("short", &world.clock, 1)];
    world.backplane.log.append(&[backplane::Entry { marks, ..entry("ended") }]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "ended");
    let marked = async || {
        let mut marks = world.backplane.marks.live().await.unwrap();
        marks.sort();
        marks
    };
    assert_eq!(marked().await, ["long", "short"]);
    testing::eventually("the short one to expire", async || marked().await == ["long"]).await;
    world
        .backplane
        .marks
        .add(&[mark("later", &world.clock, 60), mark("long", &world.clock, 0)])
        .await
        .unwrap();
    assert!(matches!(next(&mut feed).await, FeedItem::MarksChanged));
    assert_eq!(marked().await, ["later", "long"], "a new mark never shortens an earlier expiry");
}

/// Returns the backplane of a second process, whose clock is a day ahead of Redis's.
async fn hurried(world: &World) -> Backplane {
    let clock = Clock::system();
    clock.advance(TimeDelta::days(1));
    let options = backplane::Options { clock, ..options() };
    let hurried = Backplane::connect(&world.stores.redis_url(), options).unwrap();
    testing::eventually("it is connected", async || hurried.is_connected()).await;
    hurried
}

#[tokio::test]
async fn a_wrong_clock_expires_no_mark_of_another_process_s79() {
    let world = World::start(Backend::Real).await;
    let hurried = hurried(&world).await;
    world.backplane.marks.add(&[mark("ended", &world.clock, 600)]).await.unwrap();
    let own = mark("own", &Clock::system(), 86_400 + 600);
    hurried.log.append(&[backplane::Entry { marks: vec![own], ..entry("other") }]).await.unwrap();
    for plane in [&world.backplane, &hurried] {
        let mut marks = plane.marks.live().await.unwrap();
        marks.sort();
        assert_eq!(marks, ["ended", "own"]);
    }
}

#[tokio::test]
async fn a_wrong_clock_does_not_trim_the_log_s79() {
    let world = World::start(Backend::Real).await;
    world.append(&["1", "2"]).await;
    let start = backplane::Position { seq: 0, ..world.backplane.log.head().await.unwrap() };
    hurried(&world).await.log.append(&[entry("3")]).await.unwrap();
    let read = world.backplane.log.read_after(&start, None, 10).await.unwrap();
    assert!(matches!(read, backplane::LogRead::Events(events) if events.len() == 3));
}

#[tokio::test]
async fn a_wrong_clock_ends_no_hold_of_another_process_s79() {
    let world = World::start(Backend::Real).await;
    let hold = |holder: &str| [Hold { key: "room".into(), holder: holder.into() }];
    let minute = Duration::from_secs(60);
    assert_eq!(world.backplane.keys.hold(&hold("ann"), minute).await.unwrap(), [1]);
    assert_eq!(hurried(&world).await.keys.hold(&hold("bob"), minute).await.unwrap(), [2]);
}

#[tokio::test]
async fn marks_that_were_stored_while_a_process_was_disconnected_are_announced_to_it() {
    let world = World::start(Backend::Real).await;
    let proxy = Proxy::start(world.stores.redis().address()).await;
    let cut_off = Backplane::connect(&format!("redis://{}", proxy.address()), options()).unwrap();
    testing::eventually("it is heard", async || cut_off.is_connected()).await;
    let mut feed = begun(&cut_off).await;
    proxy.cut();
    testing::eventually("the cut is noticed", async || !cut_off.is_connected()).await;
    // What came before the cut.
    while tokio::time::timeout(Duration::from_millis(10), feed.next()).await.is_ok() {}
    world.backplane.marks.add(&[mark("ended", &world.clock, 600)]).await.unwrap();
    proxy.resume();
    assert!(matches!(next(&mut feed).await, FeedItem::MarksChanged));
}
