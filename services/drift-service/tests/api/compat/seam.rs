use rstest::rstest;
use serde_json::json;
use testing::{Backend, Client, Method, StatusCode};

use super::{SWITCH, current, start};
use crate::app::{App, walk};
use crate::lifecycle::reported;

const SHARED: [&str; 3] = ["/api/v1/drifts", "/api/v1/alerts", "/api/v1/metrics/summary"];
const SECRET: &str = "0123456789abcdef0123456789abcdef-of-the-tests";

/// The operations that only the old contract has, with `{id}` for the id of a drift.
const OLD_ONLY: [(Method, &str); 10] = [
    (Method::GET, "/api/v1/drifts/{id}/timeline"),
    (Method::GET, "/api/v1/alerts/unread-count"),
    (Method::POST, "/api/v1/alerts/{id}/mark-read"),
    (Method::POST, "/api/v1/alerts/mark-all-read"),
    (Method::GET, "/api/v1/metrics/cost-trend"),
    (Method::GET, "/api/v1/metrics/severity-distribution"),
    (Method::GET, "/api/v1/metrics/status-distribution"),
    (Method::GET, "/health/live"),
    (Method::GET, "/health/ready"),
    (Method::GET, "/health/detailed"),
];

async fn call(caller: &Client, method: &Method, path: &str) -> StatusCode {
    caller.send(caller.request(method.clone(), path).json(&json!({}))).await.status
}

#[rstest]
#[actix_web::test]
async fn a_request_that_asks_for_the_current_contract_gets_it_at_every_shared_path(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let old = app.engineer();
    let engineer = current(&old);
    let path = reported(&engineer, "i-1").await;
    for shared in SHARED {
        let refused = engineer.get(&format!("{shared}?page=1")).await;
        let error = refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], "page", "{shared}");
        assert!(refused.headers.get("x-correlation-id").is_none());
    }
    assert_eq!(walk(&engineer, "/api/v1/drifts?limit=1").await.len(), 1);
    assert!(engineer.get(&path).await.data()["allowed"].is_array());
    assert!(engineer.get("/api/v1/metrics/summary").await.data()["open"].is_number());
    assert!(engineer.get("/api/v1/alerts").await.json()["page"].is_object());
    let approved = engineer.post(&format!("{path}/approve"), &json!({"reason": "ok"})).await.data();
    assert_eq!(approved["approvedReason"], "ok");
    // Any other value is not the name of a contract of ours.
    for value in ["old", "", "Current"] {
        let caller = old.with_header("x-api-contract", value);
        assert!(caller.get("/api/v1/drifts").await.data()["items"].is_array(), "{value}");
    }
}

#[rstest]
#[actix_web::test]
async fn paths_and_methods_of_one_contract_are_served_beside_the_other(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    let id = path.rsplit('/').next().unwrap();
    assert!(engineer.get("/api/v1/drifts/rules").await.status.is_success());
    assert!(engineer.get(&format!("{path}/history")).await.json()["page"].is_object());
    assert!(engineer.post("/api/v1/alerts/read-all", &json!({})).await.data()["read"].is_number());
    assert_eq!(engineer.patch(&path, &json!({"severity": "info"})).await.data()["severity"], "info");
    assert_eq!(call(&engineer, &Method::PUT, "/api/v1/drifts").await, StatusCode::METHOD_NOT_ALLOWED);
    for (method, path) in &OLD_ONLY {
        let status = call(&engineer, method, &path.replace("{id}", id)).await;
        // The id is that of a drift.
        let expected = if path.ends_with("mark-read") { StatusCode::NOT_FOUND } else { StatusCode::OK };
        assert_eq!(status, expected, "{path}");
        assert_eq!(call(&engineer, &Method::PATCH, path).await, StatusCode::METHOD_NOT_ALLOWED, "{path}");
    }
    let document = engineer.get("/api/docs/openapi-compat.json").await.expect(StatusCode::OK);
    assert!(document["paths"]["/api/v1/drifts/{id}/timeline"].is_object());
}

#[rstest]
#[actix_web::test]
async fn without_the_switch_no_old_path_is_served_and_old_parameters_are_refused(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let admin = app.admin();
    let path = reported(&admin, "i-1").await;
    let id = path.rsplit('/').next().unwrap();
    for (method, path) in &OLD_ONLY {
        let status = call(&admin, method, &path.replace("{id}", id)).await;
        // These two paths are ids of alerts, which are malformed.
        let is_id = ["/unread-count", "/mark-all-read"].iter().any(|end| path.ends_with(end));
        let refused =
            if *method == Method::POST { StatusCode::METHOD_NOT_ALLOWED } else { StatusCode::BAD_REQUEST };
        assert_eq!(status, if is_id { refused } else { StatusCode::NOT_FOUND }, "{path}");
    }
    assert_eq!(call(&admin, &Method::GET, "/api/docs/openapi-compat.json").await, StatusCode::NOT_FOUND);
    for shared in SHARED {
        for query in ["page=1", "pageSize=5", "search=x", "sortBy=severity", "days=7", "severity=all"] {
            let answer = admin.get(&format!("{shared}?{query}")).await;
            let error = answer.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
            assert!(error["requestId"].is_string() && error["traceId"].is_null(), "{shared}?{query}");
            assert!(answer.headers.get("x-correlation-id").is_none());
        }
    }
    admin.get("/api/v1/drifts/42").await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let unknown = admin.post(&format!("{path}/approve"), &json!({"reason": "0123456789", "x": 1})).await;
    unknown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
}

#[rstest]
#[actix_web::test]
async fn old_errors_have_the_old_form_and_every_old_response_a_correlation_id(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = start(backend).await;
    let named = app.anonymous.with_header("x-correlation-id", "page-7");
    for path in ["/api/v1/drifts", "/api/v1/alerts/unread-count", "/health/live"] {
        assert_eq!(named.get(path).await.header("x-correlation-id"), "page-7");
    }
    let refused = named.get("/api/v1/drifts?severity=huge").await;
    let error = refused.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    let mut keys: Vec<&String> = error.as_object().unwrap().keys().collect();
    keys.sort_unstable();
    assert_eq!(keys, ["code", "details", "message", "timestamp", "traceId"]);
    assert_eq!((&error["traceId"], refused.header("x-correlation-id")), (&json!("page-7"), "page-7"));
    assert_eq!(
        error["details"],
        json!({"errors": [{"field": "severity", "message": "is not one of the known values"}]})
    );
    let missing = named.get("/api/v1/drifts/42").await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert!(missing["details"].is_null());
    let unnamed = app.anonymous.get("/api/v1/drifts").await;
    assert_eq!(unnamed.header("x-correlation-id"), unnamed.header("x-request-id"));
    let forged = app.anonymous.with_header("x-correlation-id", "{{env}}").get("/api/v1/drifts").await;
    assert_ne!(forged.header("x-correlation-id"), "{{env}}");
}

#[rstest]
#[actix_web::test]
async fn in_production_the_switch_makes_reads_public_unless_they_are_set(
    #[values(None, Some("false"), Some("true"))] public_reads: Option<&str>,
) {
    let set = public_reads.map(|value| format!("--public-reads={value}"));
    let mut arguments = vec![
        SWITCH,
        "--environment=production",
        "--jwt-access-secret",
        SECRET,
        "--drift-hash-secret",
        SECRET,
    ];
    arguments.extend(set.as_deref());
    let app = App::with(Backend::Memory, &arguments).await;
    for path in ["/api/v1/drifts", "/api/v1/alerts", "/api/v1/metrics/summary", "/api/v1/metrics/cost-trend"]
    {
        let is_public = app.anonymous.get(path).await.status == StatusCode::OK;
        assert_eq!(is_public, public_reads != Some("false"), "{path}");
    }
}
