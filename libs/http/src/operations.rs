//! The paths for operators: `/health`, `/ready` and `/metrics`.

use std::collections::BTreeMap;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, HttpResponseBuilder};
use platform::{Platform, Status};
use serde::Serialize;
use serde_json::json;

use crate::{endpoint, old_endpoint};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    status: &'static str,
    service: &'static str,
    version: &'static str,
    uptime_seconds: u64,
    dependencies: BTreeMap<&'static str, Status>,
}

async fn report(platform: &Platform) -> Report {
    let mut dependencies = platform.health().look().await;
    if platform.lifecycle().stop.is_cancelled() {
        dependencies.insert("process", Status::Down("stopping".into()));
    }
    let any = |wanted: fn(&Status) -> bool| dependencies.values().any(wanted);
    let status = if any(|status| matches!(status, Status::Down(_))) {
        "down"
    } else if any(|status| matches!(status, Status::Degraded(_))) {
        "degraded"
    } else {
        "ok"
    };
    Report {
        status,
        service: platform.service(),
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: platform.uptime().as_secs(),
        dependencies,
    }
}

/// Registers the paths for operators, with every detail.
pub(crate) fn detailed(config: &mut ServiceConfig) {
    config
        .service(endpoint("/health").get(health))
        .service(endpoint("/ready").get(ready))
        .service(endpoint("/metrics").get(metrics));
}

/// Registers the paths for strangers, who learn only whether the process is up.
pub(crate) fn brief(config: &mut ServiceConfig) {
    config.service(endpoint("/health").get(brief_health)).service(endpoint("/ready").get(brief_ready));
}

/// Registers the probes of the old contract: `/health/live` and `/health/ready` for strangers, and `/health/detailed`
/// with every detail if this port shows details at all.
pub(crate) fn old(config: &mut ServiceConfig, has_details: bool) {
    let detailed = old_endpoint("/health/detailed");
    config
        .service(old_endpoint("/health/live").get(brief_health))
        .service(old_endpoint("/health/ready").get(brief_ready))
        .service(if has_details { detailed.get(health) } else { detailed.get(brief_health) });
}

/// Liveness: always 200, with the state of each dependency.
async fn health(platform: web::Data<Platform>) -> HttpResponse {
    HttpResponse::Ok().json(report(&platform).await)
}

/// Readiness: 503 while the process cannot serve.
async fn ready(platform: web::Data<Platform>) -> HttpResponse {
    let report = report(&platform).await;
    readiness(&report).json(report)
}

async fn brief_health() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "ok"}))
}

async fn brief_ready(platform: web::Data<Platform>) -> HttpResponse {
    let report = report(&platform).await;
    readiness(&report).json(json!({"status": report.status}))
}

fn readiness(report: &Report) -> HttpResponseBuilder {
    if report.status == "down" {
        let mut response = HttpResponse::ServiceUnavailable();
        response.insert_header((header::RETRY_AFTER, "1"));
        return response;
    }
    HttpResponse::Ok()
}

/// Returns the metrics in Prometheus's text format.
async fn metrics(platform: web::Data<Platform>) -> HttpResponse {
    let text = prometheus::TextEncoder::new().encode_to_string(&platform.metrics().gather());
    match text {
        Ok(text) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            HttpResponse::InternalServerError().finish()
        }
    }
}
