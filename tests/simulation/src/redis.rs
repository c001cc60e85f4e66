//! Two Redis servers, of which one is the primary, and the subscriptions to them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;
use uuid::Uuid;

use crate::data::{Data, Published};
use crate::world::PROCESSES;

/// Interval in which the replica receives what the primary has stored.
pub(crate) const REPLICATION: Duration = Duration::from_millis(250);

/// A message to the subscriber of a process.
pub(crate) enum Delivery {
    Message(Published),
    MarksChanged,
}

pub(crate) struct Redis {
    servers: [Server; 2],
    pub primary: usize,
    subscriptions: [Option<Subscription>; PROCESSES],
    /// The number of connections that each process has lost.
    generations: [u64; PROCESSES],
    /// Whether the messages that were on their way on the last connection are lost, too.
    is_cut: [bool; PROCESSES],
    is_doubling_until: Option<Instant>,
    marked_at: BTreeMap<String, Instant>,
    /// Messages that the replica passes on once it has what they announce.
    for_replica: Vec<(usize, Delivery)>,
    /// Whether the replica is kept up to date; only runs with a failover need it.
    pub is_replicating: bool,
    /// Whether the replica has had the data of its primary.
    is_in_step: bool,
}

#[derive(Default)]
struct Server {
    data: Data,
    is_down: bool,
    refuses_until: Option<Instant>,
    slow_until: Option<(Instant, Duration)>,
}

struct Subscription {
    server: usize,
    deliveries: UnboundedSender<Delivery>,
}

/// The reason why a server refuses a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unreachable,
    ReadOnly,
    OutOfMemory,
}

impl Refusal {
    pub fn reason(self) -> &'static str {
        match self {
            Self::Unreachable => "Redis cannot be reached",
            Self::ReadOnly => "Redis is read-only",
            Self::OutOfMemory => "Redis is out of memory",
        }
    }
}

impl Redis {
    pub(crate) fn new() -> Self {
        Self {
            servers: Default::default(),
            primary: 0,
            subscriptions: [const { None }; PROCESSES],
            generations: [0; PROCESSES],
            is_cut: [false; PROCESSES],
            is_doubling_until: None,
            marked_at: BTreeMap::new(),
            for_replica: Vec::new(),
            is_replicating: false,
            is_in_step: false,
        }
    }

    pub(crate) fn is_down(&self, server: usize) -> bool {
        self.servers[server].is_down
    }

    /// The data of a server, to read.
    pub(crate) fn read(&self, server: usize) -> Result<&Data, Refusal> {
        let server = &self.servers[server];
        if server.is_down { Err(Refusal::Unreachable) } else { Ok(&server.data) }
    }

    /// The data of a server, for a command that deletes or needs no memory.
    pub(crate) fn write(&mut self, server: usize) -> Result<&mut Data, Refusal> {
        if self.servers[server].is_down {
            return Err(Refusal::Unreachable);
        }
        if server != self.primary {
            return Err(Refusal::ReadOnly);
        }
        Ok(&mut self.servers[server].data)
    }

    /// The data of a server, for a command that needs memory.
    pub(crate) fn grow(&mut self, server: usize) -> Result<&mut Data, Refusal> {
        if self.servers[server].refuses_until.is_some_and(|until| until > Instant::now()) {
            self.write(server)?;
            return Err(Refusal::OutOfMemory);
        }
        self.write(server)
    }

    /// Sends a message to every subscriber of a server and of its replica. Returns the number of the subscribers of
    /// the server.
    pub(crate) fn publish(&mut self, server: usize, message: &Published) -> usize {
        let is_doubled = self.is_doubling_until.is_some_and(|until| until > Instant::now())
            && contracts::events::is_logged(&message.channel);
        self.send(server, if is_doubled { 2 } else { 1 }, || Delivery::Message(message.clone()))
    }

    pub(crate) fn announce_marks(&mut self, server: usize) {
        self.send(server, 1, || Delivery::MarksChanged);
    }

    fn send(&mut self, server: usize, times: usize, delivery: impl Fn() -> Delivery) -> usize {
        let mut receivers = 0;
        for (process, subscription) in self.subscriptions.iter().enumerate() {
            let Some(subscription) = subscription else { continue };
            for _ in 0..times {
                if subscription.server == server {
                    // An error means that the process has left.
                    let _ = subscription.deliveries.send(delivery());
                } else if server == self.primary {
                    self.for_replica.push((process, delivery()));
                }
            }
            receivers += usize::from(subscription.server == server);
        }
        receivers
    }

    pub(crate) fn subscribe(&mut self, process: usize, server: usize, deliveries: UnboundedSender<Delivery>) {
        self.subscriptions[process] = Some(Subscription { server, deliveries });
        self.is_cut[process] = false;
    }

    /// Closes the connections of a process. Messages on their way still arrive.
    pub(crate) fn disconnect(&mut self, process: usize) {
        self.subscriptions[process] = None;
        self.generations[process] += 1;
    }

    /// Cuts the connections of a process. Messages on their way are lost.
    pub(crate) fn cut(&mut self, process: usize) {
        self.disconnect(process);
        self.is_cut[process] = true;
    }

    pub(crate) fn is_cut(&self, process: usize) -> bool {
        self.is_cut[process]
    }

    pub(crate) fn generation(&self, process: usize) -> u64 {
        self.generations[process]
    }

    fn disconnect_all(&mut self, server: usize) {
        for process in 0..PROCESSES {
            if self.subscriptions[process].as_ref().is_some_and(|own| own.server == server) {
                self.disconnect(process);
            }
        }
    }

    pub(crate) fn stop(&mut self) {
        let primary = self.primary;
        self.servers[primary].is_down = true;
        self.disconnect_all(primary);
    }

    pub(crate) fn start(&mut self, is_empty: bool) {
        for server in &mut self.servers {
            server.is_down = false;
        }
        if is_empty {
            self.flush();
        }
    }

    /// The place of the newest event.
    pub(crate) fn place(&mut self) -> backplane::Position {
        self.servers[self.primary].data.head()
    }

    /// Notes that marks were stored.
    pub(crate) fn note_marks<'a>(&mut self, values: impl Iterator<Item = &'a str>) {
        for value in values {
            self.marked_at.entry(value.to_owned()).or_insert_with(Instant::now);
        }
    }

    /// The time since which the primary has had the mark of an ended session without a break.
    pub(crate) fn marked_at(&self, session: Uuid) -> Option<Instant> {
        let prefix = format!("session:{session}:");
        let mut marks = self.marked_at.range(prefix.clone()..);
        marks.next().filter(|(value, _)| value.starts_with(&prefix)).map(|(_, at)| *at)
    }

    /// Loses all data, while the connections stay.
    pub(crate) fn flush(&mut self) {
        self.servers[self.primary].data = Data::default();
        self.marked_at.clear();
        // The replica deletes at once what its primary deletes.
        self.replicate();
    }

    pub(crate) fn trim(&mut self, old: &HashSet<Uuid>) {
        self.servers[self.primary].data.trim(old);
    }

    pub(crate) fn evict_log(&mut self) {
        self.servers[self.primary].data.evict_log();
        self.replicate();
    }

    pub(crate) fn replicate(&mut self) {
        if !self.is_replicating {
            return;
        }
        self.is_in_step = true;
        let replica = 1 - self.primary;
        self.servers[replica].data = self.servers[self.primary].data.clone();
        for (process, delivery) in std::mem::take(&mut self.for_replica) {
            if let Some(subscription) = &self.subscriptions[process]
                && subscription.server == replica
            {
                let _ = subscription.deliveries.send(delivery);
            }
        }
    }

    /// Makes the replica the primary. The old primary keeps its connections, and becomes a replica.
    pub(crate) fn fail_over(&mut self, is_complete: bool) {
        // A server that has not been in step with its primary yet is not promoted.
        if is_complete || !self.is_in_step {
            self.replicate();
        } else {
            self.marked_at.clear();
        }
        self.primary = 1 - self.primary;
        self.is_in_step = false;
        self.for_replica.clear();
        self.servers[self.primary].is_down = false;
    }

    pub(crate) fn refuse(&mut self, duration: Duration) {
        self.servers[self.primary].refuses_until = Some(Instant::now() + duration);
    }

    pub(crate) fn slow_down(&mut self, duration: Duration, latency: Duration) {
        self.servers[self.primary].slow_until = Some((Instant::now() + duration, latency));
    }

    pub(crate) fn latency(&self, server: usize) -> Duration {
        let slow = self.servers[server].slow_until.filter(|(until, _)| *until > Instant::now());
        slow.map_or(Duration::ZERO, |(_, latency)| latency)
    }

    pub(crate) fn double(&mut self, duration: Duration) {
        self.is_doubling_until = Some(Instant::now() + duration);
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        self.start(false);
        for server in &mut self.servers {
            (server.refuses_until, server.slow_until) = (None, None);
        }
        self.is_doubling_until = None;
    }
}
