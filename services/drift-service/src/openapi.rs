//! The OpenAPI document, generated from the annotations of the handlers. The scope of `bearer` is the lowest
//! role that an operation requires.

use http::openapi::{Conventions, Failure};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, OpenApi as Specification, RefOr, Response};
use utoipa::{Modify, OpenApi};

use crate::{alert, audit, drift, guard, ingest, metrics, rules, saved_views, scans, stack};

#[derive(OpenApi)]
#[openapi(
    info(title = "drift-service", description = "Drifts, alerts, ingest, summary and audit."),
    paths(
        drift::list_drifts,
        drift::create_drift,
        ingest::ingest_scan,
        guard::guard_plan,
        rules::list_rules,
        rules::save_rules,
        rules::rehearse_rules,
        rules::list_rule_versions,
        rules::restore_rules,
        drift::decide_in_bulk,
        drift::decide_matching,
        drift::list_drift_groups,
        drift::get_drift_facets,
        drift::export_drifts,
        drift::get_drift,
        drift::update_drift,
        drift::delete_drift,
        drift::approve_drift,
        drift::reject_drift,
        drift::resolve_drift,
        drift::reopen_drift,
        drift::begin_deciding,
        drift::end_deciding,
        drift::list_comments,
        drift::create_comment,
        drift::delete_comment,
        drift::watch_drift,
        drift::unwatch_drift,
        audit::get_drift_history,
        alert::list_alerts,
        alert::create_alert,
        alert::read_all_alerts,
        alert::get_alert,
        alert::delete_alert,
        alert::read_alert,
        stack::list_stacks,
        stack::get_stack,
        stack::update_stack,
        stack::delete_stack,
        stack::get_stack_badge,
        scans::list_scans,
        scans::get_scan,
        metrics::get_summary,
        metrics::get_trend,
        metrics::get_changes,
        saved_views::list_views,
        saved_views::create_view,
        saved_views::update_view,
        saved_views::delete_view,
        metrics::get_monthly_report,
        audit::list_audit,
        audit::export_audit,
    ),
    components(schemas(Failure, ingest::Source)),
    modifiers(&Conditions, &Conventions)
)]
struct Document;

/// Operations with a body that store nothing.
const WRITES_NOTHING: [&str; 2] = ["/api/v1/guard", "/api/v1/drifts/rules/rehearse"];

/// Adds the headers that every write accepts, and their error responses.
struct Conditions;

impl Modify for Conditions {
    fn modify(&self, document: &mut Specification) {
        let is_writing = |path: &str| !WRITES_NOTHING.contains(&path) && !path.ends_with("/deciding");
        let writing = document.paths.paths.iter_mut().filter(|(path, _)| is_writing(path));
        for (path, item) in writing {
            let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in writes.into_iter().flatten() {
                let parameters = operation.parameters.get_or_insert_default();
                let responses = &mut operation.responses.responses;
                parameters.push(header(
                    "Idempotency-Key",
                    text().min_length(Some(1)).max_length(Some(255)),
                    "For 24 hours, the same request gets the same response; another request gets 422",
                ));
                responses.insert("422".into(), Response::default().into());
                // Comments and watchers leave the version of their drift as it is.
                let is_drift = path.starts_with("/api/v1/drifts/{id}")
                    && !path.contains("/comments")
                    && !path.ends_with("/watch");
                if is_drift || path.starts_with("/api/v1/drifts/rules") {
                    parameters.push(header(
                        "If-Match",
                        text().pattern(Some(r#"^(\*|"v[1-9][0-9]{0,8}")$"#)),
                        "The version that must still be current, such as `\"v3\"`",
                    ));
                    responses.insert("409".into(), Response::default().into());
                    responses.insert("412".into(), Response::default().into());
                }
            }
        }
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn header(name: &str, schema: ObjectBuilder, description: &str) -> RefOr<Parameter> {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .schema(Some(schema))
        .description(Some(description))
        .build()
        .into()
}

/// Every path of this service with its requests and responses.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
