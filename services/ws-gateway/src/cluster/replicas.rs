use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backplane::Backplane;
use contracts::{Clock, Tasks};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::control::{CHANNEL, ControlHandler, ControlMessage, Question};

const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// The first interval of a replica that does not hear itself yet. It doubles each time.
const FIRST_INTERVAL: Duration = Duration::from_millis(100);
/// Time for which a silent replica still counts as present: its sockets may be open.
const FORGET_AFTER: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// The replicas of the gateway that this replica knows.
pub(crate) struct Cluster {
    bus: Backplane,
    clock: Clock,
    tasks: Tasks,
    handler: Box<dyn ControlHandler>,
    replica: Uuid,
    peers: Mutex<HashMap<Uuid, Instant>>,
    asked: Mutex<HashMap<Uuid, mpsc::UnboundedSender<(Uuid, Value)>>>,
}

/// The answers of all replicas that answered in time.
pub(crate) struct Answers<T> {
    pub answers: Vec<T>,
    /// Whether a replica that is present did not answer, or the other replicas are not known yet.
    pub partial: bool,
    /// Whether the question could not be sent or did not even reach this replica, or an answer is unreadable, or a
    /// replica that received the question did not answer in time. Only a missing answer of a replica that did not
    /// receive the question is no failure, because that replica may have died.
    pub has_failed: bool,
}

impl Cluster {
    /// The handler responds for the sockets of this replica.
    pub(crate) fn new(bus: Backplane, clock: Clock, tasks: Tasks, handler: Box<dyn ControlHandler>) -> Self {
        let replica = Uuid::new_v4();
        Self { bus, clock, tasks, handler, replica, peers: Mutex::default(), asked: Mutex::default() }
    }

    /// Announces this replica until `stop`. The others respond to the announcement of a new replica. It counts as
    /// new until it hears itself, because it would miss the responses.
    pub(crate) async fn stay_present(&self, stop: CancellationToken) {
        let (replica, mut next) = (self.replica, FIRST_INTERVAL);
        loop {
            let new = !self.hears_itself();
            // If the message is lost, the next one follows.
            let _ = self.send(&ControlMessage::Alive { replica, new }).await;
            // Every announcement of a new replica costs a response of each other one: a replica that stays deaf
            // announces itself less and less often.
            let pause = if new { next } else { ALIVE_INTERVAL };
            next = (next * 2).min(ALIVE_INTERVAL);
            if stop.run_until_cancelled(sleep(pause)).await.is_none() {
                break;
            }
        }
        // If the message is lost, the others forget this replica after a while.
        let _ = self.send(&ControlMessage::Gone { replica }).await;
    }

    /// Handles the payload of a message on the control channel.
    pub(crate) fn hear(self: &Arc<Self>, payload: &str) {
        match serde_json::from_str(payload) {
            Ok(ControlMessage::Alive { replica, new }) => {
                lock(&self.peers).insert(replica, Instant::now());
                if new && replica != self.replica {
                    self.send_later(ControlMessage::Alive { replica: self.replica, new: false });
                }
            }
            Ok(ControlMessage::Gone { replica }) => {
                lock(&self.peers).remove(&replica);
            }
            Ok(ControlMessage::Ask { id, replica, question }) => {
                lock(&self.peers).insert(replica, Instant::now());
                let answer = self.handler.respond(&question);
                self.send_later(ControlMessage::Answer { id, replica: self.replica, answer });
            }
            Ok(ControlMessage::Answer { id, replica, answer }) => {
                if let Some(asker) = lock(&self.asked).get(&id) {
                    // An error means that the asker waits no longer.
                    let _ = asker.send((replica, answer));
                }
            }
            Ok(ControlMessage::TakeOver { replica, socket }) => {
                if replica != self.replica {
                    self.handler.on_taken_over(&socket);
                }
            }
            Err(error) => tracing::warn!(%error, "received an unreadable control message"),
        }
    }

    /// Asks every replica, and waits for all that are present, at most for the time limit.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, question: Question) -> Answers<T> {
        self.ask_until(question, HashSet::is_empty).await
    }

    /// Asks every replica and waits for the whole time limit: replicas that are not known yet may answer, too.
    pub(crate) async fn ask_all<T: DeserializeOwned>(&self, question: Question) -> Answers<T> {
        self.ask_until(question, |_| false).await
    }

    async fn ask_until<T: DeserializeOwned>(
        &self,
        question: Question,
        is_enough: impl Fn(&HashSet<Uuid>) -> bool,
    ) -> Answers<T> {
        let id = Uuid::new_v4();
        let (asker, mut answers) = mpsc::unbounded_channel();
        lock(&self.asked).insert(id, asker);
        let _asking = Asking { cluster: self, id };
        let replica = self.replica;
        let (mut missing, hears_itself) = (self.present(), self.hears_itself());
        let mut received = Vec::new();
        let sent = self.send(&ControlMessage::Ask { id, replica, question: question.clone() }).await;
        let deadline = Instant::now() + ANSWER_LIMIT;
        while sent.is_ok() && !is_enough(&missing) {
            let Ok(Some((replica, answer))) = timeout_at(deadline, answers.recv()).await else { break };
            missing.remove(&replica);
            received.push(answer);
        }
        let is_deaf = missing.contains(&replica);
        // Others may listen to the channel, too, so the number alone does not show that a replica is silent.
        let are_silent =
            !missing.is_empty() && sent.as_ref().is_ok_and(|receivers| received.len() < *receivers);
        if is_deaf {
            // Without the backplane, the answer of this replica is better than none.
            received.push(self.handler.respond(&question));
        }
        let count = received.len();
        let answers: Vec<T> =
            received.into_iter().filter_map(|answer| serde_json::from_value(answer).ok()).collect();
        let has_failed = sent.is_err() || is_deaf || are_silent || answers.len() < count;
        Answers { answers, partial: has_failed || !hears_itself || !missing.is_empty(), has_failed }
    }

    /// Makes all replicas close the former entrances of a socket whose client resumed: the old connection may be
    /// half-open.
    pub(crate) async fn announce_take_over(&self, socket: &str) {
        self.handler.on_taken_over(socket);
        let message = ControlMessage::TakeOver { replica: self.replica, socket: socket.into() };
        if let Err(error) = self.send(&message).await {
            tracing::debug!(%error, "could not reach the other replicas");
        }
    }

    /// Whether control messages arrive here. Only then are the other replicas known.
    fn hears_itself(&self) -> bool {
        lock(&self.peers).get(&self.replica).is_some_and(|heard| heard.elapsed() < FORGET_AFTER)
    }

    /// Every replica that was heard lately, and this one.
    fn present(&self) -> HashSet<Uuid> {
        let mut peers = lock(&self.peers);
        peers.retain(|_, heard| heard.elapsed() < FORGET_AFTER);
        peers.keys().copied().chain([self.replica]).collect()
    }

    async fn send(&self, message: &ControlMessage) -> backplane::Result<usize> {
        self.bus.log.broadcast(CHANNEL, &message.encode(&self.clock)).await
    }

    fn send_later(self: &Arc<Self>, message: ControlMessage) {
        let cluster = Arc::clone(self);
        self.tasks.run("control message", async move {
            if let Err(error) = cluster.send(&message).await {
                tracing::debug!(%error, "could not reach the other replicas");
            }
        });
    }
}

/// A question whose answers are awaited. The caller may give up at any time.
struct Asking<'a> {
    cluster: &'a Cluster,
    id: Uuid,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        lock(&self.cluster.asked).remove(&self.id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use backplane::FeedItem;
    use futures_util::FutureExt;

    use super::*;

    struct NoSockets;

    impl ControlHandler for NoSockets {
        fn respond(&self, _: &Question) -> Value {
            Value::Null
        }

        fn on_taken_over(&self, _: &str) {}
    }

    #[tokio::test]
    async fn answers_are_partial_until_a_replica_hears_control_messages() {
        let (clock, stop) = (Clock::system(), CancellationToken::new());
        let options = backplane::Options::new(clock.clone(), Tasks::new(stop.clone()));
        let bus = Backplane::connect("memory:", options).unwrap();
        let mut feed = bus.feed_of_all_channels();
        let cluster = Arc::new(Cluster::new(bus, clock, Tasks::new(stop.clone()), Box::new(NoSockets)));
        let is_partial = async || cluster.ask::<Value>(Question::Stats).await.partial;
        let listening = async {
            loop {
                if let FeedItem::Message(message) = feed.next().await {
                    cluster.hear(message.envelope.payload.get());
                }
            }
        };
        let checking = async {
            let given_up = cluster.ask::<Value>(Question::Stats).now_or_never();
            assert!(given_up.is_none() && lock(&cluster.asked).is_empty());
            assert!(is_partial().await);
            let present = cluster.stay_present(stop.clone());
            let known = async {
                testing::eventually("it hears itself", async || !is_partial().await).await;
                stop.cancel();
            };
            tokio::join!(present, known);
        };
        tokio::select! {
            () = checking => {}
            () = listening => {}
        }
    }
}
