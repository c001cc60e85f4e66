use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, StatusCode};
use uuid::Uuid;

use crate::app::App;

/// Ingests a sample. Returns the path and the view of its first critical drift.
async fn critical(app: &App) -> (String, Value) {
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let list = app.anonymous.get("/api/v1/drifts?severity=critical&limit=1").await.data();
    let drift = list[0].clone();
    (format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap()), drift)
}

#[rstest]
#[actix_web::test]
async fn an_approval_is_published_and_closes_the_alert(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (path, drift) = critical(&app).await;
    let approved = app.engineer().post(&format!("{path}/approve"), &json!({"reason": "planned"})).await;
    assert_eq!(approved.header("etag"), "\"v2\"");
    let approved = approved.data();
    assert_eq!(drift["allowed"], json!(["approve", "reject", "resolve"]));
    assert_eq!(approved["allowed"], json!(["resolve", "reopen"]));
    assert_eq!((&approved["status"], &approved["approvedReason"]), (&json!("approved"), &json!("planned")));

    let events = app.expect_events("drift:approved", 1).await;
    assert_eq!(events[0]["payload"]["id"], drift["id"]);
    assert_eq!(events[0]["payload"]["approvedBy"], approved["approvedBy"]);
    // The drift's alert is closed.
    assert_eq!(app.expect_events("alert:closed", 1).await.len(), 1);

    let again = app.engineer().post(&format!("{path}/reject"), &json!({"reason": "no"})).await;
    let error = again.error(StatusCode::CONFLICT, "INVALID_TRANSITION");
    let allowed = json!({"status": "approved", "action": "reject", "allowed": ["resolve", "reopen"]});
    assert_eq!(error["details"], allowed);
}

#[rstest]
#[actix_web::test]
async fn an_engineer_rejects(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (path, drift) = critical(&app).await;
    let rejected =
        app.engineer().post(&format!("{path}/reject"), &json!({"reason": "unwanted"})).await.data();
    assert_eq!((&rejected["status"], &rejected["rejectedReason"]), (&json!("rejected"), &json!("unwanted")));
    let events = app.expect_events("drift:rejected", 1).await;
    assert_eq!(events[0]["payload"]["id"], drift["id"]);
}

#[rstest]
#[actix_web::test]
async fn only_engineers_and_admins_decide(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let (path, _) = critical(&app).await;
    let unknown = format!("/api/v1/drifts/{}", Uuid::new_v4());
    for action in ["approve", "reject"] {
        let post = async |caller: &testing::Client, path: &str, body: Value| {
            caller.post(&format!("{path}/{action}"), &body).await
        };
        post(&app.anonymous, &path, json!({"reason": "because"}))
            .await
            .error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
        post(&app.viewer(), &path, json!({})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
        post(&app.engineer(), &unknown, json!({})).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
        for body in [
            json!({}),
            json!({"reason": ""}),
            json!({"reason": "x".repeat(1001)}),
            json!({"reason": "x", "y": 1}),
        ] {
            post(&app.engineer(), &path, body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        }
    }
    let drift = app.anonymous.get(&path).await.data();
    assert_eq!(drift["status"], "detected");
}

#[rstest]
#[actix_web::test]
async fn a_decision_can_name_the_version_it_was_made_on(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let (path, _) = critical(&app).await;
    let reason = json!({"reason": "ok"});
    let engineer = app.engineer();
    let stale = engineer.with_header("if-match", "\"v9\"").post(&format!("{path}/approve"), &reason).await;
    stale.error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let odd = engineer.with_header("if-match", "v?").post(&format!("{path}/approve"), &reason).await;
    odd.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    engineer.with_header("if-match", "\"v1\"").post(&format!("{path}/approve"), &reason).await.data();
}

#[rstest]
#[actix_web::test]
async fn an_alert_is_read_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    critical(&app).await;
    let alerts = app.anonymous.get("/api/v1/alerts?isRead=false&limit=1").await.data();
    let path = format!("/api/v1/alerts/{}", alerts[0]["id"].as_str().unwrap());
    app.anonymous
        .post(&format!("{path}/read"), &json!({}))
        .await
        .error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
    let viewer = app.viewer();
    let first = viewer.post(&format!("{path}/read"), &json!({})).await.data();
    let second = viewer.post(&format!("{path}/read"), &json!({})).await.data();
    assert_eq!((&first["isRead"], &first), (&json!(true), &second));
    app.expect_events("alert:read", 1).await;
    let summary = viewer.get("/api/v1/metrics/summary").await.data();
    assert_eq!(summary["unreadAlerts"], 13);
}

#[rstest]
#[actix_web::test]
async fn the_summary_always_has_every_key(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let empty = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!(
        empty,
        json!({
            "total": 0, "open": 0, "snoozed": 0,
            "byStatus": {"detected": 0, "approved": 0, "rejected": 0, "resolved": 0},
            "bySeverity": {"critical": 0, "warning": 0, "info": 0},
            "costImpactMonthly": 0.0, "hasCosts": false, "unreadAlerts": 0, "decisionHours": null, "oldestOpenAt": null,
        })
    );
    let (path, _) = critical(&app).await;
    app.engineer().post(&format!("{path}/approve"), &json!({"reason": "ok"})).await.data();
    let summary = app.anonymous.get("/api/v1/metrics/summary").await.data();
    assert_eq!((&summary["total"], &summary["open"]), (&json!(20), &json!(19)));
    assert_eq!(summary["bySeverity"], json!({"critical": 12, "warning": 4, "info": 3}));
    assert_eq!(summary["oldestOpenAt"], "2026-11-20T09:47:40Z");
    assert!(summary["decisionHours"].as_f64().unwrap() > 0.0);
}
