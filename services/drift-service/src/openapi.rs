//! The OpenAPI document, written from the handlers' own annotations. The scopes of `bearer` are the
//! least role that an operation needs.

use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};
use web::ErrorBody;

use crate::{alert, audit, drift, ingest, summary};

/// What went well.
#[derive(Serialize, ToSchema)]
pub struct Success<T: ToSchema> {
    success: bool,
    data: T,
}

/// What went well, with nothing to tell.
#[derive(Serialize, ToSchema)]
pub struct Done {
    success: bool,
    #[schema(value_type = Option<Object>)]
    data: (),
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T: ToSchema> {
    success: bool,
    data: Vec<T>,
    page: Page,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    limit: u64,
    /// `null` on the last page.
    next_cursor: Option<String>,
}

/// What went wrong.
#[derive(Serialize, ToSchema)]
pub struct Failure {
    success: bool,
    error: ErrorBody,
}

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

/// What holds for every operation and would drown the annotations.
struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        for operation in document.paths.paths.values_mut().flat_map(operations) {
            let failure = Content::new(Some(Ref::from_schema_name("Failure")));
            let response = ResponseBuilder::new()
                .description("What went wrong, in the envelope of errors")
                .content("application/json", failure);
            operation.responses.responses.insert("default".into(), response.build().into());
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, patch, delete, .. } = path;
    [get, post, patch, delete].into_iter().flatten()
}
