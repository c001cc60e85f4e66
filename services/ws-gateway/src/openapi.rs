use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::http::admin;

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
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("bearer", scheme);
    }
}

/// The OpenAPI document of the gateway's HTTP paths.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
