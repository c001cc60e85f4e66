//! The OpenAPI document, written from the handlers' own annotations.

use serde::Serialize;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Content, PathItem, Ref, ResponseBuilder};
use utoipa::{Modify, OpenApi, ToSchema};
use web::ErrorBody;

use crate::endpoints::{account, audit, login, service_tokens, sessions, settings, tokens, users};

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
    info(title = "auth-service", description = "Users, sessions and tokens. Also under /api/v1/auth."),
    paths(
        settings::get_config,
        settings::get_jwks,
        login::sign_up,
        login::log_in,
        tokens::refresh,
        tokens::log_out,
        account::get_me,
        account::change_password,
        sessions::get_session,
        sessions::list_sessions,
        sessions::note_activity,
        sessions::end_session,
        sessions::end_other_sessions,
        users::list_users,
        users::update_user,
        users::end_user_sessions,
        audit::list_audit,
        service_tokens::create_service_token,
        service_tokens::list_service_tokens,
        service_tokens::end_service_token,
    ),
    components(schemas(Failure, crate::audit::Action)),
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
