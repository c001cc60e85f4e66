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
    // There may be many alerts without a drift.
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
async fn all_alerts_are_marked_as_read_at_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    assert_eq!(walk(&app.anonymous, "/api/v1/alerts?limit=5&isRead=false").await.len(), 13);
    let (viewer, other) = (app.viewer(), app.viewer());
    let read = viewer.post("/api/v1/alerts/read-all", &json!({})).await.data();
    assert_eq!(read, json!({"read": 13}));
    assert_eq!(viewer.post("/api/v1/alerts/read-all", &json!({})).await.data(), json!({"read": 0}));
    assert_eq!(viewer.get("/api/v1/alerts?isRead=false").await.data(), json!([]));
    assert_eq!(walk(&other, "/api/v1/alerts?limit=5&isRead=false").await.len(), 13);
    assert_eq!(app.expect_events("alert:all_read", 1).await[0]["userId"].as_str().map(str::len), Some(36));
}

#[rstest]
#[actix_web::test]
async fn an_alert_that_one_person_has_read_is_unread_for_others_s63(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let (one, other) = (app.viewer(), app.engineer());
    let unread = async |caller: &testing::Client| {
        let summary = caller.get("/api/v1/metrics/summary").await.data();
        let listed = walk(caller, "/api/v1/alerts?limit=100&isRead=false").await.len();
        assert_eq!(summary["unreadAlerts"], listed);
        listed
    };
    let first = one.get("/api/v1/alerts?limit=1").await.data()[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/alerts/{first}");
    let read = one.post(&format!("{path}/read"), &json!({})).await.data();
    assert_eq!((&read["isRead"], read["readBy"].is_string()), (&json!(true), true));
    assert_eq!((unread(&one).await, unread(&other).await, unread(&app.anonymous).await), (12, 13, 13));
    assert_eq!(one.get(&path).await.data()["isRead"], true);
    assert_eq!(other.get(&path).await.data()["isRead"], false);
    one.post("/api/v1/alerts/read-all", &json!({})).await.data();
    assert_eq!((unread(&one).await, unread(&other).await), (0, 13));

    // An approved drift needs no attention.
    let drift = other.get(&path).await.data()["driftId"].as_str().unwrap().to_owned();
    other.post(&format!("/api/v1/drifts/{drift}/approve"), &json!({"reason": "planned"})).await.data();
    assert_eq!((unread(&other).await, unread(&app.anonymous).await), (12, 12));
    assert_eq!(app.expect_events("alert:closed", 1).await[0]["payload"]["id"], first.as_str());
    let events = app.expect_events("alert:read", 1).await;
    assert_eq!((&events[0]["payload"], events[0]["userId"].is_string()), (&json!({"id": first}), true));
}

#[rstest]
#[actix_web::test]
async fn a_missing_stack_raises_one_alert(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let gone = |index: usize| {
        json!({"address": format!("aws_x.y[{index}]"), "type": "aws_x",
            "change": {"actions": ["delete"], "before": {"id": index.to_string()}, "after": null}})
    };
    let entries: Vec<Value> = (0..58).map(gone).collect();
    let plan = json!({"format_version": "1.2", "complete": true, "resource_drift": entries}).to_string();
    crate::app::upload(&app.engineer(), "stack=prod", plan.into_bytes()).await.data();
    let alerts = app.expect_events("alert:created", 1).await;
    assert_eq!(alerts[0]["payload"]["title"], "58 resources are missing: stack prod");
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
