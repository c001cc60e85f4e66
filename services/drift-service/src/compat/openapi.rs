use http::openapi::{Conventions, OldFailure};
use utoipa::OpenApi;

use super::{alerts, drifts, metrics, timeline};

#[derive(OpenApi)]
#[openapi(
    paths(
        drifts::list_drifts,
        drifts::get_drift,
        drifts::approve_drift,
        drifts::reject_drift,
        timeline::get_timeline,
        alerts::list_alerts,
        alerts::count_unread_alerts,
        alerts::mark_alert_read,
        alerts::mark_all_alerts_read,
        metrics::get_summary,
        metrics::get_cost_trend,
        metrics::get_severities,
        metrics::get_statuses,
    ),
    components(schemas(OldFailure)),
    modifiers(&Conventions)
)]
struct OldDocument;

/// The paths of the old contract.
pub fn openapi() -> utoipa::openapi::OpenApi {
    OldDocument::openapi()
}
