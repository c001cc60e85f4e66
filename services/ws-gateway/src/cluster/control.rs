use contracts::{Clock, Envelope};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// The control channel.
pub(crate) const CHANNEL: &str = "gateway:control";

/// A message between replicas.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub(super) enum ControlMessage {
    /// A `new` replica asks the others to announce themselves.
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
    /// The client of this socket resumed on that replica.
    TakeOver {
        replica: Uuid,
        socket: String,
    },
}

/// A question to every replica, the asking one included.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "question", rename_all = "camelCase")]
pub(crate) enum Question {
    Stats,
    Sockets {
        user: String,
    },
    /// The holders of slots of a user, and of the network of an address if that has a quota.
    Slots {
        user: String,
        network: Option<String>,
    },
    EndSocket {
        socket: String,
    },
    EndUser {
        user: String,
    },
}

/// Responds to the control messages that concern the sockets of this replica.
pub(crate) trait ControlHandler: Send + Sync {
    fn respond(&self, question: &Question) -> Value;

    /// A client resumed a socket. Those of its entrances that are not the current one have to close.
    fn on_taken_over(&self, socket: &str);
}

impl ControlMessage {
    pub(super) fn encode(&self, clock: &Clock) -> String {
        let envelope = Envelope::unplaced(CHANNEL, clock.now(), self);
        // Plain data with string keys always has a JSON form.
        serde_json::to_string(&envelope).unwrap_or_default()
    }
}
