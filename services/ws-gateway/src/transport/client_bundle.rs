//! The stock client for pages that load it from the server, as the old stack served it. The files come from the npm
//! package `socket.io-client`. A test checks that they have the version that the other tests use.

use actix_web::http::header;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};

/// The entity tag of the files: the version of the package.
const TAG: &str = "\"4.8.4\"";

#[derive(RustEmbed)]
#[folder = "assets/socket.io"]
struct Files;

/// Each file below `/socket.io/`.
pub(crate) fn routes(config: &mut ServiceConfig) {
    for name in Files::iter() {
        config.service(http::endpoint(&format!("/socket.io/{name}")).get(file));
    }
}

async fn file(request: HttpRequest) -> HttpResponse {
    let Some(EmbeddedFile { data, .. }) = Files::get(request.path().trim_start_matches("/socket.io/")) else {
        return HttpResponse::NotFound().finish();
    };
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value == TAG);
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, TAG))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("application/javascript; charset=utf-8");
    if known { response.finish() } else { response.body(data.into_owned()) }
}
