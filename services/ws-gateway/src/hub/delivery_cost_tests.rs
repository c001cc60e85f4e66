//! The cost of a broadcast, checked by counting and not by the clock: encoded once, no allocation for an idle socket,
//! one wake and one write for all queued frames, nothing for sockets that receive nothing.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use allocation_counter::measure;
use backplane::{Message, Position, ResetReason};
use clap::Parser;
use contracts::events::auth::EndReason;
use contracts::{Claims, Clock, Holder, Role};
use identity::{Keys, Revocations, Verifier};
use prometheus::Registry;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

use super::{Hub, Inbox, Item, Member, Subscriber};
use crate::Config;
use crate::catalogue::{Catalogue, Event, Translator};
use crate::metrics::Metrics;
use crate::outbound::{Outbound, QUEUE_BYTES, Written};
use crate::protocol::{Ending, NamespaceKind};

struct Crowd {
    translator: Translator,
    hub: Arc<Hub>,
    sockets: Vec<(Arc<Socket>, Arc<Wakes>)>,
    published: u64,
}

/// A connection that is only a queue.
struct Socket(Outbound);

impl Subscriber for Socket {
    fn outbound(&self) -> &Outbound {
        &self.0
    }

    fn ip(&self) -> Option<IpAddr> {
        None
    }

    fn is_plain(&self) -> bool {
        true
    }

    fn has_answered_since(&self, _: Instant) -> bool {
        false
    }

    fn close(self: Arc<Self>, _: Ending) {}

    fn revoke(self: Arc<Self>, _: &str, _: EndReason) {}

    fn fall_behind(self: Arc<Self>, _: &Arc<str>, _: Position) {}

    fn run_timers(self: Arc<Self>, _: Instant) {}
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Crowd {
    /// `size` sockets, each of a user of its own, all subscribed to `drifts`; every third one speaks
    /// plain, the others Socket.IO in one of its namespaces.
    fn gather(size: usize) -> Self {
        let (metrics, clock) = (Arc::new(Metrics::register(&Registry::new()).unwrap()), Clock::system());
        let Config { keys, .. } =
            Config::parse_from(["", "--redis-url", "", "--jwt-access-secret", "of a test"]);
        let keys = Arc::new(Keys::load(&keys, false).unwrap());
        let revocations = Revocations::new(clock.clone(), Duration::from_secs(900));
        let verifier = Verifier::new(keys, revocations, clock.clone(), false);
        let hub = Arc::new(Hub::new(Arc::clone(&metrics), clock.clone(), verifier));
        hub.reset(Position { epoch: "e".into(), seq: 0 }, ResetReason::Started);
        let catalogue = Arc::new(Catalogue::load(None).unwrap());
        let translator = Translator { catalogue, metrics, clock, recoverable: true };
        let mut crowd = Self { translator, hub, sockets: Vec::new(), published: 0 };
        let kinds = [NamespaceKind::Plain, NamespaceKind::Root, NamespaceKind::Dashboard];
        for (number, kind) in (0..size).zip(kinds.iter().cycle()) {
            crowd.add(number, *kind);
        }
        crowd.write_all();
        crowd
    }

    fn add(&mut self, number: usize, kind: NamespaceKind) {
        let socket = Arc::new(Socket(Outbound::web_socket(QUEUE_BYTES)));
        let id: Arc<str> = format!("socket-{number}").into();
        let claims = claims(number);
        let subscriber = Arc::<Socket>::clone(&socket);
        let member = Member::new(id, kind, &claims, subscriber, &self.translator.clock);
        self.hub.join(member, &["drifts".into()], |_, _| Some(())).unwrap().unwrap();
        self.sockets.push((socket, Arc::default()));
    }

    /// A new drift, in two rooms of every socket.
    fn event(&mut self) -> Arc<Event> {
        self.published += 1;
        self.prepare(
            "drift:created",
            json!({ "id": self.published.to_string(), "resourceId": "i-0abc" }),
            None,
        )
    }

    fn prepare(&self, channel: &str, payload: serde_json::Value, user: Option<String>) -> Arc<Event> {
        let envelope = json!({
            "eventId": Uuid::now_v7(), "type": channel, "timestamp": "2026-01-01T00:00:00Z",
            "payload": payload, "userId": user, "seq": self.published, "epoch": "e",
        })
        .to_string();
        let (size, envelope) = (envelope.len(), serde_json::from_str(&envelope).unwrap());
        let position = Some(Position { epoch: "e".into(), seq: self.published });
        Arc::new(self.translator.event(&Message { channel: channel.into(), envelope, position, size }))
    }

    fn deliver(&self, event: &Arc<Event>) {
        self.hub.deliver(event).iter().for_each(|subscriber| subscriber.outbound().write_now());
    }

    /// Writes the queues of all sockets to a kernel that accepts everything. Returns the addresses of the pieces of
    /// each write.
    fn write_all(&self) -> Vec<Vec<Vec<*const u8>>> {
        let write = |(socket, wakes): &(Arc<Socket>, Arc<Wakes>)| {
            let waker = Waker::from(Arc::clone(wakes));
            let mut writes = Vec::new();
            let written = socket.0.write_queued(0, &Context::from_waker(&waker), |pieces| {
                writes.push(pieces.iter().map(|piece| piece.as_ptr()).collect());
                Ok(pieces.iter().map(|piece| piece.len()).sum())
            });
            assert_eq!(written.unwrap(), Written::All);
            writes
        };
        self.sockets.iter().map(write).collect()
    }
}

fn claims(number: usize) -> Claims {
    let holder = Holder {
        subject: format!("user-{number}"),
        email: "someone@example.com".into(),
        role: Role::Viewer,
        account_id: None,
        generation: 0,
        session: Uuid::now_v7(),
    };
    let now = Clock::system().now();
    Claims::access(holder, now, now + chrono::TimeDelta::hours(1))
}

#[tokio::test]
async fn an_event_is_encoded_once_for_each_namespace_kind_and_its_bytes_are_shared() {
    let mut crowd = Crowd::gather(300);
    let event = crowd.event();
    crowd.deliver(&event);
    let writes = crowd.write_all();
    assert!(writes.iter().all(|writes| writes.len() == 1 && writes[0].len() == 1));
    assert_eq!(writes.iter().flatten().flatten().collect::<HashSet<_>>().len(), 3);
}

#[tokio::test]
async fn a_delivery_allocates_nothing_for_an_idle_socket() {
    const SIZE: usize = 999;
    let mut crowd = Crowd::gather(SIZE);
    let first = crowd.event();
    crowd.deliver(&first);
    crowd.write_all();
    let event = crowd.event();
    let delivered = measure(|| crowd.deliver(&event));
    // The frames of three namespace kinds, the lookups of the metrics, and the list of idle sockets.
    let of_the_event = 40;
    assert!(delivered.count_total <= of_the_event, "{delivered:?}");
    let next = crowd.event();
    let queued_behind = measure(|| crowd.deliver(&next));
    assert!(queued_behind.count_total <= SIZE as u64 + of_the_event, "{queued_behind:?}");
    assert!(crowd.write_all().iter().all(|writes| writes[0].len() == 2));
}

#[tokio::test]
async fn a_burst_is_one_wake_and_one_write_for_each_socket() {
    let mut crowd = Crowd::gather(30);
    for _ in 0..100 {
        let event = crowd.event();
        crowd.deliver(&event);
    }
    assert!(crowd.sockets.iter().all(|(_, wakes)| wakes.0.load(Ordering::Relaxed) == 1));
    let writes = crowd.write_all();
    assert!(writes.iter().all(|writes| writes.len() == 1 && writes[0].len() == 100));
}

#[tokio::test]
async fn an_event_for_one_user_costs_the_same_in_a_crowd() {
    let mut cost = Vec::new();
    for size in [10, 2_000] {
        let crowd = Crowd::gather(size);
        let payload = json!({ "userId": "user-7", "sessionId": Uuid::nil() });
        let event = crowd.prepare("auth:user.login", payload, Some("user-7".into()));
        crowd.deliver(&event);
        cost.push(measure(|| crowd.deliver(&event)).count_total);
        let woken = crowd.sockets.iter().filter(|(_, wakes)| wakes.0.load(Ordering::Relaxed) > 0);
        assert_eq!(woken.count(), 1);
    }
    assert_eq!(cost[0], cost[1]);
}

#[tokio::test]
async fn a_socket_that_leaves_a_crowd_leaves_the_others_where_they_are() {
    let crowd = Crowd::gather(100);
    for number in (0..100).step_by(3) {
        crowd.hub.leave(&format!("socket-{number}"));
        crowd.hub.unsubscribe(&format!("socket-{}", number + 1), "drifts");
    }
    let event = crowd.prepare("drift:updated", json!({ "id": "1" }), None);
    crowd.deliver(&event);
    let heard: Vec<_> = crowd.write_all().iter().map(Vec::len).collect();
    assert!(heard.iter().enumerate().all(|(number, writes)| *writes == usize::from(number % 3 == 2)));
    assert_eq!(crowd.hub.sockets().len(), 66);
    for number in 0..100 {
        crowd.hub.leave(&format!("socket-{number}"));
    }
    assert!(crowd.hub.lock().rooms.members("drifts").is_empty());
}

#[tokio::test]
async fn an_event_for_few_wakes_only_them_and_waits_for_those_before_it() {
    let crowd = Crowd::gather(100);
    let (items, mut waiting) = mpsc::channel(8);
    let inbox = Inbox { hub: Arc::clone(&crowd.hub), items };
    let for_one = || {
        let payload = json!({ "userId": "user-7", "sessionId": Uuid::nil() });
        Item::Event(crowd.prepare("auth:user.login", payload, Some("user-7".into())))
    };
    inbox.send(for_one(), false).await;
    assert!(waiting.try_recv().is_err());
    assert_eq!(crowd.write_all().iter().flatten().count(), 1);

    let for_all = Item::Event(crowd.prepare("drift:updated", json!({ "id": "1" }), None));
    inbox.send(for_all, false).await;
    inbox.send(for_one(), false).await;
    assert_eq!(crowd.write_all().iter().flatten().count(), 0);
    let left = [waiting.try_recv(), waiting.try_recv()].map(|item| match item {
        Ok(Item::Event(event)) => event.label.to_string(),
        _ => String::new(),
    });
    assert_eq!(left, ["drift:*", "auth:*"]);
}
