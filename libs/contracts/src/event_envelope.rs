use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::{NoContext, Timestamp, Uuid};

use crate::traceparent::lenient;
use crate::{AccountId, Clock, Traceparent};

/// A fact that was published as the payload of a message on the channel [`Event::TYPE`].
///
/// The structs of [`crate::events`] implement it: only their fields can be published.
pub trait Event: Serialize {
    /// The event type, which is also the channel's name.
    const TYPE: &'static str;

    /// Returns the user whose sockets may receive the event, if it concerns one user.
    fn user_id(&self) -> Option<String> {
        None
    }

    /// Returns the account whose sockets may receive the event, if it concerns one account.
    fn account_id(&self) -> Option<AccountId> {
        None
    }
}

/// A message on a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<P> {
    /// A UUIDv7. An event that is published again keeps its id.
    pub event_id: Uuid,
    /// The event type, equal to the channel it was published on.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The time of the event, in UTC (RFC 3339).
    pub timestamp: DateTime<Utc>,
    pub payload: P,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The request that caused the event, for logs and traces. Never sent to clients.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Traceparent>,
    /// The position in the log, counted from 1 within an epoch. Absent in messages that are not logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Identifies one lifetime of the log. Another epoch means that the earlier log was lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
}

impl<P> Envelope<P> {
    /// Wraps a message that has no position in the log.
    pub fn unplaced(event_type: impl Into<String>, timestamp: DateTime<Utc>, payload: P) -> Self {
        Self {
            event_id: id_of(timestamp),
            event_type: event_type.into(),
            timestamp,
            payload,
            user_id: None,
            account_id: None,
            traceparent: None,
            seq: None,
            epoch: None,
        }
    }
}

/// Creates a UUIDv7 with that time.
fn id_of(timestamp: DateTime<Utc>) -> Uuid {
    let seconds = u64::try_from(timestamp.timestamp()).unwrap_or(0);
    Uuid::new_v7(Timestamp::from_unix(NoContext, seconds, timestamp.timestamp_subsec_nanos()))
}

impl<E: Event> Envelope<E> {
    /// Wraps an event that happens now; the log adds `seq` and `epoch`.
    pub fn of(event: E, clock: &Clock) -> Self {
        let (user_id, account_id) = (event.user_id(), event.account_id());
        Self { user_id, account_id, ..Self::unplaced(E::TYPE, clock.now(), event) }
    }
}
