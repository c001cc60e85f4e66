use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::traceparent::lenient;
use crate::{Clock, Traceparent};

/// Something that happened, as the payload of a message on the channel [`Event::TYPE`].
///
/// Implemented by the structs of [`crate::events`]: only their fields can ever be published.
pub trait Event: Serialize {
    /// The event type, which is also the channel's name.
    const TYPE: &'static str;

    /// The user whose sockets may see it, where it concerns one.
    fn user_id(&self) -> Option<String> {
        None
    }

    /// The account whose sockets may see it, where it concerns one.
    fn account_id(&self) -> Option<String> {
        None
    }
}

/// A message on a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<P> {
    /// A UUIDv7; the same event published twice has the same one.
    pub event_id: Uuid,
    /// The event type, equal to the channel it was published on.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, RFC 3339 in UTC.
    pub timestamp: DateTime<Utc>,
    pub payload: P,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The request that brought it about, for logs and traces; no client gets it.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
    /// The place in the log, counted from 1 within an epoch. Absent in messages that are not logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Names one life of the log; another epoch means that the log before it was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

impl<E: Event> Envelope<E> {
    /// Wraps an event that happens now; the log adds `seq` and `epoch`.
    pub fn of(event: E, clock: &Clock) -> Self {
        Self {
            event_id: Uuid::now_v7(),
            event_type: E::TYPE.into(),
            timestamp: clock.now(),
            user_id: event.user_id(),
            account_id: event.account_id(),
            payload: event,
            traceparent: None,
            seq: None,
            epoch: None,
        }
    }
}
