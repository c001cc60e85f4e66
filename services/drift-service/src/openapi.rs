use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(title = "drift-service", description = "Drifts, alerts, ingest, summary and audit of DriftSentry"),
    paths(
        crate::drift::list_drifts,
        crate::ingest::ingest_scan,
        crate::drift::create_drift,
        crate::drift::decide_in_bulk,
        crate::drift::get_drift,
        crate::drift::update_drift,
        crate::drift::delete_drift,
        crate::drift::approve_drift,
        crate::drift::reject_drift,
        crate::drift::resolve_drift,
        crate::drift::reopen_drift,
        crate::audit::get_drift_history,
        crate::alert::list_alerts,
        crate::alert::create_alert,
        crate::alert::read_all_alerts,
        crate::alert::get_alert,
        crate::alert::delete_alert,
        crate::alert::read_alert,
        crate::summary::get_summary,
        crate::audit::list_audit,
    )
)]
struct Document;

/// The OpenAPI document of this service.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
