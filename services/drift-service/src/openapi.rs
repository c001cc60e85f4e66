//! The OpenAPI document, written from the handlers' own annotations. The scopes of `bearer` are the
//! least role that an operation needs.

use utoipa::OpenApi;
use web::openapi::{Conventions, Failure};

use crate::{alert, audit, drift, ingest, summary};

#[derive(OpenApi)]
#[openapi(
    info(title = "drift-service", description = "Drifts, alerts, ingest, summary and audit."),
    paths(
        drift::list_drifts,
        drift::create_drift,
        ingest::ingest_scan,
        drift::decide_in_bulk,
        drift::get_drift,
        drift::update_drift,
        drift::delete_drift,
        drift::approve_drift,
        drift::reject_drift,
        drift::resolve_drift,
        drift::reopen_drift,
        audit::get_drift_history,
        alert::list_alerts,
        alert::create_alert,
        alert::read_all_alerts,
        alert::get_alert,
        alert::delete_alert,
        alert::read_alert,
        summary::get_summary,
        audit::list_audit,
    ),
    components(schemas(Failure)),
    modifiers(&Conventions)
)]
struct Document;

/// Every path of this service with its requests and answers.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
