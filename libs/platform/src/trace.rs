//! Traces across all processes (W3C Trace Context). Every request belongs to a trace, and its events carry
//! it. If a collector is configured, spans go to it over OTLP; otherwise a trace costs two random numbers.

use std::sync::OnceLock;

use anyhow::{Result, anyhow, ensure};
use contracts::Traceparent;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::{Layer, Registry};
use url::Url;
use uuid::Uuid;

/// Standard names. The libraries read the other variables (headers, sampler, resource).
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// The crates whose spans are exported. Other crates emit thousands that describe none of our work.
const TRACED: [&str; 2] = ["http", "ws_gateway"];
/// Requests that come every few seconds and belong to no trace.
pub const PROBE: &str = "probe";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// Creates the layer that exports spans, if a collector is configured. `OTEL_SERVICE_NAME` takes precedence
/// over `service`.
pub(crate) fn exporter(service: &'static str) -> Result<Option<impl Layer<Registry> + Send + Sync>> {
    let value = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some((variable, endpoint)) = ENDPOINTS.iter().find_map(|name| Some((name, value(name)?))) else {
        return Ok(None);
    };
    // Checked here, because the libraries print the endpoint when a request fails.
    ensure!(
        Url::parse(&endpoint).is_ok_and(|url| is_plain_endpoint(&url)),
        "{variable} must be a URL such as http://collector:4318, without a user or a password: \
         put credentials into OTEL_EXPORTER_OTLP_HEADERS"
    );
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|_error| anyhow!("{variable} cannot be used"))?;
    let resource = Resource::builder();
    let resource = match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => resource,
        None => resource.with_service_name(service),
    };
    let provider =
        SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build();
    let layer = OpenTelemetryLayer::new(provider.tracer("driftsentry")).with_location(false);
    let _ = PROVIDER.set(provider);
    let ours = |metadata: &Metadata<'_>| {
        let (of, _) = metadata.target().split_once("::").unwrap_or((metadata.target(), ""));
        metadata.is_span() && TRACED.contains(&of) && metadata.name() != PROBE
    };
    Ok(Some(layer.with_filter(FilterFn::new(ours).with_max_level_hint(LevelFilter::DEBUG))))
}

fn is_plain_endpoint(url: &Url) -> bool {
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
    is_web && url.username().is_empty() && url.password().is_none() && url.query().is_none()
}

/// Sends the remaining spans. Runs on its own thread, because the collector may be unreachable and the
/// process must still exit.
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let (done, sent) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        if let Err(error) = provider.force_flush() {
            tracing::warn!(%error, "did not send the last spans");
        }
        let _ = done.send(());
    });
    let _ = sent.await;
}

/// Makes `span` part of the trace that caused it, or of a new one, and returns its position there. Records
/// the span's field `trace_id`, which its log lines show.
pub fn join_trace(span: &Span, from: Option<Traceparent>) -> Traceparent {
    let here = exported(span, from).unwrap_or_else(|| {
        let (trace_id, span_id) = Uuid::new_v4().as_u64_pair();
        let (new, span_id) = (Uuid::new_v4().as_u128(), trace_id ^ span_id);
        Traceparent {
            trace_id: from.map_or(new, |from| from.trace_id),
            span_id,
            sampled: from.is_some_and(|from| from.sampled),
        }
    });
    span.record("trace_id", format_args!("{:032x}", here.trace_id));
    here
}

fn exported(span: &Span, from: Option<Traceparent>) -> Option<Traceparent> {
    PROVIDER.get()?;
    // A span with this field answers a request. The kind must be set before the span begins.
    span.record("otel.kind", "server");
    if let Some(Traceparent { trace_id, span_id, sampled }) = from {
        let flags = TraceFlags::default().with_sampled(sampled);
        let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
        let parent = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
        // An error means that this span is filtered out and has no context.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(parent));
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| Traceparent {
        trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(context.span_id().to_bytes()),
        sampled: context.is_sampled(),
    })
}

/// Records the method, the route and the status of a request for the collector.
pub fn describe_request(span: &Span, method: &'static str, route: &str, status: u16) {
    if PROVIDER.get().is_none() {
        return;
    }
    span.context().span().update_name(format!("{method} {route}"));
    span.set_attribute("http.request.method", method);
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(opentelemetry::trace::Status::error(""));
    }
}
