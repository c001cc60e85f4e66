//! Installations with different prefixes on one Redis share nothing.

use std::time::Duration;

use backplane::{Backplane, Entry, FeedItem, Hold, LogRead, Put};
use contracts::Clock;
use futures_util::StreamExt;
use testing::{Backend, PrivateRedis, eventually};

use super::{World, entry, mark, name, next, next_reset, options};

/// Connects an installation that follows all channels.
async fn install(redis: &PrivateRedis, prefix: &str) -> Backplane {
    let channels = ["ws:*", "auth:*", "acme:*", "gateway:*"].map(Into::into).into();
    let options = backplane::Options { prefix: prefix.parse().unwrap(), channels, ..options() };
    let backplane = Backplane::connect(&redis.url(), options).unwrap();
    eventually("the backplane is heard", async || backplane.is_connected()).await;
    backplane
}

#[tokio::test]
async fn installations_with_different_prefixes_share_nothing() {
    let redis = PrivateRedis::start();
    let minute = Duration::from_secs(60);
    // One prefix is the beginning of another, and one is the name of a channel of the default installation.
    for other in ["acme", "acme-2", "auth", "driftsentry2"] {
        let (ours, theirs) = (install(&redis, "driftsentry").await, install(&redis, other).await);
        let mut feeds = [ours.feed_of_all_channels(), theirs.feed_of_all_channels()];
        let mut starts = Vec::new();
        for feed in &mut feeds {
            starts.push(next_reset(feed).await.0);
        }
        let marks = vec![mark(other, &Clock::system(), 60)];
        theirs.log.append(&[Entry { marks, ..entry("theirs") }]).await.unwrap();
        theirs.log.broadcast("ws:all", &entry("unlogged").envelope).await.unwrap();
        theirs.marks.add(&[mark("alone", &Clock::system(), 60)]).await.unwrap();
        theirs.keys.hit("key", minute).await.unwrap();
        theirs.keys.put(&[Put { key: "key".into(), value: Some("x".into()), ttl: minute }]).await.unwrap();
        theirs.keys.hold(&[Hold { key: "key".into(), holder: "x".into() }], minute).await.unwrap();

        let mut heard = Vec::new();
        while heard.len() < 2 {
            match next(&mut feeds[1]).await {
                FeedItem::Message(message) => heard.push(name(&message)),
                FeedItem::MarksChanged => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(heard, ["theirs", "unlogged"], "{other}");
        ours.log.append(&[entry("ours")]).await.unwrap();
        let FeedItem::Message(first) = next(&mut feeds[0]).await else { panic!("no message") };
        assert_eq!(name(&first), "ours", "{other}");
        assert_eq!(first.position.as_ref().unwrap().seq, starts[0].seq + 1);
        assert!(matches!(ours.log.read_after(&starts[1], None, 9).await.unwrap(), LogRead::Lost));
        assert_eq!(ours.marks.live().await.unwrap(), [""; 0]);
        assert_eq!(theirs.marks.live().await.unwrap().len(), 2);
        assert_eq!(ours.keys.hits("key").await.unwrap(), 0);
        assert_eq!(ours.keys.get("key").await.unwrap(), None);
        assert_eq!(ours.keys.holders("key").await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn every_key_of_an_installation_has_the_same_hash_tag() {
    let world = World::start(Backend::Real).await;
    let (plane, minute) = (&world.backplane, Duration::from_secs(60));
    let marks = vec![mark("ended", &world.clock, 60)];
    let unlogged = Entry { channel: "orders:made".into(), ..entry("unlogged") };
    plane.log.append(&[Entry { marks, ..entry("event") }, unlogged]).await.unwrap();
    plane.keys.hit("a", minute).await.unwrap();
    plane.keys.put(&[Put { key: "b".into(), value: Some("x".into()), ttl: minute }]).await.unwrap();
    plane.keys.hold(&[Hold { key: "c".into(), holder: "x".into() }], minute).await.unwrap();
    let mut redis = world.stores.redis().connect().await;
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    // meta, log, ids, unlogged, marks, count, value, holders, probe
    assert_eq!(keys.len(), 9, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("{driftsentry}:")), "{keys:?}");
}

#[tokio::test]
async fn the_channels_of_another_prefix_carry_it() {
    let redis = PrivateRedis::start();
    let acme = install(&redis, "acme").await;
    let mut feed = acme.feed_of_all_channels();
    next_reset(&mut feed).await;
    let mut listener = redis.pubsub().await;
    listener.psubscribe("*drift:*").await.unwrap();
    acme.log.append(&[entry("event")]).await.unwrap();
    let announced = listener.on_message().next().await.unwrap();
    assert_eq!(announced.get_channel_name(), "{acme}:drift:created");
    // Another back end publishes under the same name, and is heard under the name without the prefix.
    redis.publish_all([("{acme}:drift:created".to_owned(), entry("by another").envelope)]).await;
    for expected in ["event", "by another"] {
        let FeedItem::Message(message) = next(&mut feed).await else { panic!("no message") };
        assert_eq!((message.channel.as_str(), name(&message).as_str()), ("drift:created", expected));
    }
}

#[tokio::test]
async fn the_marks_of_the_first_version_still_count() {
    let world = World::start(Backend::Real).await;
    let mut redis = world.stores.redis().connect().await;
    let (soon, past) = (world.clock.now().timestamp() + 60, world.clock.now().timestamp() - 60);
    let mut old = redis::cmd("ZADD");
    old.arg("driftsentry:marks").arg(soon).arg("ended by 0.1.0").arg(past).arg("expired");
    old.exec_async(&mut redis).await.unwrap();
    world.backplane.marks.add(&[mark("new", &world.clock, 60)]).await.unwrap();
    let mut marks = world.backplane.marks.live().await.unwrap();
    marks.sort();
    assert_eq!(marks, ["ended by 0.1.0", "new"]);
}
