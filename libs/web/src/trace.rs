//! Traces over all processes (W3C Trace Context): every request belongs to one, its events carry it on.
//! Where a collector is named, spans go to it by OTLP; otherwise this costs two random numbers.

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

/// The standard's own names; the libraries read what else there is (headers, sampler, resource).
const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
/// Whose spans are exported; others come by the thousand and name no work of ours.
const TRACED: [&str; 2] = ["web", "ws_gateway"];
/// Requests that come every few seconds and belong to nothing.
pub(crate) const PROBE: &str = "probe";

static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// What sends spans to the collector, if one is named. `OTEL_SERVICE_NAME` stands before `service`.
pub(crate) fn exporter(service: &'static str) -> Result<Option<impl Layer<Registry> + Send + Sync>> {
    let value = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some((variable, endpoint)) = ENDPOINTS.iter().find_map(|name| Some((name, value(name)?))) else {
        return Ok(None);
    };
    // The libraries print the endpoint when a request fails.
    ensure!(
        Url::parse(&endpoint).is_ok_and(|url| is_plain_endpoint(&url)),
        "{variable} must be a URL such as http://collector:4318, without a user or a password: \
         put credentials into OTEL_EXPORTER_OTLP_HEADERS"
    );
    let exporter = SpanExporter::builder().with_http().build();
    let exporter = exporter.map_err(|_| anyhow!("{variable} cannot be used"))?;
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

/// Sends what is left. On a thread of its own: the collector may be away, and the process must end.
pub(crate) async fn flush() {
    let Some(provider) = PROVIDER.get() else { return };
    let (done, sent) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        if let Err(error) = provider.force_flush() {
            tracing::warn!(%error, "the last spans were not sent");
        }
        let _ = done.send(());
    });
    let _ = sent.await;
}

/// Makes `span` a part of the trace that brought it about, or of a new one; gives its place. The span's
/// field `trace_id` is recorded, which its log lines show.
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
    // Where the span has this field, it answers a request. Said before it begins: then it is fixed.
    span.record("otel.kind", "server");
    if let Some(Traceparent { trace_id, span_id, sampled }) = from {
        let flags = TraceFlags::default().with_sampled(sampled);
        let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
        let parent = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
        // An error means that this span is filtered out, and then it has no context either.
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

/// Tells the collector what a request was, and how it ended.
pub(crate) fn describe_request(span: &Span, method: &'static str, route: &str, status: u16) {
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
