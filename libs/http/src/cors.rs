//! Cross-origin requests of browsers: listed origins may send credentials and read responses.
//!
//! A preflight is never refused with an error. The response lists what is allowed and the browser compares,
//! because the browser can then name the missing header or method in its own message.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

use crate::{HttpConfig, origin};

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, baggage, content-type, idempotency-key, if-match, if-none-match, \
    if-position-at-least, sentry-trace, traceparent, tracestate, x-api-contract, x-correlation-id, x-request-id, x-requested-with, x-token-delivery";
const EXPOSED: &str =
    "etag, idempotency-replayed, location, retry-after, x-correlation-id, x-position, x-request-id";
const VARY: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
const PREFLIGHT_MAX_AGE_SECONDS: &str = "3600";

/// The headers of cross-origin responses, prepared once.
#[derive(Clone, Debug)]
pub(crate) struct Cors {
    origins: Vec<String>,
    request_headers: HeaderValue,
}

impl Cors {
    pub(crate) fn new(config: &HttpConfig) -> Self {
        let more = config.cors_headers.iter().map(HeaderName::as_str);
        let all = std::iter::once(HEADERS).chain(more).collect::<Vec<_>>().join(", ");
        // Header names are always valid in a header value.
        let request_headers = HeaderValue::from_str(&all).unwrap_or(HeaderValue::from_static(HEADERS));
        Self { origins: config.cors_origin.clone(), request_headers }
    }

    /// Returns the origin of the request, if it is listed.
    pub(crate) fn listed_origin(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let is_listed =
            origin::normalize(origin.to_str().ok()?).is_some_and(|own| self.origins.contains(&own));
        is_listed.then(|| origin.clone())
    }

    /// Returns the response to a preflight, if the request is one.
    pub(crate) fn answer_preflight(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let is_preflight = request.method() == Method::OPTIONS
            && request.headers().contains_key(header::ORIGIN)
            && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            return None;
        }
        let mut response = HttpResponse::new(StatusCode::NO_CONTENT);
        if self.listed_origin(request.headers()).is_some() {
            let headers = response.headers_mut();
            let allowed = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS)),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, self.request_headers.clone()),
                (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_MAX_AGE_SECONDS)),
            ];
            allowed.into_iter().for_each(|(name, value)| drop(headers.insert(name, value)));
        }
        Some(response)
    }
}

/// Adds the headers without which a browser withholds the response from a page of `origin`. Every response
/// depends on the origin, so every response has `Vary: Origin` for caches.
pub(crate) fn add_headers(headers: &mut HeaderMap, origin: Option<HeaderValue>) {
    headers.append(header::VARY, HeaderValue::from_static(VARY));
    let Some(origin) = origin else { return };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}
