use chrono::{DateTime, Utc};
use contracts::Envelope;
use contracts::events::auth::EndReason;
use serde::Serialize;
use serde_json::json;
use strum::{EnumIter, IntoStaticStr, VariantNames};
use uuid::Uuid;

use super::{Frame, NamespaceKind, socketio};

/// A message that the gateway itself sends to a socket.
#[derive(Clone, Debug, Serialize, IntoStaticStr, VariantNames)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum Notice<'a> {
    /// The socket was let in. `epoch` and `seq` are the position after which it receives every event.
    #[strum(serialize = "connection.authorized")]
    Authorized {
        user_id: &'a str,
        session_id: &'a str,
        sid: Option<Uuid>,
        expires_at: Option<DateTime<Utc>>,
        epoch: &'a str,
        seq: u64,
    },
    #[strum(serialize = "session.revoked")]
    SessionRevoked { reason: EndReason },
    #[strum(serialize = "server.draining")]
    ServerDraining { reconnect_after_ms: u32 },
    #[strum(serialize = "token.expiring")]
    TokenExpiring { expires_at: DateTime<Utc>, seconds_remaining: i64 },
    /// Names the message that waits or was dropped: the client may have asked for no acknowledgement.
    #[strum(serialize = "rate_limit.warning")]
    RateLimit { limit: u64, window_ms: u64, message: &'a str, dropped: bool },
    /// The client has to load everything again.
    #[strum(serialize = "resync")]
    Resync { reason: Unrecoverable },
}

/// The reason why missed events cannot be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, IntoStaticStr, EnumIter)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub(crate) enum Unrecoverable {
    /// The log does not reach back that far, or is another one.
    LogLost,
    /// The backplane is unavailable.
    Unavailable,
    /// The replaced socket is unknown, and with it the rooms that it was in.
    UnknownSocket,
    /// Events that are not in the log came faster than they could be relayed.
    Overflow,
}

impl Notice<'_> {
    pub(crate) fn name(&self) -> &'static str {
        self.into()
    }

    /// Encodes the notice: bare on Socket.IO, with the offset if there is one; in an envelope on `/ws`.
    pub(crate) fn frame(&self, kind: NamespaceKind, offset: Option<&str>, now: DateTime<Utc>) -> Frame {
        // Converted to a value first, which sorts the fields by name.
        let payload = json!(self);
        match kind.namespace() {
            Some(namespace) => {
                Frame::text(socketio::event(namespace, self.name(), &payload.to_string(), offset))
            }
            None => Frame::text(text(&Envelope::unplaced(self.name(), now, payload))),
        }
    }
}

/// Plain data with string keys always has a JSON form.
fn text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
