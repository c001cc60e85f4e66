//! Adds to every request its id, its log line, its metrics, the headers of its response, and the envelope of
//! an error from any source.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use backplane::traced;
use contracts::Traceparent;
use platform::{Platform, describe_request, join_trace};
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::body_deadline::limit_body_time;
use crate::contract::is_old;
use crate::{ApiError, ErrorCode, Http, RequestId, cors};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The name of the request id in the old contract.
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_REQUEST_ID: usize = 64;
const MAX_LOGGED_PATH: usize = 512;
/// Leaves room for a token and for the longest filters.
const MAX_URL_BYTES: usize = 16 * 1024;
const PROBED: [&str; 5] = ["/health", "/ready", "/metrics", "/health/live", "/health/ready"];

/// Counts and times requests. Labels are bounded: they are route patterns, never paths.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    total: IntCounterVec,
    seconds: HistogramVec,
}

impl RequestMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let labels = ["service", "route", "method", "status"];
        let total = IntCounterVec::new(Opts::new("http_requests_total", "Responses sent"), &labels)?;
        let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
        let options = HistogramOpts::new("http_request_duration_seconds", "Time to respond").buckets(buckets);
        let seconds = HistogramVec::new(options, &["service", "route", "method"])?;
        registry.register(Box::new(total.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self { total, seconds })
    }

    fn count(&self, service: &str, route: &str, method: &str, status: StatusCode, started: Instant) {
        self.total.with_label_values(&[service, route, method, status.as_str()]).inc();
        self.seconds.with_label_values(&[service, route, method]).observe(started.elapsed().as_secs_f64());
    }
}

pub(crate) async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let platform = request.app_data::<web::Data<Platform>>().cloned();
    let has_old_contract = platform.as_ref().is_some_and(|platform| platform.config().compat_routes);
    let request_id = given_id(request.headers(), &REQUEST_ID)
        .or_else(|| given_id(request.headers(), &CORRELATION_ID).filter(|_| has_old_contract))
        .unwrap_or_else(|| Uuid::now_v7().to_string());
    let span = if PROBED.contains(&request.path()) {
        tracing::info_span!("probe", request_id, trace_id = Empty)
    } else {
        tracing::info_span!("request", request_id, trace_id = Empty, otel.kind = Empty)
    };
    let trace = join_trace(&span, traceparent(request.headers()));
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let method = method_label(&request);
    // The path without the query, which may contain a token.
    let path = request.path().to_owned();
    let http = request.app_data::<web::Data<Http>>().cloned();
    if let Some(http) = &http {
        limit_body_time(&mut request, http.config.body_time());
    }
    let cors = http.map(|http| http.cors.clone());
    let origin = cors.as_ref().and_then(|cors| cors.listed_origin(request.headers()));

    let (http_request, response) = if request.uri().path_and_query().is_some_and(is_too_long) {
        let message = format!("must have at most {MAX_URL_BYTES} bytes");
        request.into_response(HttpResponse::from_error(ApiError::validation("url", message))).into_parts()
    } else if let Some(preflight) = cors.and_then(|cors| cors.answer_preflight(&request)) {
        request.into_response(preflight).into_parts()
    } else {
        // An error here comes from middleware, such as an extractor of `from_fn`: handlers turn errors into
        // responses.
        let response = traced(trace, next.call(request)).instrument(span.clone()).await?;
        response.map_into_boxed_body().into_parts()
    };
    let mut response = response;
    let is_old = is_old(&http_request);
    if let (Some(platform), true) = (&platform, is_bare_error(&response)) {
        let to_body = if is_old { ApiError::to_old_body } else { ApiError::to_body };
        response = enveloped(response, |error| to_body(error, &request_id, platform.clock()));
    }
    if is_old && let Ok(id) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(CORRELATION_ID, id);
    }
    add_headers(response.headers_mut(), &request_id);
    cors::add_headers(response.headers_mut(), origin);

    let status = response.status();
    let route = http_request.match_pattern().unwrap_or_else(|| "unmatched".into());
    if let (Some(platform), Some(metrics)) = (&platform, http_request.app_data::<web::Data<RequestMetrics>>())
    {
        metrics.count(platform.service(), &route, method, status, started);
    }
    describe_request(&span, method, &route, status.as_u16());
    log(&span, method, &path, status, started, response.error());
    Ok(ServiceResponse::new(http_request, response))
}

fn is_too_long(url: &PathAndQuery) -> bool {
    url.as_str().len() > MAX_URL_BYTES
}

/// Returns the caller's own request id, if it sent exactly one and the id fits into a log line.
fn given_id(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut values = headers.get_all(name);
    let only = values.next().filter(|_| values.next().is_none());
    let given = only.and_then(|value| value.to_str().ok());
    let fits = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    given.filter(fits).map(Into::into)
}

/// Returns the trace that the caller named, if any.
fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

/// Returns a bounded label: a client may invent methods.
fn method_label(request: &ServiceRequest) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Whether an error has no body yet: one of ours, or one of actix's.
fn is_bare_error(response: &HttpResponse) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    failed && content_type.is_none_or(|value| value.as_bytes() != b"application/json")
}

fn enveloped(response: HttpResponse, to_body: impl FnOnce(&ApiError) -> serde_json::Value) -> HttpResponse {
    let unknown;
    let error = match response.error().and_then(|error| error.as_error::<ApiError>()) {
        Some(error) => error,
        None => {
            unknown = error_from_status(response.status());
            &unknown
        }
    };
    let body = to_body(error);
    let status = error.code.status();
    let retry_after = error.retry_after_seconds.or((status.is_server_error()).then_some(1));
    let mut response = response.set_body(BoxBody::new(body.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer error="invalid_token""#));
    }
    response
}

/// Returns the error for a response that actix sends by itself.
pub(crate) fn error_from_status(status: StatusCode) -> ApiError {
    let (code, message) = match status {
        StatusCode::NOT_FOUND => (ErrorCode::NotFound, "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (ErrorCode::MethodNotAllowed, "this path does not support this method")
        }
        StatusCode::REQUEST_TIMEOUT => (ErrorCode::RequestTimeout, "the request did not arrive in time"),
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::PayloadTooLarge, "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ErrorCode::UnsupportedMediaType, "this content type is not supported")
        }
        StatusCode::SERVICE_UNAVAILABLE => (ErrorCode::Unavailable, "temporarily unavailable: try again"),
        status if status.is_client_error() => (ErrorCode::ValidationError, "the request is malformed"),
        _ => (ErrorCode::InternalError, "something went wrong on our side"),
    };
    ApiError::new(code, message)
}

/// Adds the headers of every response, unless its handler has set them.
fn add_headers(headers: &mut HeaderMap, request_id: &str) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

fn log(
    span: &tracing::Span,
    method: &str,
    path: &str,
    status: StatusCode,
    started: Instant,
    error: Option<&Error>,
) {
    let _entered = span.enter();
    let (status, seconds) = (status.as_u16(), started.elapsed().as_secs_f64());
    // Escaped and shortened: the path comes from a client, and may contain line ends or be very long.
    let escaped = path[..path.floor_char_boundary(MAX_LOGGED_PATH)].escape_debug();
    let source = error.and_then(|error| error.as_error::<ApiError>()).and_then(|error| error.source.as_ref());
    match source {
        Some(source) => tracing::error!(method, path = %escaped, status, seconds, error = %source, "failed"),
        // Probes and scrapes come every few seconds.
        None if PROBED.contains(&path) && status < 400 => {
            tracing::debug!(method, path = %escaped, status, seconds, "answered");
        }
        None => tracing::info!(method, path = %escaped, status, seconds, "answered"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_request_id_is_taken_over_s57() {
        let seen = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| headers.append(REQUEST_ID, HeaderValue::from_static(value)));
            given_id(&headers, &REQUEST_ID)
        };
        assert_eq!(seen(&["mine-1"]).as_deref(), Some("mine-1"));
        for values in [&["a", "b"][..], &["mine-1", "{{env}}"], &["{{env}}"], &["a,b"], &[""], &[]] {
            assert_eq!(seen(values), None, "{values:?}");
        }
    }
}
