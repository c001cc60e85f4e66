//! The REST contract of the replaced Node stack, served with `COMPAT_ROUTES=true` only.
//!
//! The module translates parameters and results. Roles, audit, events and transactions are those of the current
//! contract, whose functions it calls. docs/COMPATIBILITY.md describes the contract.

mod alerts;
mod difference;
mod drifts;
mod metrics;
mod openapi;
mod paging;
mod query;
mod timeline;
mod view;

use actix_web::web::ServiceConfig;
use http::{old_endpoint, shared_endpoint};

pub use openapi::openapi;

/// Registers the old routes. Requests that ask for the current contract pass on to the routes that follow.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(shared_endpoint("/api/v1/drifts").get(drifts::list_drifts))
        .service(shared_endpoint("/api/v1/drifts/{id}").get(drifts::get_drift))
        .service(shared_endpoint("/api/v1/drifts/{id}/approve").post(drifts::approve_drift))
        .service(shared_endpoint("/api/v1/drifts/{id}/reject").post(drifts::reject_drift))
        .service(old_endpoint("/api/v1/drifts/{id}/timeline").get(timeline::get_timeline))
        .service(shared_endpoint("/api/v1/alerts").get(alerts::list_alerts))
        .service(old_endpoint("/api/v1/alerts/unread-count").get(alerts::count_unread_alerts))
        .service(old_endpoint("/api/v1/alerts/mark-all-read").post(alerts::mark_all_alerts_read))
        .service(old_endpoint("/api/v1/alerts/{id}/mark-read").post(alerts::mark_alert_read))
        .service(shared_endpoint("/api/v1/metrics/summary").get(metrics::get_summary))
        .service(old_endpoint("/api/v1/metrics/cost-trend").get(metrics::get_cost_trend))
        .service(old_endpoint("/api/v1/metrics/severity-distribution").get(metrics::get_severities))
        .service(old_endpoint("/api/v1/metrics/status-distribution").get(metrics::get_statuses));
}
