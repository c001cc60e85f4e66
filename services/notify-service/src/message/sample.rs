use chrono::DateTime;
use contracts::Event as _;
use contracts::drift::{Severity, Status};
use contracts::events::drift::{DriftCreated, DriftSubject};
use serde_json::json;
use uuid::Uuid;

use crate::event::Event;

/// Returns the event of a drift that does not exist, for the test of a destination. It has no link.
///
/// The sender sets `id` and `at`: `Event { id, at, ..sample() }`.
pub fn sample() -> Event {
    let drift = DriftCreated {
        id: Uuid::nil(),
        subject: DriftSubject {
            stack: "sample-stack".to_owned(),
            address: "aws_instance.this_is_a_sample".to_owned(),
            resource_id: "i-sample".to_owned(),
            resource_type: "aws_instance".to_owned(),
            severity: Severity::Info,
            fingerprint: "sample".to_owned(),
        },
        region: Some("eu-central-1".to_owned()),
        cost_impact_monthly: 0.0,
        detected_at: DateTime::UNIX_EPOCH,
        status: Status::Detected,
        version: 1,
        account_id: None,
    };
    Event {
        id: Uuid::nil(),
        event_type: DriftCreated::TYPE.to_owned(),
        at: DateTime::UNIX_EPOCH,
        account_id: None,
        user_id: None,
        payload: json!(drift),
    }
}
