//! One conformance suite for every backplane, and the faults that only Redis has.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod cancelling;
mod cluster;
mod drivers;
mod failover;
mod faults;
mod health;
mod keys;
mod log;
mod marks;
mod positions;
mod prefixes;
mod server_check;
mod tls;

use std::time::Duration;

use backplane::{Backplane, Entry, Feed, FeedItem, Mark, Message, Options, Position};
use contracts::{Clock, Tasks};
use testing::{Backend, Stores};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A backplane for one test, and its private stores.
struct World {
    stores: Stores,
    clock: Clock,
    backplane: Backplane,
}

impl World {
    async fn start(backend: Backend) -> Self {
        Self::with(backend, |_| {}).await
    }

    async fn with(backend: Backend, adjust: impl FnOnce(&mut Options)) -> Self {
        let stores = backend.start().await;
        let clock = Clock::system();
        let mut options = Options { clock: clock.clone(), ..options() };
        options.channels = vec!["orders:*".into()];
        adjust(&mut options);
        let backplane = Backplane::connect(&stores.redis_url(), options).unwrap();
        testing::eventually("the backplane is heard", async || backplane.is_connected()).await;
        Self { stores, clock, backplane }
    }

    async fn append(&self, names: &[&str]) {
        let entries = names.iter().map(|name| entry(name)).collect::<Vec<_>>();
        append(&self.backplane, &entries).await;
    }
}

/// Appends as an outbox does, which tries again if the log has begun anew.
async fn append(backplane: &Backplane, entries: &[Entry]) {
    loop {
        match backplane.log.append(entries).await {
            Err(backplane::Error::LogChanged) => {}
            appended => return appended.unwrap(),
        }
    }
}

fn options() -> Options {
    Options::new(Clock::system(), Tasks::new(CancellationToken::new()))
}

/// An event on `drift:created` that carries a name.
fn entry(name: &str) -> Entry {
    let event_id = Uuid::now_v7();
    let envelope = format!(
        r#"{{"eventId":"{event_id}","type":"drift:created","timestamp":"{}","payload":{{"name":"{name}"}}}}"#,
        Clock::system().now().to_rfc3339()
    );
    Entry { event_id, channel: "drift:created".into(), envelope, marks: Vec::new() }
}

fn mark(value: &str, clock: &Clock, seconds: i64) -> Mark {
    Mark { value: value.into(), expires_at: clock.now() + chrono::TimeDelta::seconds(seconds) }
}

fn name(message: &Message) -> String {
    let payload: serde_json::Value = serde_json::from_str(message.envelope.payload.get()).unwrap();
    payload["name"].as_str().unwrap().to_owned()
}

/// Returns the next item. Fails if the feed stays silent: then it has lost something.
async fn next(feed: &mut Feed) -> FeedItem {
    tokio::time::timeout(Duration::from_secs(20), feed.next()).await.unwrap()
}

async fn next_name(feed: &mut Feed) -> String {
    loop {
        match next(feed).await {
            FeedItem::Message(message) => return name(&message),
            FeedItem::MarksChanged => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn next_reset(feed: &mut Feed) -> (Position, backplane::ResetReason) {
    loop {
        if let FeedItem::Reset { position, reason } = next(feed).await {
            return (position, reason);
        }
    }
}

/// Returns a feed that has delivered its first reset.
async fn begun(backplane: &Backplane) -> Feed {
    let mut feed = backplane.feed();
    next_reset(&mut feed).await;
    feed
}
