//! What happens around every request: its id, its log line, its metrics, the headers of every answer,
//! and the envelope of errors, wherever they arise.

use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use backplane::traced;
use contracts::Traceparent;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use serde_json::json;
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use crate::{ApiError, ErrorBody, ErrorCode, Platform, RequestId, trace};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_REQUEST_ID: usize = 64;
const PROBED: [&str; 3] = ["/health", "/ready", "/metrics"];

/// Counts and times requests. Labels are bounded: route patterns, never paths.
#[derive(Clone)]
pub(crate) struct RequestMetrics {
    total: IntCounterVec,
    seconds: HistogramVec,
}

impl RequestMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let labels = ["service", "route", "method", "status"];
        let total = IntCounterVec::new(Opts::new("http_requests_total", "Requests answered"), &labels)?;
        let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
        let options = HistogramOpts::new("http_request_duration_seconds", "Time to answer").buckets(buckets);
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
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let request_id = request_id(request.headers());
    let span = if PROBED.contains(&request.path()) {
        tracing::info_span!("probe", request_id, trace_id = Empty)
    } else {
        tracing::info_span!("request", request_id, trace_id = Empty, otel.kind = Empty)
    };
    let trace = trace::join_trace(&span, traceparent(request.headers()));
    request.extensions_mut().insert(RequestId(request_id.clone()));
    let method = method_label(&request);
    // Without the query: it may hold a token.
    let path = request.path().to_owned();

    let (http_request, response) = match traced(trace, next.call(request)).instrument(span.clone()).await {
        Ok(answer) => answer.into_parts(),
        // Extractors outside handlers and actix itself; `from_fn` hands them on as errors.
        Err(error) => return Err(error),
    };
    let platform = http_request.app_data::<web::Data<Platform>>().cloned();
    let mut response = response.map_into_boxed_body();
    if let (Some(platform), true) = (&platform, is_bare_error(&response)) {
        response = enveloped(response, &request_id, platform);
    }
    add_headers(response.headers_mut(), &request_id);

    let status = response.status();
    let route = http_request.match_pattern().unwrap_or_else(|| "unmatched".into());
    if let (Some(platform), Some(metrics)) = (&platform, http_request.app_data::<web::Data<RequestMetrics>>())
    {
        metrics.count(platform.service, &route, method, status, started);
    }
    trace::describe_request(&span, method, &route, status.as_u16());
    log(&span, method, &path, status, started, response.error());
    Ok(ServiceResponse::new(http_request, response))
}

/// The caller's own id, if it is one that fits a log line.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let fits = |id: &&str| {
        (1..=MAX_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    given.filter(fits).map_or_else(|| Uuid::now_v7().to_string(), Into::into)
}

/// The trace that the caller says this belongs to.
fn traceparent(headers: &HeaderMap) -> Option<Traceparent> {
    headers.get(TRACEPARENT)?.to_str().ok()?.parse().ok()
}

/// A client may invent methods; a label may not.
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

/// An error that has no body of its own: ours, or one of actix's.
fn is_bare_error(response: &HttpResponse) -> bool {
    let failed = response.status().is_client_error() || response.status().is_server_error();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    failed && content_type.is_none_or(|value| value.as_bytes() != b"application/json")
}

fn enveloped(response: HttpResponse, request_id: &str, platform: &Platform) -> HttpResponse {
    let unknown;
    let error = match response.error().and_then(|error| error.as_error::<ApiError>()) {
        Some(error) => error,
        None => {
            unknown = from_status(response.status());
            &unknown
        }
    };
    let body = ErrorBody {
        code: error.code,
        message: error.message.clone(),
        timestamp: platform.clock.now(),
        request_id: request_id.into(),
        details: error.details.clone(),
    };
    let status = error.code.status();
    let retry_after = error.retry_after_seconds.or((status.is_server_error()).then_some(1));
    let mut response = response.set_body(BoxBody::new(json!({"success": false, "error": body}).to_string()));
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

/// Errors that actix answers by itself.
fn from_status(status: StatusCode) -> ApiError {
    let (code, message) = match status {
        StatusCode::NOT_FOUND => (ErrorCode::NotFound, "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => {
            (ErrorCode::MethodNotAllowed, "this path does not take this method")
        }
        StatusCode::PAYLOAD_TOO_LARGE => (ErrorCode::PayloadTooLarge, "the body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            (ErrorCode::UnsupportedMediaType, "this content type is not taken")
        }
        StatusCode::SERVICE_UNAVAILABLE => (ErrorCode::Unavailable, "not now: try again"),
        status if status.is_client_error() => {
            (ErrorCode::ValidationError, "the request cannot be understood")
        }
        _ => (ErrorCode::InternalError, "something went wrong on our side"),
    };
    ApiError::new(code, message)
}

/// Headers of every answer, where its handler has not set them otherwise.
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
    // Escaped: a client may have put line ends into it.
    let escaped = path.escape_debug();
    let source = error.and_then(|error| error.as_error::<ApiError>()).and_then(|error| error.source.as_ref());
    match source {
        Some(source) => tracing::error!(method, path = %escaped, status, seconds, error = %source, "failed"),
        // Probes and scrapes come every few seconds, from several sides.
        None if PROBED.contains(&path) && status < 400 => {
            tracing::debug!(method, path = %escaped, status, seconds, "answered");
        }
        None => tracing::info!(method, path = %escaped, status, seconds, "answered"),
    }
}
