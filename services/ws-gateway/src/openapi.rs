//! The OpenAPI document, generated from the annotations of the handlers.

use http::openapi::{Conventions, Failure};
use utoipa::OpenApi;

use crate::admin;

#[derive(OpenApi)]
#[openapi(
    info(title = "ws-gateway", description = "Admin API of the sockets; the sockets themselves are in docs/API.md."),
    paths(
        admin::get_stats,
        admin::list_user_connections,
        admin::end_connection,
        admin::end_user_connections,
        admin::emit
    ),
    components(schemas(Failure)),
    modifiers(&Conventions)
)]
struct Document;

/// The OpenAPI document of the gateway's HTTP paths.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
