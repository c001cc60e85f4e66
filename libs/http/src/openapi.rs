//! The envelope as OpenAPI schemas, and the conventions of every operation.

use actix_web::http::StatusCode;
use serde::Serialize;
use strum::IntoEnumIterator;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Type;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Object, OpenApi, PathItem, Ref, Response, ResponseBuilder};
use utoipa::{Modify, ToSchema};

use crate::{ErrorBody, ErrorCode, OldErrorBody};

/// A successful response.
#[derive(Serialize, ToSchema)]
pub struct Success<T> {
    success: bool,
    data: T,
}

impl<T> Success<T> {
    /// Wraps the data of a response.
    pub fn of(data: T) -> Self {
        Self { success: true, data }
    }
}

/// A successful response without data.
#[derive(Serialize, ToSchema)]
pub struct Done {
    success: bool,
    #[schema(value_type = Option<Object>)]
    data: (),
}

/// One page of a list.
#[derive(Serialize, ToSchema)]
pub struct List<T> {
    pub(crate) success: bool,
    pub(crate) data: Vec<T>,
    pub(crate) page: Page,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    pub(crate) limit: u64,
    /// `null` on the last page.
    pub(crate) next_cursor: Option<String>,
}

/// An error response.
#[derive(Serialize, ToSchema)]
pub struct Failure {
    pub(crate) success: bool,
    pub(crate) error: ErrorBody,
}

/// An error response of the old contract.
#[derive(Serialize, ToSchema)]
#[schema(as = Failure)]
pub struct OldFailure {
    pub(crate) success: bool,
    pub(crate) error: OldErrorBody,
}

/// Adds the parts of every operation that would clutter the annotations: the authentication, and the
/// errors that follow from the inputs of an operation. An annotation names further errors by their status
/// only. List [`Failure`] among the schemas of a document that this modifies.
pub struct Conventions;

impl Modify for Conventions {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let bearer = bearer.description(Some("An access token, or a service token"));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
        for code in ErrorCode::iter() {
            // Two codes with the same status share one response.
            let answers = &mut components.responses;
            answers.entry(response_name(code.status())).or_insert_with(|| response(code.status()).into());
        }
        for (path, item) in &mut document.paths.paths {
            let has_id = path.contains('{');
            for operation in operations(item) {
                complete(operation, has_id);
            }
        }
    }
}

fn complete(operation: &mut Operation, has_id: bool) {
    let security = operation.security.as_deref().unwrap_or_default();
    let takes_tokens = !security.is_empty();
    let needs_token = takes_tokens && !security.contains(&SecurityRequirement::default());
    let takes_body = operation.request_body.is_some();
    let takes_anything = takes_body || operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    let follows = [
        (takes_anything, ErrorCode::ValidationError),
        (takes_tokens, ErrorCode::AuthError),
        (needs_token, ErrorCode::Forbidden),
        (has_id, ErrorCode::NotFound),
        (takes_body, ErrorCode::PayloadTooLarge),
        (takes_body, ErrorCode::UnsupportedMediaType),
        (true, ErrorCode::InternalError),
        (true, ErrorCode::Unavailable),
    ];
    let follows = follows.into_iter().filter(|(follows, _)| *follows).map(|(_, code)| code.status());
    let responses = &mut operation.responses.responses;
    let named = responses.keys().filter_map(|status| StatusCode::from_bytes(status.as_bytes()).ok());
    let named = named.filter(|status| status.is_client_error() || status.is_server_error());
    for status in named.chain(follows).collect::<Vec<_>>() {
        responses.insert(status.as_str().into(), Ref::from_response_name(response_name(status)).into());
    }
}

fn response_name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or_default().replace(' ', "")
}

fn response(status: StatusCode) -> Response {
    let header = |description: &str, value: Type| {
        HeaderBuilder::new().schema(Some(Object::with_type(value))).description(Some(description)).build()
    };
    let codes = ErrorCode::iter().filter(|code| code.status() == status);
    let codes = codes.filter_map(|code| serde_json::to_string(&code).ok()).collect::<Vec<_>>();
    let content = Content::new(Some(Ref::from_schema_name("Failure")));
    let builder = ResponseBuilder::new()
        .description(codes.join(" or ").replace('"', "`"))
        .content("application/json", content);
    match status {
        StatusCode::UNAUTHORIZED => {
            builder.header("WWW-Authenticate", header("How to authenticate", Type::String))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            builder.header("Retry-After", header("Seconds to wait", Type::Integer))
        }
        _ => builder,
    }
    .build()
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, put, patch, delete, .. } = path;
    [get, post, put, patch, delete].into_iter().flatten()
}
