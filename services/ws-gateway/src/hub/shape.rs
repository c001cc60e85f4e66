//! What makes a broadcast cheap, held by counting and not by the clock: encoded once, no allocation
//! for an idle socket, one wake and one write for all that is queued, nothing for those who hear nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use allocation_counter::measure;
use backplane::{Message, ResetReason};
use clap::Parser;
use contracts::{Claims, Clock, Holder, Role};
use serde_json::json;
use web::Platform;

use super::*;
use crate::authorise::Peer;
use crate::outbound::Written;
use crate::{Config, Gateway};

struct Crowd {
    gateway: Arc<Gateway>,
    hub: Arc<Hub>,
    sockets: Vec<(Arc<Connection>, Arc<Wakes>)>,
    heard: u64,
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Crowd {
    /// So many sockets, each of a user of its own, all subscribed to `drifts`; every third one speaks
    /// plain, the others Socket.IO in one of its namespaces.
    fn gather(size: usize) -> Self {
        let config = ["ws-gateway", "--redis-url", "memory:", "--jwt-access-secret", "of a test"];
        let Config { http, keys, settings, .. } = Config::parse_from(config);
        let clock = Clock::system();
        let platform = Platform::connect("shape", http, &keys, "memory:", vec![], clock).unwrap();
        let gateway = Arc::new(Gateway::new(platform, settings).unwrap());
        let (Inbox { hub, .. }, _) = Hub::create();
        hub.reset(&gateway, Position { epoch: "e".into(), seq: 0 }, ResetReason::Started);
        let mut crowd = Self { gateway, hub, sockets: Vec::new(), heard: 0 };
        for (number, form) in (0..size).zip([Form::Plain, Form::Root, Form::Dashboard].iter().cycle()) {
            crowd.add(number, *form);
        }
        crowd.write_all();
        crowd
    }

    fn add(&mut self, number: usize, form: Form) {
        let (gateway, hub) = (&self.gateway, &self.hub);
        let connection = Connection::plain(gateway, hub, Peer::default());
        let id: Arc<str> = format!("socket-{number}").into();
        let claims = claims(number);
        let rooms = [own_rooms(&claims), vec!["drifts".into()]].concat();
        let member = Member::new(id, form, claims, Arc::clone(&connection), gateway.clock());
        hub.join(member, &rooms, |_, _| {}).unwrap();
        self.sockets.push((connection, Arc::default()));
    }

    /// A new drift as it is heard: in two rooms of everybody.
    fn event(&mut self) -> Arc<Event> {
        self.heard += 1;
        self.prepare("drift:created", json!({ "id": self.heard.to_string(), "resourceId": "i-0abc" }), None)
    }

    fn prepare(&self, channel: &str, payload: serde_json::Value, user: Option<String>) -> Arc<Event> {
        let envelope = json!({
            "eventId": Uuid::now_v7(), "type": channel, "timestamp": "2026-01-01T00:00:00Z",
            "payload": payload, "userId": user, "seq": self.heard, "epoch": "e",
        })
        .to_string();
        let (size, envelope) = (envelope.len(), serde_json::from_str(&envelope).unwrap());
        let position = Some(Position { epoch: "e".into(), seq: self.heard });
        Arc::new(self.gateway.prepare(&Message { channel: channel.into(), envelope, position, size }))
    }

    fn deliver(&self, event: &Arc<Event>) {
        self.hub.deliver(&self.gateway, event).iter().for_each(|connection| connection.outbound.write_now());
    }

    /// Every socket writes as if its kernel took everything: the pieces of each write, as addresses.
    fn write_all(&self) -> Vec<Vec<Vec<*const u8>>> {
        let write = |(connection, wakes): &(Arc<Connection>, Arc<Wakes>)| {
            let waker = Waker::from(Arc::clone(wakes));
            let mut writes = Vec::new();
            let written = connection.outbound.write_queued(0, &Context::from_waker(&waker), |pieces| {
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
async fn an_event_is_encoded_once_for_each_form_and_its_bytes_are_shared() {
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
    // The frames of three forms, what the metrics look up, and the list of the idle.
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
async fn whoever_leaves_a_crowd_leaves_the_others_where_they_are() {
    let crowd = Crowd::gather(100);
    for number in (0..100).step_by(3) {
        crowd.hub.leave(&format!("socket-{number}"));
        crowd.hub.unsubscribe(&format!("socket-{}", number + 1), "drifts");
    }
    let event = crowd.prepare("drift:updated", json!({ "id": "1" }), None);
    crowd.deliver(&event);
    let heard: Vec<_> = crowd.write_all().iter().map(Vec::len).collect();
    assert!(heard.iter().enumerate().all(|(number, writes)| *writes == usize::from(number % 3 == 2)));
    assert_eq!(crowd.hub.all().len(), 66);
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
    inbox.hand(&crowd.gateway, for_one(), false).await;
    assert!(waiting.try_recv().is_err());
    assert_eq!(crowd.write_all().iter().flatten().count(), 1);

    let for_all = Item::Event(crowd.prepare("drift:updated", json!({ "id": "1" }), None));
    inbox.hand(&crowd.gateway, for_all, false).await;
    inbox.hand(&crowd.gateway, for_one(), false).await;
    assert_eq!(crowd.write_all().iter().flatten().count(), 0);
    let left = [waiting.try_recv(), waiting.try_recv()].map(|item| match item {
        Ok(Item::Event(event)) => event.label.to_string(),
        _ => String::new(),
    });
    assert_eq!(left, ["drift:*", "auth:*"]);
}
