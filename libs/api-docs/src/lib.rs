//! The API reference: the OpenAPI document of all services, and a page that shows it.
//!
//! The document is a file, so that one service can serve the whole reference without depending on the
//! others. The tests of `driftsentry` compare the document with the services.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Path, ServiceConfig};
use http::{ApiError, endpoint};
use utoipa_swagger_ui::{Config, SwaggerFile};

const DOCUMENT: &str = include_str!("../../../docs/openapi.json");
/// The contract of the replaced stack, which is served only if the services serve it.
const OLD_DOCUMENT: &str = include_str!("../../../docs/openapi-compat.json");
const PAGE: &str = include_str!("page.html");
/// Allows only files of this server. Swagger UI also uses `data:` images.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Registers the page at `/api/docs/` and the document at `/api/docs/openapi.json`; with `has_old_contract`, also
/// `/api/docs/openapi-compat.json`.
pub fn routes(config: &mut ServiceConfig, has_old_contract: bool) {
    if has_old_contract {
        config.service(endpoint("/api/docs/openapi-compat.json").get(old_document));
    }
    config
        .service(endpoint("/api/docs").get(to_page))
        .service(endpoint("/api/docs/").get(page))
        .service(endpoint("/api/docs/openapi.json").get(document))
        .service(endpoint("/api/docs/{file}").get(file));
}

/// Redirects to the page with a trailing slash: the page names its files relative to itself.
async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/api/docs/")).finish()
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type("text/html; charset=utf-8")
        .body(PAGE)
}

async fn document() -> HttpResponse {
    json(DOCUMENT)
}

async fn old_document() -> HttpResponse {
    json(OLD_DOCUMENT)
}

fn json(document: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(document)
}

/// Serves the compressed scripts and styles of Swagger UI; every browser can decompress them.
async fn file(path: Path<String>) -> Result<HttpResponse, ApiError> {
    let config = Config::from("openapi.json").use_base_layout().validator_url("none");
    let found = utoipa_swagger_ui::serve(&path, Arc::new(config));
    // Swagger UI's own page is left out: it contains an inline script.
    let found = found.ok().flatten().filter(|file| !file.content_type.starts_with("text/html"));
    let Some(SwaggerFile { bytes, content_type, gzpipped, .. }) = found else {
        return Err(ApiError::not_found("there is nothing at this path"));
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-cache")).content_type(content_type);
    if gzpipped {
        answer.insert_header((header::CONTENT_ENCODING, "gzip"));
    }
    Ok(answer.body(bytes.into_owned()))
}
