use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use serde_json::json;

use crate::{Platform, endpoint};

const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The state of a dependency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "status", content = "message")]
pub enum Status {
    Up,
    /// The service can work without the dependency for a while.
    Degraded(String),
    /// The service cannot work without the dependency.
    Down(String),
}

/// Checks one dependency.
pub type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Status> + Send>> + Send + Sync>;

/// The dependencies of a process, for `/health` and `/ready`.
#[derive(Clone, Default)]
pub struct Health {
    checks: Arc<Mutex<BTreeMap<&'static str, Check>>>,
}

impl Health {
    /// Adds a dependency, or replaces the one with that name.
    pub fn register<F, R>(&self, name: &'static str, check: F)
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Status> + Send + 'static,
    {
        let check: Check = Arc::new(move || Box::pin(check()));
        self.checks.lock().unwrap_or_else(PoisonError::into_inner).insert(name, check);
    }

    async fn look(&self) -> BTreeMap<&'static str, Status> {
        let checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let looks = checks.into_iter().map(|(name, check)| async move {
            let late = Status::Down("did not respond in time".into());
            (name, tokio::time::timeout(CHECK_TIMEOUT, check()).await.unwrap_or(late))
        });
        futures_util::future::join_all(looks).await.into_iter().collect()
    }
}

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
    let mut dependencies = platform.health.look().await;
    if platform.stop.is_cancelled() {
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
        service: platform.service,
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: platform.started.elapsed().as_secs(),
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
    let text = prometheus::TextEncoder::new().encode_to_string(&platform.metrics.gather());
    match text {
        Ok(text) => HttpResponse::Ok().content_type(prometheus::TEXT_FORMAT).body(text),
        Err(error) => {
            tracing::error!(%error, "cannot write the metrics");
            HttpResponse::InternalServerError().finish()
        }
    }
}
