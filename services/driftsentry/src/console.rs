//! The console, embedded in the binary.

use actix_web::http::header::{self, ETag, EntityTag, Header, IfNoneMatch};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use http::endpoint;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Allows only files and requests of our own server, no inline code and no frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";
const PAGE: &str = "index.html";

#[derive(RustEmbed)]
#[folder = "../console"]
struct Files;

/// Serves each file at its path, and the page at `/`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(endpoint("/").get(page));
    for path in Files::iter() {
        config.service(endpoint(&format!("/{path}")).get(file));
    }
}

async fn page(request: HttpRequest) -> HttpResponse {
    answer(PAGE, &request)
}

async fn file(request: HttpRequest) -> HttpResponse {
    answer(request.path().trim_start_matches('/'), &request)
}

fn answer(path: &str, request: &HttpRequest) -> HttpResponse {
    let Some(EmbeddedFile { data, metadata }) = Files::get(path) else {
        return HttpResponse::NotFound().finish();
    };
    let hash = metadata.sha256_hash();
    let tag = EntityTag::new_strong(hex::encode(&hash[..8]));
    let known = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header(ETag(tag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type(metadata.mimetype());
    if known { answer.finish() } else { answer.body(data.into_owned()) }
}
