//! `drift:*`: events about drifts. Resource states and reasons are never published.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::event;
use crate::AccountId;
use crate::drift::{ResolvedHow, Severity, Status};

/// The resource that an event about a drift concerns.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftSubject {
    /// The name of the stack.
    pub stack: String,
    /// The address of the resource in its stack, such as `module.web.aws_instance.api[0]`.
    pub address: String,
    pub resource_id: String,
    pub resource_type: String,
    pub severity: Severity,
    /// Identifies the resource, its stack and its account. A drift that returns has the same one.
    pub fingerprint: String,
}

/// A drift was found, by a scan or in a report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftCreated {
    pub id: Uuid,
    #[serde(flatten)]
    pub subject: DriftSubject,
    /// `null` if unknown.
    pub region: Option<String>,
    /// Monthly cost in the account's currency, with two decimals; may be negative.
    pub cost_impact_monthly: f64,
    pub detected_at: DateTime<Utc>,
    pub status: Status,
    /// The version of the drift, as its ETag has it.
    pub version: i32,
    /// Routes the event; not part of the payload.
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftCreated, "drift:created", account_id);

/// A drift was approved.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftApproved {
    pub id: Uuid,
    #[serde(flatten)]
    pub subject: DriftSubject,
    pub status: Status,
    pub approved_at: DateTime<Utc>,
    pub approved_by: String,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftApproved, "drift:approved", account_id);

/// A drift was rejected.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftRejected {
    pub id: Uuid,
    #[serde(flatten)]
    pub subject: DriftSubject,
    pub status: Status,
    pub rejected_at: DateTime<Utc>,
    pub rejected_by: String,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftRejected, "drift:rejected", account_id);

/// A drift's state, severity, cost, region, assignee, ticket or snooze changed, or it was reopened.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftUpdated {
    pub id: Uuid,
    #[serde(flatten)]
    pub subject: DriftSubject,
    pub status: Status,
    /// The version of the drift after the change, as its ETag has it.
    pub version: i32,
    pub cost_impact_monthly: f64,
    /// `null` if unknown.
    pub region: Option<String>,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftUpdated, "drift:updated", account_id);

/// A drift was resolved.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftResolved {
    pub id: Uuid,
    #[serde(flatten)]
    pub subject: DriftSubject,
    pub status: Status,
    pub resolved_at: DateTime<Utc>,
    pub resolved_how: ResolvedHow,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftResolved, "drift:resolved", account_id);

/// A person is deciding on a drift, or has stopped. Not logged: it is of no use later.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftDeciding {
    pub id: Uuid,
    /// The id of the user.
    pub by: String,
    /// The time until which the person is deciding, unless the event is repeated; `null` if the person has stopped.
    pub until: Option<DateTime<Utc>>,
}
event!(DriftDeciding, "drift:deciding");

/// A person commented on a drift. The text is not published.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftCommented {
    /// The id of the drift.
    pub id: Uuid,
    pub comment_id: Uuid,
    /// The id of the author.
    pub by: String,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftCommented, "drift:commented", account_id);

/// A comment on a drift was deleted.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DriftUncommented {
    /// The id of the drift.
    pub id: Uuid,
    pub comment_id: Uuid,
    /// The id of the person who deleted the comment.
    pub by: String,
    #[serde(skip)]
    pub account_id: Option<AccountId>,
}
event!(DriftUncommented, "drift:uncommented", account_id);

/// A new version of the rules of the console is in force. The drifts that it rates anew have events of their own.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RulesChanged {
    /// The id under which the audit names the rules.
    pub id: Uuid,
    pub version: i32,
    /// The id of the user who saved it.
    pub by: String,
}
event!(RulesChanged, "drift:rules_changed");
