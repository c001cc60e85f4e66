//! `notification:*`: events about the delivery of notifications. Addresses and secrets of destinations are never
//! published.

use chrono::{DateTime, Utc};
use serde::Serialize;
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
