use chrono::{DateTime, Utc};
use contracts::AccountId;
use contracts::scan::{Completeness, Format, Tool};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::entity::Model;
use crate::audience::Audience;

/// An upload that arrived for a stack.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScanView {
    pub id: Uuid,
    pub stack: String,
    pub account_id: Option<AccountId>,
    pub received_at: DateTime<Utc>,
    /// The time at which the scanner ran; `null` if the upload was refused.
    pub taken_at: Option<DateTime<Utc>>,
    pub tool: Tool,
    pub tool_version: Option<String>,
    pub format: Format,
    pub completeness: Completeness,
    /// The reason why the scan does not show all drifts.
    pub reason: Option<String>,
    pub created: i32,
    pub changed: i32,
    pub unchanged: i32,
    pub resolved: i32,
    pub ignored: i32,
    pub skipped: i32,
    pub duration_millis: i64,
    #[serde(flatten)]
    pub details: Option<ScanDetails>,
}

/// Visible to viewers, engineers and admins.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScanDetails {
    /// The id of the user or the service token that sent the scan.
    pub sent_by: Option<String>,
    /// The page of the CI run.
    pub run_url: Option<String>,
    pub commit: Option<String>,
    /// The first 20 warnings.
    #[schema(value_type = Vec<String>)]
    pub warnings: Box<RawValue>,
}

impl ScanView {
    pub fn new(scan: Model, audience: Audience) -> Self {
        Self {
            id: scan.id,
            stack: scan.stack,
            account_id: (!scan.account_id.is_empty()).then(|| scan.account_id.into()),
            received_at: scan.received_at,
            taken_at: scan.taken_at,
            tool: scan.tool,
            tool_version: scan.tool_version,
            format: scan.format,
            completeness: scan.completeness,
            reason: scan.reason,
            created: scan.created,
            changed: scan.changed,
            unchanged: scan.unchanged,
            resolved: scan.resolved,
            ignored: scan.ignored,
            skipped: scan.skipped,
            duration_millis: scan.duration_millis,
            details: (audience >= Audience::Viewer).then(|| ScanDetails {
                sent_by: scan.sent_by,
                run_url: scan.run_url,
                commit: scan.commit,
                warnings: RawValue::from_string(scan.warnings).unwrap_or_default(),
            }),
        }
    }
}
