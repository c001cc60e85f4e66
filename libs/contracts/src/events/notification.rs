//! `notification:*`: events about the delivery of notifications. Addresses and secrets of destinations are never
//! published.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event;

/// Deliveries to a destination fail, so that further ones wait.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationFailing {
    /// The id of the destination.
    pub id: Uuid,
    pub name: String,
    /// The kind of the last failure, such as `timeout` or `status_500`.
    pub failure: String,
    /// The time since which no delivery succeeded.
    pub since: DateTime<Utc>,
}
event!(DestinationFailing, "notification:destination_failing");

/// A delivery to a destination that failed before has succeeded.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationRecovered {
    /// The id of the destination.
    pub id: Uuid,
    pub name: String,
}
event!(DestinationRecovered, "notification:destination_recovered");

/// Asks the gateways whether an engineer received an event. A gateway that knows one stores a value under
/// [`receipt_key`]. Not logged: it is of no use later, and never sent to sockets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptWanted {
    /// The `eventId` of the event.
    pub id: Uuid,
}
event!(ReceiptWanted, "notification:receipt_wanted");

/// Returns the name of the expiring key that exists if an engineer received the event.
pub fn receipt_key(event_id: Uuid) -> String {
    format!("ws:receipt:{event_id}")
}
