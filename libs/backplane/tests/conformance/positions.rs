//! Only the log can give a message a position.

use backplane::{Backplane, FeedItem, Position};
use rstest::rstest;
use serde_json::json;
use testing::Backend;
use uuid::Uuid;

use super::{World, begun, entry, name, next, next_name, next_reset, options};

/// A forged message. Every client knows the epoch and the next `seq`, so that anyone could publish this.
fn forged(name: &str, at: &Position) -> String {
    let (event_id, timestamp) = (Uuid::now_v7(), "2026-01-01T00:00:00Z");
    json!({ "eventId": event_id, "type": "drift:created", "timestamp": timestamp, "payload": { "name": name },
        "seq": at.seq, "epoch": &*at.epoch, "proof": "0".repeat(40) })
    .to_string()
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn a_forged_position_hides_no_event_s58(
    #[case] backend: Backend,
    #[values("ws:user:1", "dashboard:error", "drift:created", "auth:token.refreshed")] channel: &str,
) {
    let world = World::with(backend, |options| {
        options.channels = vec!["ws:*".into(), "dashboard:*".into()];
    })
    .await;
    let mut feed = world.backplane.feed_of_all_channels();
    let (start, _) = next_reset(&mut feed).await;
    for seq in 1..=3 {
        let at = Position { seq, ..start.clone() };
        world.backplane.log.broadcast(channel, &forged("forged", &at)).await.unwrap();
    }
    world.append(&["1", "2", "3"]).await;
    let mut heard = Vec::new();
    while heard.last().is_none_or(|last: &String| last != "3") {
        let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
        let own = &message.envelope;
        assert_eq!(message.position.is_some(), own.seq.is_some() && own.epoch.is_some());
        assert_eq!(message.position.is_none(), name(&message) == "forged");
        heard.push(name(&message));
    }
    heard.retain(|name| name != "forged");
    assert_eq!(heard, ["1", "2", "3"]);
}

#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_event_that_a_listener_publishes_again_is_heard_once_s58(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    world.append(&["1", "2"]).await;
    for expected in ["1", "2"] {
        let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
        assert_eq!(name(&message), expected);
        let echo = serde_json::to_string(&message.envelope).unwrap();
        world.backplane.log.broadcast("drift:created", &echo).await.unwrap();
    }
    world.append(&["3"]).await;
    assert_eq!(next_name(&mut feed).await, "3");
}

#[tokio::test]
async fn an_announcement_is_trusted_only_if_unchanged_s58() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    let mut redis = world.stores.redis().pubsub().await;
    redis.psubscribe("drift:*").await.unwrap();
    world.append(&["1"]).await;
    assert_eq!(next_name(&mut feed).await, "1");
    let announced: String =
        futures_util::StreamExt::next(&mut redis.on_message()).await.unwrap().get_payload().unwrap();
    assert!(announced.contains("\"proof\""), "{announced}");
    // The same proof with different content, another position or another channel.
    let next_place = announced.replace("\"seq\":1", "\"seq\":2");
    for (channel, body) in [
        ("drift:created", announced.replace("\"1\"", "\"forged\"")),
        ("drift:created", next_place.clone()),
        ("alert:created", next_place),
    ] {
        world.backplane.log.broadcast(channel, &body).await.unwrap();
    }
    world.append(&["2"]).await;
    let mut heard = Vec::new();
    loop {
        let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
        if message.position.is_some() {
            heard.push(name(&message));
            break;
        }
    }
    assert_eq!(heard, ["2"]);
}

/// The reset told every reader to load everything, so the event would only replace something newer.
#[rstest]
#[case(Backend::Memory)]
#[case(Backend::Real)]
#[tokio::test]
async fn an_event_of_a_log_that_was_lost_is_ignored_and_reported_s58(#[case] backend: Backend) {
    let world = World::start(backend).await;
    let mut feed = begun(&world.backplane).await;
    let lost = Position { epoch: "lost".into(), seq: 7 };
    world.backplane.log.broadcast("drift:created", &forged("old", &lost)).await.unwrap();
    world.append(&["1"]).await;
    // The log is read before it is decided about the message.
    assert_eq!(next_name(&mut feed).await, "1");
    assert!(matches!(next(&mut feed).await, FeedItem::Ignored { reason: "of a log that was lost", .. }));
}

#[tokio::test]
async fn a_forged_position_does_not_restart_the_log_s58() {
    let world = World::start(Backend::Real).await;
    let mut feed = begun(&world.backplane).await;
    world.append(&["1"]).await;
    assert_eq!(next_name(&mut feed).await, "1");
    let head = world.backplane.log.head().await.unwrap();
    for seq in [2, 1_000_000] {
        let body = forged("forged", &Position { seq, ..head.clone() });
        world.backplane.log.broadcast("drift:created", &body).await.unwrap();
        assert_eq!(next_name(&mut feed).await, "forged");
    }
    world.backplane.log.append(&[entry("2")]).await.unwrap();
    assert_eq!(next_name(&mut feed).await, "2");
    assert_eq!(world.backplane.log.head().await.unwrap(), Position { seq: 2, ..head });
}

/// Takes the newest event out of the log, as a failover to a replica that lacks it does.
async fn roll_back(world: &World) {
    let mut redis = world.stores.redis().connect().await;
    let script = r"
        local kept = redis.call('XRANGE', KEYS[1], '1', '1')[1]
        redis.call('DEL', KEYS[1])
        redis.call('XADD', KEYS[1], kept[1], unpack(kept[2]))
        redis.call('HSET', KEYS[2], 'seq', '1')
        redis.call('ZREMRANGEBYSCORE', KEYS[3], '2', '+inf')
    ";
    let tag = "{driftsentry}:";
    let mut eval = redis::cmd("EVAL");
    eval.arg(script)
        .arg(3)
        .arg(format!("{tag}log"))
        .arg(format!("{tag}log:meta"))
        .arg(format!("{tag}log:ids"));
    eval.query_async::<()>(&mut redis).await.unwrap();
}

/// Redis may lose an event in a failover before any process has heard it.
#[tokio::test]
async fn the_process_that_appended_an_event_notices_that_the_log_was_rolled_back() {
    let world = World::start(Backend::Real).await;
    world.append(&["1", "lost"]).await;
    let before = world.backplane.log.head().await.unwrap();
    roll_back(&world).await;
    let other = Backplane::connect(&world.stores.redis_url(), options()).unwrap();
    testing::eventually("it is connected", async || other.is_connected()).await;
    // At the position of the lost event, by a process that does not know of it.
    other.log.append(&[entry("2")]).await.unwrap();
    assert_eq!(world.backplane.log.head().await.unwrap(), before);
    world.append(&["3"]).await;
    let after = world.backplane.log.head().await.unwrap();
    assert!(after.epoch != before.epoch && after.seq == 1, "{after:?}");
}

/// The event was chosen before the log was lost. Another process may have published it, and later ones, since.
#[tokio::test]
async fn the_first_append_to_a_log_that_has_begun_anew_publishes_nothing() {
    let world = World::start(Backend::Real).await;
    world.append(&["1"]).await;
    let mut redis = world.stores.redis().connect().await;
    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    let late = [entry("late")];
    let appended = world.backplane.log.append(&late).await;
    assert!(matches!(appended, Err(backplane::Error::LogChanged)), "{appended:?}");
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 0);
    world.backplane.log.append(&late).await.unwrap();
    assert_eq!(world.backplane.log.head().await.unwrap().seq, 1);
}

/// A replica passes on the announcements of its new primary, so that no connection has to break.
#[tokio::test]
async fn another_event_at_the_last_position_shows_that_the_log_was_rolled_back() {
    let world = World::start(Backend::Real).await;
    world.append(&["1"]).await;
    // A process that connects to a log that exists knows its secret, and needs not read the log to trust it.
    let reader = Backplane::connect(&world.stores.redis_url(), options()).unwrap();
    testing::eventually("it is connected", async || reader.is_connected()).await;
    let mut feed = begun(&reader).await;
    world.append(&["lost"]).await;
    assert_eq!(next_name(&mut feed).await, "lost");
    let other = Backplane::connect(&world.stores.redis_url(), options()).unwrap();
    testing::eventually("it is connected", async || other.is_connected()).await;
    roll_back(&world).await;
    other.log.append(&[entry("2")]).await.unwrap();
    assert_eq!(next_reset(&mut feed).await.1, backplane::ResetReason::LogLost);
    world.append(&["3"]).await;
    assert_eq!(next_name(&mut feed).await, "3");
}

/// Two failovers in a row can bring back an epoch that ended, without the event for which it ended.
#[tokio::test]
async fn an_epoch_that_ended_and_is_back_ends_again() {
    let world = World::start(Backend::Real).await;
    world.append(&["1"]).await;
    let first = world.backplane.log.head().await.unwrap();
    let mut redis = world.stores.redis().connect().await;
    // The state of a replica that missed the next event.
    let dump = redis::Script::new(
        "local saved = {} \
         for _, key in ipairs(redis.call('KEYS', '*log*')) do \
           saved[#saved + 1] = key saved[#saved + 1] = redis.call('DUMP', key) \
         end return saved",
    );
    let saved: Vec<Vec<u8>> = dump.invoke_async(&mut redis).await.unwrap();
    world.append(&["lost"]).await;
    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    world.append(&["2"]).await;
    let second = world.backplane.log.head().await.unwrap();
    assert_ne!(second.epoch, first.epoch);

    redis::cmd("FLUSHALL").exec_async(&mut redis).await.unwrap();
    for pair in saved.chunks(2) {
        redis::cmd("RESTORE").arg(&pair[0]).arg(0).arg(&pair[1]).exec_async(&mut redis).await.unwrap();
    }
    // A reader that was cut off all the time is still in the first epoch.
    let reader = Backplane::connect(&world.stores.redis_url(), options()).unwrap();
    testing::eventually("it is connected", async || reader.is_connected()).await;
    let mut feed = reader.feed();
    assert_eq!(next_reset(&mut feed).await.0, first);
    world.append(&["3"]).await;
    let (position, reason) = next_reset(&mut feed).await;
    assert_eq!(reason, backplane::ResetReason::LogLost);
    assert!(![&first.epoch, &second.epoch].contains(&&position.epoch), "{position:?}");
    world.append(&["4"]).await;
    // The reset may have come before or after "3".
    let next = next_name(&mut feed).await;
    assert!(next == "4" || next == "3" && next_name(&mut feed).await == "4", "{next}");
}
