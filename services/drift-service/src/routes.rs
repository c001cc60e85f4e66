use actix_web::web::{Data, ServiceConfig};
use http::endpoint;

use crate::{State, alert, audit, compat, drift, guard, ingest, metrics, rules, saved_views, scans, stack};

/// The routes of this service, as Caddy exposes them.
pub fn routes(state: State) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let has_old_contract = state.platform.config().compat_routes;
    let state = Data::new(state);
    move |config| {
        config
            .app_data(state.clone())
            .configure(|config| api_docs::routes(config, has_old_contract))
            .service(endpoint("/api/v1/drifts/bulk").post(drift::decide_in_bulk))
            .service(endpoint("/api/v1/drifts/export").get(drift::export_drifts))
            .service(endpoint("/api/v1/drifts/groups").get(drift::list_drift_groups))
            .service(endpoint("/api/v1/drifts/facets").get(drift::get_drift_facets))
            .service(endpoint("/api/v1/drifts/decide").post(drift::decide_matching))
            .service(endpoint("/api/v1/drifts/ingest").post(ingest::ingest_scan))
            .service(endpoint("/api/v1/guard").post(guard::guard_plan))
            .service(endpoint("/api/v1/drifts/rules").get(rules::list_rules).put(rules::save_rules))
            .service(endpoint("/api/v1/drifts/rules/rehearse").post(rules::rehearse_rules))
            .service(endpoint("/api/v1/drifts/rules/versions").get(rules::list_rule_versions))
            .service(endpoint("/api/v1/drifts/rules/versions/{version}/restore").post(rules::restore_rules))
            .configure(|config| {
                if has_old_contract {
                    compat::routes(config);
                }
            })
            .service(endpoint("/api/v1/drifts").get(drift::list_drifts).post(drift::create_drift))
            .service(
                endpoint("/api/v1/drifts/{id}")
                    .get(drift::get_drift)
                    .patch(drift::update_drift)
                    .delete(drift::delete_drift),
            )
            .service(endpoint("/api/v1/drifts/{id}/approve").post(drift::approve_drift))
            .service(endpoint("/api/v1/drifts/{id}/reject").post(drift::reject_drift))
            .service(endpoint("/api/v1/drifts/{id}/resolve").post(drift::resolve_drift))
            .service(endpoint("/api/v1/drifts/{id}/reopen").post(drift::reopen_drift))
            .service(
                endpoint("/api/v1/drifts/{id}/deciding")
                    .put(drift::begin_deciding)
                    .delete(drift::end_deciding),
            )
            .service(
                endpoint("/api/v1/drifts/{id}/comments")
                    .get(drift::list_comments)
                    .post(drift::create_comment),
            )
            .service(endpoint("/api/v1/drifts/{id}/comments/{comment}").delete(drift::delete_comment))
            .service(
                endpoint("/api/v1/drifts/{id}/watch").put(drift::watch_drift).delete(drift::unwatch_drift),
            )
            .service(endpoint("/api/v1/drifts/{id}/history").get(audit::get_drift_history))
            .service(endpoint("/api/v1/alerts").get(alert::list_alerts).post(alert::create_alert))
            .service(endpoint("/api/v1/alerts/read-all").post(alert::read_all_alerts))
            .service(endpoint("/api/v1/alerts/{id}").get(alert::get_alert).delete(alert::delete_alert))
            .service(endpoint("/api/v1/alerts/{id}/read").post(alert::read_alert))
            .service(endpoint("/api/v1/stacks").get(stack::list_stacks))
            .service(endpoint("/api/v1/stacks/{name}/badge.svg").get(stack::get_stack_badge))
            .service(
                endpoint("/api/v1/stacks/{name}")
                    .get(stack::get_stack)
                    .patch(stack::update_stack)
                    .delete(stack::delete_stack),
            )
            .service(endpoint("/api/v1/scans").get(scans::list_scans))
            .service(endpoint("/api/v1/scans/{id}").get(scans::get_scan))
            .service(endpoint("/api/v1/metrics/summary").get(metrics::get_summary))
            .service(endpoint("/api/v1/metrics/trend").get(metrics::get_trend))
            .service(endpoint("/api/v1/metrics/changes").get(metrics::get_changes))
            .service(endpoint("/api/v1/views").get(saved_views::list_views).post(saved_views::create_view))
            .service(
                endpoint("/api/v1/views/{id}")
                    .patch(saved_views::update_view)
                    .delete(saved_views::delete_view),
            )
            .service(endpoint("/api/v1/reports/monthly").get(metrics::get_monthly_report))
            .service(endpoint("/api/v1/audit").get(audit::list_audit))
            .service(endpoint("/api/v1/audit/export").get(audit::export_audit));
    }
}
