//! A gateway without a server, for models: connections, hub and queues are the real ones; only the streams to the
//! clients are not.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use backplane::{Position, ResetReason};
use contracts::Claims;
use testing::interleavings::{AtomicUsize, JoinHandle, block_on, check, pause, random, spawn};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::yield_now;
use uuid::Uuid;

use super::connection::{Connection, Services};
use super::enter::{Entrance, enter};
use super::enter_tests::{claims, connect};
use super::execute::execute_now;
use super::replay::go_live;
use crate::State;
use crate::admission::Peer;
use crate::catalogue::{Event, user_room};
use crate::client::Effects;
use crate::hub::{Hears, Hub, Inbox, Item, Subscriber};
use crate::outbound::slow_stream::{SlowStream, texts};
use crate::protocol::engineio::Transport;
use crate::protocol::{Ending, NamespaceKind};
use crate::random_id::random_id;

pub(super) const EVENTS: u64 = 8;
/// So many times in the same room, a socket counts as many recipients.
const MANY: usize = 20;

#[derive(Clone)]
pub(super) struct World {
    services: Arc<Services>,
    claims: Claims,
    epoch: Arc<str>,
}

/// A connection and its stream.
pub(super) struct Client {
    world: World,
    pub connection: Arc<Connection>,
    wire: Arc<SlowStream>,
    serving: JoinHandle<()>,
}

/// The positions at which the sockets of a connection entered.
pub(super) type Entered = Vec<(NamespaceKind, u64)>;

impl World {
    fn new(state: &State, queue_bytes: usize) -> Self {
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
            queue_bytes,
            has_old_words: false,
            #[cfg(feature = "conformance")]
            suite: None,
        };
        Self {
            services: Arc::new(services),
            claims: claims(Uuid::now_v7()),
            epoch: format!("{:x}e", random(1 << 16)).into(),
        }
    }

    pub(super) fn at(&self, seq: u64) -> Position {
        Position { epoch: Arc::clone(&self.epoch), seq }
    }

    fn event(&self, seq: u64) -> Arc<Event> {
        let mut event = Event::example(self.at(seq));
        event.rooms = vec![user_room(&self.claims.user_id); if random(2) == 0 { 1 } else { MANY }];
        event.into()
    }

    /// Starts the hub's own thread, and the relay.
    pub(super) fn relay(&self) -> [JoinHandle<()>; 2] {
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

    /// Lets a socket in. Returns it with the position at which it entered; `None` if its connection has ended.
    pub(super) fn enter(
        &self,
        connection: &Arc<Connection>,
        kind: NamespaceKind,
        is_live: bool,
    ) -> Option<(Arc<str>, Position)> {
        let (mut begun, claims, socket) = (None, &self.claims, random_id());
        let hears = if is_live { Hears::Everything } else { Hears::Unlogged };
        let entrance = Entrance { kind, claims, socket: Arc::clone(&socket), hears, kept: None };
        block_on(enter(connection, entrance, |position, _| begun = Some(position.clone()))).ok()?;
        Some((socket, begun?))
    }

    /// Opens a connection of a stock client.
    pub(super) fn stock(&self) -> Client {
        Client::open(self, Connection::socket_io(&self.services, Peer::default(), Transport::WebSocket))
    }

    /// Opens a connection of `/ws`.
    pub(super) fn plain(&self) -> Client {
        Client::open(self, Connection::plain(&self.services, Peer::default()))
    }
}

impl Client {
    fn open(world: &World, (connection, effects): (Arc<Connection>, Effects)) -> Self {
        execute_now(&connection, effects);
        let room = world.services.queue_bytes / 3;
        let (wire, serving) = SlowStream::open(&connection, |connection| &connection.outbound, 0, room);
        Self { world: world.clone(), connection, wire, serving }
    }

    /// Lets sockets in.
    pub(super) fn enter(&self, kinds: &'static [NamespaceKind]) -> JoinHandle<Entered> {
        let (world, connection) = (self.world.clone(), Arc::clone(&self.connection));
        spawn(move || {
            let sockets = kinds.iter().filter_map(|kind| {
                let is_live = random(2) == 0;
                let (socket, begun) = world.enter(&connection, *kind, is_live)?;
                let seq = begun.seq;
                if !is_live {
                    block_on(go_live(&connection, *kind, &socket, begun));
                }
                Some((*kind, seq))
            });
            sockets.collect()
        })
    }

    /// Waits until a socket has received so many events, or the connection has ended.
    pub(super) fn wait_for(&self, kind: NamespaceKind, events: u64) {
        self.wire.wait_until(|written| seqs(&texts(written).0, kind).len() as u64 >= events);
    }

    /// Closes the connection. Returns whether it was closed before, and the messages that it got.
    pub(super) fn close(self) -> (bool, Vec<String>) {
        let was_closed = self.connection.outbound.is_closing();
        Arc::clone(&self.connection).close(Ending::Slow);
        self.serving.join().unwrap();
        (was_closed, self.wire.texts())
    }
}

/// The positions of the events among the messages of a connection, for its socket of that kind.
pub(super) fn seqs(messages: &[String], kind: NamespaceKind) -> Vec<u64> {
    let (start, before) = match kind {
        NamespaceKind::Root => ("42[", "e:"),
        NamespaceKind::Dashboard => ("42/dashboard,[", "e:"),
        NamespaceKind::Plain => ("{\"eventId", "\"seq\":"),
    };
    let events = messages.iter().filter(|message| message.starts_with(start));
    let seq = |event: &String| {
        let (_, after) = event.split_once(before).unwrap_or_else(|| panic!("no event: {event}"));
        after.split(|byte: char| !byte.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    events.map(seq).collect()
}

/// Runs the tasks of the connections, until none is left.
fn run_tasks(runtime: &Arc<Runtime>, of_state: usize, done: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (runtime, done) = (Arc::clone(runtime), Arc::clone(done));
    spawn(move || {
        runtime.block_on(async {
            while done.load(Ordering::Acquire) == 0 || runtime.metrics().num_alive_tasks() > of_state {
                pause();
                yield_now().await;
            }
        });
    })
}

/// Runs a model of connections on a gateway without a server.
pub(super) fn check_world(name: &str, interleavings: usize, queue_bytes: usize, model: fn(&World)) {
    let runtime = Arc::new(Builder::new_current_thread().enable_all().build().unwrap());
    let entered = runtime.enter();
    let state = connect("memory:", &[]);
    let stop = state.platform.lifecycle().stop.clone();
    let writer = Arc::clone(&state.writer);
    state.platform.lifecycle().tasks.run("writer", async move { writer.run(stop).await });
    runtime.block_on(async {
        for _ in 0..100 {
            yield_now().await;
        }
    });
    let (of_state, running) = (runtime.metrics().num_alive_tasks(), Arc::clone(&runtime));
    check(name, interleavings, move || {
        let (world, done) = (World::new(&state, queue_bytes), Arc::new(AtomicUsize::new(0)));
        let executor = run_tasks(&running, of_state, &done);
        model(&world);
        assert!(world.services.hub.sockets().is_empty());
        done.fetch_add(1, Ordering::Release);
        executor.join().unwrap();
    });
    drop(entered);
}
