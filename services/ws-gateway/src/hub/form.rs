use contracts::{Clock, Envelope};
use serde_json::Value;
use uuid::Uuid;

use crate::frame::Frame;
use crate::socketio;

/// The form in which a socket gets its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Socket.IO, namespace `/`.
    Root,
    /// Socket.IO, namespace `/dashboard`.
    Dashboard,
    /// `/ws`.
    Plain,
}

impl Form {
    /// The form of a Socket.IO namespace, if there is such a namespace.
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        match namespace {
            "/" => Some(Self::Root),
            "/dashboard" => Some(Self::Dashboard),
            _ => None,
        }
    }

    /// The Socket.IO namespace; none on `/ws`.
    pub const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Root => Some("/"),
            Self::Dashboard => Some("/dashboard"),
            Self::Plain => None,
        }
    }

    /// Something that the gateway itself has to say: bare on Socket.IO, an envelope on `/ws`.
    pub fn notice(self, name: &str, payload: Value, offset: Option<&str>, clock: &Clock) -> Frame {
        match self.namespace() {
            Some(namespace) => Frame::text(socketio::event(namespace, name, &payload.to_string(), offset)),
            None => Frame::text(envelope(name, payload, clock)),
        }
    }
}

fn envelope(name: &str, payload: Value, clock: &Clock) -> String {
    let envelope = Envelope {
        event_id: Uuid::now_v7(),
        event_type: name.into(),
        timestamp: clock.now(),
        payload,
        user_id: None,
        account_id: None,
        traceparent: None,
        seq: None,
        epoch: None,
    };
    // Plain data with string keys: it always has a JSON form.
    serde_json::to_string(&envelope).unwrap_or_default()
}
