//! Models of dispatch: the relay and the hub's own thread deliver, while sockets enter, fall behind, catch up and
//! close. Connections, hub and queues are the real ones; only the stream to the client is not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backplane::{Position, ResetReason};
use contracts::Claims;
use testing::interleavings::{AtomicUsize, JoinHandle, block_on, check, pause, random, spawn};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::connection::{Connection, Services};
use super::enter::{Entrance, enter};
use super::enter_tests::{claims, connect};
use super::execute::execute_now;
use super::replay::go_live;
use crate::State;
use crate::admission::Peer;
use crate::catalogue::{Event, user_room};
use crate::hub::{Hears, Hub, Inbox, Item, Subscriber};
use crate::outbound::wire_of_models::{Wire, texts};
use crate::protocol::engineio::Transport;
use crate::protocol::{Ending, NamespaceKind};
use crate::random_id::random_id;

const EVENTS: u64 = 8;
/// Room for the first packet, or for a few events.
const QUEUE_BYTES: usize = 160;
const ROOM: usize = 60;
/// So many times in the same room, a socket counts as many recipients.
const MANY: usize = 20;

#[derive(Clone)]
struct World {
    services: Arc<Services>,
    claims: Claims,
    epoch: Arc<str>,
}

/// A connection, and the position at which each of its sockets entered.
struct Client {
    connection: Arc<Connection>,
    wire: Arc<Wire>,
    serving: JoinHandle<()>,
    sockets: Vec<(NamespaceKind, u64)>,
}

impl World {
    fn new(state: &State) -> Self {
        let (metrics, clock) = (Arc::clone(&state.metrics), state.platform.clock().clone());
        let hub = Hub::new(Arc::clone(&metrics), clock.clone(), state.platform.tokens().verifier.clone());
        let services = Services {
            hub: Arc::new(hub),
            admission: Arc::clone(&state.admission),
            recovery: Arc::clone(&state.recovery),
            cluster: Arc::clone(&state.cluster),
            sessions: Arc::clone(&state.sessions),
            settings: Arc::clone(&state.settings),
            metrics,
            clock,
            tasks: state.platform.lifecycle().tasks.clone(),
            stop: state.platform.lifecycle().stop.clone(),
            queue_bytes: QUEUE_BYTES,
            #[cfg(feature = "conformance")]
            suite: None,
        };
        Self {
            services: Arc::new(services),
            claims: claims(Uuid::now_v7()),
            epoch: Uuid::now_v7().simple().to_string()[..4].into(),
        }
    }

    fn at(&self, seq: u64) -> Position {
        Position { epoch: Arc::clone(&self.epoch), seq }
    }

    fn event(&self, seq: u64) -> Arc<Event> {
        let mut event = Event::example(self.at(seq));
        event.rooms = vec![user_room(&self.claims.user_id); if random(2) == 0 { 1 } else { MANY }];
        event.into()
    }

    /// Starts the hub's own thread, and the relay.
    fn relay(&self) -> [JoinHandle<()>; 2] {
        let (items, received) = mpsc::channel(8);
        let hub = Arc::clone(&self.services.hub);
        let running = spawn(move || block_on(hub.run(Duration::from_secs(1), received)));
        let world = self.clone();
        let relaying = spawn(move || {
            let inbox = Inbox { hub: Arc::clone(&world.services.hub), items };
            let reset = Item::Reset { position: world.at(0), reason: ResetReason::Started };
            block_on(inbox.send(reset, false));
            for seq in 1..=EVENTS {
                let event = world.event(seq);
                world.services.recovery.history.add(&event);
                block_on(inbox.send(Item::Event(event), random(2) == 0));
            }
        });
        [running, relaying]
    }

    /// Opens a connection, and lets its sockets in.
    fn client(&self, kinds: &'static [NamespaceKind]) -> JoinHandle<Client> {
        let world = self.clone();
        spawn(move || {
            let (connection, effects) =
                Connection::socket_io(&world.services, Peer::default(), Transport::WebSocket);
            execute_now(&connection, effects);
            let (wire, serving) = Wire::open(&connection, |connection| &connection.outbound, 0, ROOM);
            let sockets = kinds.iter().filter_map(|kind| Some((*kind, world.enter(&connection, *kind)?)));
            let sockets = sockets.collect();
            Client { connection, wire, serving, sockets }
        })
    }

    /// Lets a socket in, which is live at once or only later. Returns the position at which it entered; `None` if its
    /// connection has ended.
    fn enter(&self, connection: &Arc<Connection>, kind: NamespaceKind) -> Option<u64> {
        let (mut begun, claims, socket) = (None, &self.claims, random_id());
        let is_live = random(2) == 0;
        let hears = if is_live { Hears::Everything } else { Hears::Unlogged };
        let entrance = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: None };
        block_on(enter(connection, entrance, |position, _| begun = Some(position.clone()))).ok()?;
        let begun = begun?;
        let seq = begun.seq;
        if !is_live {
            block_on(go_live(connection, kind, &socket, begun));
        }
        Some(seq)
    }
}

impl Client {
    fn has_all(&self, written: &[u8]) -> bool {
        let texts = texts(written).0;
        self.sockets.iter().all(|(kind, begun)| seqs(&texts, *kind).len() as u64 >= EVENTS - begun)
    }

    /// Closes the connection. Each of its sockets must have received the events after it entered, each once and in
    /// order. If the connection was closed before, the last ones may be missing.
    fn close(self) {
        let is_closed = self.connection.outbound.is_closing();
        Arc::clone(&self.connection).close(Ending::Slow);
        self.serving.join().unwrap();
        let texts = self.wire.texts();
        for (kind, begun) in self.sockets {
            let (received, expected) = (seqs(&texts, kind), (begun + 1..=EVENTS).collect::<Vec<_>>());
            let is_right = if is_closed { expected.starts_with(&received) } else { received == expected };
            assert!(is_right, "{received:?} instead of {expected:?}");
        }
    }
}

/// The positions of the events among messages.
fn seqs(texts: &[String], kind: NamespaceKind) -> Vec<u64> {
    let start = if kind == NamespaceKind::Root { "42[\"" } else { "42/dashboard,[\"" };
    let events = texts.iter().filter_map(|text| text.strip_prefix(start));
    events
        .map(|event| {
            assert!(event.starts_with("example"), "{event}");
            event.rsplit_once(':').unwrap().1.trim_end_matches("\"]").parse().unwrap()
        })
        .collect()
}

/// Runs the tasks of the connections, until none is left.
fn run_tasks(runtime: &Arc<Runtime>, of_state: usize, done: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (runtime, done) = (Arc::clone(runtime), Arc::clone(done));
    spawn(move || {
        runtime.block_on(async {
            while done.load(Ordering::Acquire) == 0 || runtime.metrics().num_alive_tasks() > of_state {
                pause();
                tokio::task::yield_now().await;
            }
        });
    })
}

#[test]
fn each_socket_receives_every_event_after_it_entered_once_in_order_also_if_it_falls_behind() {
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let entered = runtime.enter();
    let state = connect("memory:", &[]);
    runtime.block_on(async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    });
    let of_state = runtime.metrics().num_alive_tasks();
    let running = Arc::clone(&runtime);
    check("hub dispatch", 400, move || {
        let (world, done) = (World::new(&state), Arc::new(AtomicUsize::new(0)));
        let executor = run_tasks(&running, of_state, &done);
        let relay = world.relay();
        let slow = world.client(&[NamespaceKind::Root, NamespaceKind::Dashboard]);
        let closing = world.client(&[NamespaceKind::Root]);
        let closing = closing.join().unwrap();
        Arc::clone(&closing.connection).close(Ending::Slow);
        relay.into_iter().for_each(|thread| thread.join().unwrap());
        let slow = slow.join().unwrap();
        slow.wire.wait_until(|written| slow.has_all(written));
        [slow, closing].into_iter().for_each(Client::close);
        assert!(world.services.hub.sockets().is_empty());
        done.fetch_add(1, Ordering::Release);
        executor.join().unwrap();
    });
    drop(entered);
}
