use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::Model;
use super::rules::Rules;
use super::schedule::Schedule;
use super::target::Kind;
use crate::delivery::backoff::FAILING_AFTER;

/// The success of deliveries to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Health {
    Ok,
    /// The last attempts failed; others follow.
    Retrying,
    /// Attempts fail again and again, so that there are pauses between them.
    Failing,
    /// It receives nothing.
    Off,
}

/// A destination, without its address and its secrets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DestinationView {
    id: Uuid,
    name: String,
    kind: Kind,
    /// The host of the address, the channel, or the recipients of mails
    shown: String,
    rules: Rules,
    schedule: Schedule,
    template: Option<String>,
    is_enabled: bool,
    health: Health,
    /// The kind of the last failure, such as `timeout` or `status_500`
    last_failure: Option<String>,
    failing_since: Option<DateTime<Utc>>,
    /// No attempt is made before this time
    blocked_until: Option<DateTime<Utc>>,
    /// Also the ETag
    version: i32,
    created_by: String,
    created_at: DateTime<Utc>,
    updated_by: String,
    updated_at: DateTime<Utc>,
}

impl From<Model> for DestinationView {
    fn from(row: Model) -> Self {
        let health = match row.failures {
            _ if !row.is_enabled => Health::Off,
            0 => Health::Ok,
            failures if failures < FAILING_AFTER => Health::Retrying,
            _ => Health::Failing,
        };
        Self {
            health,
            id: row.id,
            name: row.name,
            kind: row.kind,
            shown: row.shown,
            rules: row.rules,
            schedule: row.schedule,
            template: row.template,
            is_enabled: row.is_enabled,
            last_failure: row.last_failure,
            failing_since: row.failing_since,
            blocked_until: row.blocked_until,
            version: row.version,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_by: row.updated_by,
            updated_at: row.updated_at,
        }
    }
}

/// A new destination. The secret of a webhook is shown in this response only.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedDestination {
    #[serde(flatten)]
    pub(super) destination: DestinationView,
    /// The secret that signs the requests to a webhook
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signing_secret: Option<String>,
}
