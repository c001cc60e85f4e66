//! The gateways among themselves: who is there, and questions that each must answer for its own
//! sockets. They talk on one control channel of the backplane; nothing on it is for clients.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contracts::{Clock, Envelope};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::gateway::Gateway;

/// The control channel.
pub const CHANNEL: &str = "gateway:control";

const ALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// How long a silent gateway still counts as there: its sockets may be, too.
const FORGET_AFTER: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(1);

/// What is known of the others.
pub struct Cluster {
    pub replica: Uuid,
    peers: Mutex<HashMap<Uuid, Instant>>,
    asked: Mutex<HashMap<Uuid, mpsc::UnboundedSender<(Uuid, Value)>>>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Word {
    /// `new`: the others shall say that they are there, too.
    Alive {
        replica: Uuid,
        new: bool,
    },
    Gone {
        replica: Uuid,
    },
    Ask {
        id: Uuid,
        replica: Uuid,
        question: Question,
    },
    Answer {
        id: Uuid,
        replica: Uuid,
        answer: Value,
    },
    /// The client of this socket is now at that replica.
    TakeOver {
        replica: Uuid,
        socket: String,
    },
}

/// What a gateway asks all, itself included.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "camelCase")]
pub enum Question {
    Stats,
    Sockets { user: String },
    Places { user: String },
    EndSocket { socket: String },
    EndUser { user: String },
}

/// What the gateways said.
pub struct Answers<T> {
    pub answers: Vec<T>,
    /// Whether one that should be there said nothing.
    pub partial: bool,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { replica: Uuid::new_v4(), peers: Mutex::default(), asked: Mutex::default() }
    }
}

impl Cluster {
    /// Everyone who was heard of lately, and this one.
    fn present(&self) -> HashSet<Uuid> {
        let mut peers = lock(&self.peers);
        peers.retain(|_, heard| heard.elapsed() < FORGET_AFTER);
        peers.keys().copied().chain([self.replica]).collect()
    }
}

impl Gateway {
    /// Says that this gateway is there, until `stop`.
    pub async fn stay_in_cluster(self: Arc<Self>, stop: CancellationToken) {
        let replica = self.cluster.replica;
        let mut ticks = interval(ALIVE_INTERVAL);
        let mut new = true;
        loop {
            tokio::select! {
                _ = ticks.tick() => new = self.say(&Word::Alive { replica, new }).await.is_err(),
                () = stop.cancelled() => break,
            }
        }
        // Away or not: nobody waits for a gateway that has gone.
        let _ = self.say(&Word::Gone { replica }).await;
    }

    /// Takes in what was said on the control channel.
    pub fn hear_control(self: &Arc<Self>, payload: &str) {
        match serde_json::from_str(payload) {
            Ok(Word::Alive { replica, new }) => {
                lock(&self.cluster.peers).insert(replica, Instant::now());
                if new && replica != self.cluster.replica {
                    self.say_later(Word::Alive { replica: self.cluster.replica, new: false });
                }
            }
            Ok(Word::Gone { replica }) => {
                lock(&self.cluster.peers).remove(&replica);
            }
            Ok(Word::Ask { id, replica, question }) => {
                lock(&self.cluster.peers).insert(replica, Instant::now());
                let answer = self.answer(&question);
                self.say_later(Word::Answer { id, replica: self.cluster.replica, answer });
            }
            Ok(Word::Answer { id, replica, answer }) => {
                if let Some(asker) = lock(&self.cluster.asked).get(&id) {
                    // An error means that the asker waits no longer.
                    let _ = asker.send((replica, answer));
                }
            }
            Ok(Word::TakeOver { replica, socket }) => {
                if replica != self.cluster.replica {
                    self.end_taken_over(&socket);
                }
            }
            Err(error) => tracing::warn!(%error, "something on the control channel cannot be read"),
        }
    }

    /// Asks every gateway and waits for all that are known, but not for long.
    pub async fn ask<T: DeserializeOwned>(&self, question: Question) -> Answers<T> {
        self.ask_until(question, HashSet::is_empty).await
    }

    /// Asks every gateway and waits as long as any may take: also for those that are not known yet.
    pub async fn ask_all<T: DeserializeOwned>(&self, question: Question) -> Answers<T> {
        self.ask_until(question, |_| false).await
    }

    async fn ask_until<T: DeserializeOwned>(
        &self,
        question: Question,
        is_enough: impl Fn(&HashSet<Uuid>) -> bool,
    ) -> Answers<T> {
        let id = Uuid::new_v4();
        let (asker, mut answers) = mpsc::unbounded_channel();
        lock(&self.cluster.asked).insert(id, asker);
        let replica = self.cluster.replica;
        let mut missing = self.cluster.present();
        let mut got = Vec::new();
        let said = self.say(&Word::Ask { id, replica, question: question.clone() }).await;
        let deadline = Instant::now() + ANSWER_LIMIT;
        while said.is_ok() && !is_enough(&missing) {
            let Ok(Some((replica, answer))) = timeout_at(deadline, answers.recv()).await else { break };
            missing.remove(&replica);
            got.push(answer);
        }
        lock(&self.cluster.asked).remove(&id);
        if missing.contains(&replica) {
            // The backplane is away: what is known here is better than nothing.
            got.push(self.answer(&question));
        }
        let answers = got.into_iter().filter_map(|answer| serde_json::from_value(answer).ok()).collect();
        Answers { answers, partial: said.is_err() || !missing.is_empty() }
    }

    /// Tells the others that the client of a socket is here now.
    pub async fn tell_taken_over(&self, socket: &str) {
        let word = Word::TakeOver { replica: self.cluster.replica, socket: socket.into() };
        if let Err(error) = self.say(&word).await {
            tracing::debug!(%error, "the other gateways cannot be told");
        }
    }

    async fn say(&self, word: &Word) -> backplane::Result<()> {
        self.platform.backplane.broadcast(CHANNEL, &envelope(word, self.clock())).await
    }

    fn say_later(self: &Arc<Self>, word: Word) {
        let gateway = Arc::clone(self);
        self.platform.tasks.run("control message", async move {
            if let Err(error) = gateway.say(&word).await {
                tracing::debug!(%error, "the other gateways cannot be told");
            }
        });
    }
}

fn envelope(word: &Word, clock: &Clock) -> String {
    let envelope = Envelope {
        event_id: Uuid::now_v7(),
        event_type: CHANNEL.into(),
        timestamp: clock.now(),
        payload: word,
        user_id: None,
        account_id: None,
        traceparent: None,
        seq: None,
        epoch: None,
    };
    // Plain data with string keys: it always has a JSON form.
    serde_json::to_string(&envelope).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
