//! Models of the hand-over from the drivers to a feed: threads that announce while a feed reads the log, in many
//! interleavings.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::{LazyLock, PoisonError};
use std::task::Poll;

use async_trait::async_trait;
use testing::interleavings::{JoinHandle, block_on, check, random, spawn, yield_now};
use uuid::Uuid;

use super::*;
use crate::locks::{Mutex, MutexGuard};
use crate::{Announcer, Entry, LogRead, ResetReason, Result};

const LOGGED: &str = "drift:updated";
const UNLOGGED: &str = "drift:of-a-stranger";
/// More events than one page of the log has.
const MANY: u64 = 1_020;

/// Events that all interleavings share, to save time.
static EVENTS: LazyLock<Vec<Arc<Message>>> =
    LazyLock::new(|| (1..=MANY).map(|seq| Arc::new(entry(LOGGED, seq).at(&at(seq)).unwrap())).collect());

fn at(seq: u64) -> Position {
    Position { epoch: "e".into(), seq }
}

fn entry(channel: &str, payload: u64) -> Entry {
    let event_id = Uuid::now_v7();
    let envelope = format!(
        r#"{{"eventId":"{event_id}","type":"{channel}","timestamp":"2026-01-01T00:00:00Z","payload":{payload}}}"#
    );
    Entry { event_id, channel: channel.into(), envelope, marks: Vec::new() }
}

/// A log with the first of [`EVENTS`]. A reader waits for its responses, and events are announced after they were
/// appended, as on Redis.
#[derive(Clone)]
struct World {
    announcer: Announcer,
    appended: Arc<Mutex<u64>>,
    announced: Arc<Mutex<u64>>,
    reads: Arc<Mutex<u64>>,
}

impl World {
    /// Starts with events in the log, and queues with room for `messages`.
    fn new(appended: u64, messages: usize) -> Self {
        let announcer = Announcer::with_limit(messages * (EVENTS[0].size + 256));
        let [appended, announced] = [appended, appended].map(|seq| Arc::new(Mutex::new(seq)));
        Self { announcer, appended, announced, reads: Arc::default() }
    }

    fn append(&self, events: u64) {
        *lock(&self.appended) += events;
    }

    /// Announces the events that are not announced yet, in their order. A connection that breaks loses them.
    fn announce(&self, is_connected: bool) {
        let mut announced = lock(&self.announced);
        let appended = *lock(&self.appended);
        for seq in *announced..appended {
            if is_connected {
                self.announcer.appended(Arc::clone(&EVENTS[seq as usize]));
            }
        }
        *announced = appended;
    }

    fn feed(&self) -> Feed {
        Feed::new(Arc::new(self.clone()), self.announcer.subscribe(true))
    }

    /// Publishes messages that are not logged.
    fn publisher(&self, messages: u64) -> JoinHandle<()> {
        let announcer = self.announcer.clone();
        spawn(move || {
            for number in 1..=messages {
                announcer.received(UNLOGGED.into(), entry(UNLOGGED, number).envelope, None);
            }
        })
    }

    /// Loses the connection, and with it announcements of events.
    fn breaker(&self, events: u64) -> JoinHandle<()> {
        let world = self.clone();
        spawn(move || {
            world.append(events);
            world.announce(false);
            world.announcer.reconnected();
        })
    }

    /// Appends events, and announces each of them with those of other threads. Loses some announcements.
    fn appender(&self, events: u64) -> JoinHandle<()> {
        let world = self.clone();
        spawn(move || {
            for _ in 0..events {
                world.append(1);
                world.announce(random(4) > 0);
            }
        })
    }
}

fn lock(number: &Mutex<u64>) -> MutexGuard<'_, u64> {
    number.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Log for World {
    async fn append(&self, _: &[Entry]) -> Result<()> {
        unreachable!()
    }

    async fn broadcast(&self, _: &str, _: &str) -> Result<usize> {
        unreachable!()
    }

    async fn head(&self) -> Result<Position> {
        yield_now().await;
        let head = at(*lock(&self.appended));
        yield_now().await;
        Ok(head)
    }

    async fn read_after(&self, after: &Position, _: Option<Uuid>, limit: usize) -> Result<LogRead> {
        *lock(&self.reads) += 1;
        yield_now().await;
        let appended = *lock(&self.appended) as usize;
        yield_now().await;
        Ok(LogRead::Events(EVENTS[after.seq as usize..appended].iter().take(limit).cloned().collect()))
    }
}

/// Returns the next item. Cancels the call a few times while it waits, and calls again.
async fn next(feed: &mut Feed) -> FeedItem {
    for _ in 0..random(3) {
        let mut next = pin!(feed.next());
        let item = poll_fn(|cx| match next.as_mut().poll(cx) {
            Poll::Pending if random(2) == 0 => Poll::Ready(None),
            polled => polled.map(Some),
        });
        if let Some(item) = item.await {
            return item;
        }
        yield_now().await;
    }
    feed.next().await
}

/// The items of a feed in the order of their delivery.
#[derive(Default)]
struct Delivered {
    begun_at: u64,
    seqs: Vec<u64>,
    /// The payloads of unlogged messages.
    unlogged: Vec<u64>,
    lost: u64,
}

/// Follows a feed up to an event and to so many unlogged messages.
fn follower(mut feed: Feed, last: u64, unlogged: u64) -> JoinHandle<Delivered> {
    spawn(move || {
        block_on(async {
            let mut delivered = Delivered::default();
            loop {
                match next(&mut feed).await {
                    FeedItem::Reset { position, reason: ResetReason::Started } => {
                        assert!(delivered.seqs.is_empty());
                        delivered.begun_at = position.seq;
                    }
                    FeedItem::Message(message) => match &message.position {
                        Some(position) => delivered.seqs.push(position.seq),
                        None => delivered.unlogged.push(message.envelope.payload.get().parse().unwrap()),
                    },
                    FeedItem::Lost { messages } => delivered.lost += messages,
                    FeedItem::MarksChanged => {}
                    other => panic!("{other:?}"),
                }
                let at = delivered.seqs.last().copied().unwrap_or(delivered.begun_at);
                if at >= last && delivered.unlogged.len() as u64 + delivered.lost == unlogged {
                    while let Some(left_over) = feed.next().now_or_never() {
                        assert!(!matches!(left_over, FeedItem::Message(_)), "{left_over:?}");
                    }
                    return delivered;
                }
            }
        })
    })
}

fn assert_complete(followers: impl IntoIterator<Item = JoinHandle<Delivered>>, last: u64) {
    for follower in followers {
        let delivered = follower.join().unwrap();
        assert!(delivered.seqs.iter().copied().eq(delivered.begun_at + 1..=last), "{:?}", delivered.seqs);
        assert!(delivered.unlogged.is_sorted_by(|one, next| one < next), "{:?}", delivered.unlogged);
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn events_that_are_announced_while_feeds_read_the_log_and_are_cancelled_are_delivered_once_in_order() {
    check("hand-over to feeds", 500, || {
        let begun = random(3) as u64;
        let world = World::new(begun, random(4));
        let followers = [(), ()].map(|()| follower(world.feed(), begun + 5, 0));
        join([world.appender(2), world.appender(2)]);
        world.append(1);
        world.announce(true);
        assert_complete(followers, begun + 5);
    });
}

#[test]
fn a_feed_delivers_what_a_broken_connection_lost_and_counts_unlogged_messages_that_do_not_fit() {
    check("hand-over to a feed over a broken connection", 500, || {
        let world = World::new(0, random(4));
        let following = follower(world.feed(), 4, 3);
        join([world.appender(2), world.breaker(2), world.publisher(3)]);
        world.announcer.reconnected();
        assert_complete([following], 4);
    });
}

#[test]
fn a_feed_that_missed_more_than_a_page_delivers_all_of_it_before_newer_events() {
    check("hand-over to a feed that missed many events", 25, || {
        let world = World::new(0, 8);
        let following = follower(world.feed(), MANY, 0);
        join([world.breaker(MANY - 2), world.appender(2)]);
        world.announcer.reconnected();
        assert_complete([following], MANY);
    });
}

#[test]
fn a_read_of_the_log_that_is_cancelled_goes_on() {
    check("cancelled read of the log", 200, || {
        let world = World::new(1, 0);
        assert_complete([(), ()].map(|()| follower(world.feed(), 1, 0)), 1);
        assert_eq!(*lock(&world.reads), 2);
    });
}
