use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};
use uuid::Uuid;

use crate::app::{App, walk};
use crate::lifecycle::reported;

fn alert(drift_id: Option<&str>) -> Value {
    json!({"driftId": drift_id, "type": "approval_needed", "severity": "warning", "title": "look", "message": "please"})
}

#[rstest]
#[actix_web::test]
async fn a_drift_has_one_alert_of_each_type(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    let id = path.rsplit('/').next();
    let made = engineer.post("/api/v1/alerts", &alert(id)).await.expect(StatusCode::CREATED)["data"].take();
    assert_eq!((&made["type"], &made["isRead"]), (&json!("approval_needed"), &json!(false)));
    engineer.post("/api/v1/alerts", &alert(id)).await.error(StatusCode::CONFLICT, "CONFLICT");
    // Without a drift there may be many.
    engineer.post("/api/v1/alerts", &alert(None)).await.data();
    engineer.post("/api/v1/alerts", &alert(None)).await.data();
    let unknown = engineer.post("/api/v1/alerts", &alert(Some(&Uuid::new_v4().to_string()))).await;
    assert_eq!(unknown.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR")["details"][0]["field"], "driftId");

    let of_drift = app.anonymous.get(&format!("/api/v1/alerts?driftId={}", id.unwrap())).await.data();
    assert_eq!(of_drift.as_array().unwrap().len(), 1);
    let shown = app.anonymous.get(&format!("/api/v1/alerts/{}", made["id"].as_str().unwrap())).await.data();
    assert!(!shown.as_object().unwrap().contains_key("readBy"));
}

#[rstest]
#[actix_web::test]
async fn all_alerts_are_read_at_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    assert_eq!(walk(&app.anonymous, "/api/v1/alerts?limit=5&isRead=false").await.len(), 13);
    let read = app.viewer().post("/api/v1/alerts/read-all", &json!({})).await.data();
    assert_eq!(read, json!({"read": 13}));
    assert_eq!(app.viewer().post("/api/v1/alerts/read-all", &json!({})).await.data(), json!({"read": 0}));
    assert_eq!(app.anonymous.get("/api/v1/alerts?isRead=false").await.data(), json!([]));
    app.expect_events("alert:read", 13).await;
}

#[rstest]
#[actix_web::test]
async fn only_an_admin_deletes_alerts(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let made = app.engineer().post("/api/v1/alerts", &alert(None)).await.data();
    let path = format!("/api/v1/alerts/{}", made["id"].as_str().unwrap());
    app.engineer().delete(&path).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    app.admin().delete(&path).await.data();
    app.admin().delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    app.viewer().post(&format!("{path}/read"), &json!({})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    let audit = walk(&app.admin(), "/api/v1/audit?limit=1&action=alert.delete").await;
    assert_eq!((audit.len(), &audit[0]["entityId"]), (1, &made["id"]));
}
