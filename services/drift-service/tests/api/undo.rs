//! Undo: a person withdraws their own decision.

use chrono::TimeDelta;
use contracts::Role;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::App;

/// Ingests a sample. Returns the ids of its drifts.
async fn ids(app: &App) -> Vec<String> {
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let drifts = app.drifts(&app.viewer()).await;
    drifts.iter().map(|drift| drift["id"].as_str().unwrap().to_owned()).collect()
}

async fn decide(caller: &Client, id: &str, action: &str) -> testing::Answer {
    caller.post(&format!("/api/v1/drifts/{id}/{action}"), &json!({"reason": "planned"})).await
}

#[rstest]
#[actix_web::test]
async fn a_person_withdraws_their_own_decision_within_a_minute(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ids = ids(&app).await;
    let engineer = app.engineer();
    for (id, action) in ids.iter().zip(["approve", "reject"]) {
        let decided = decide(&engineer, id, action).await.data();
        for (caller, why) in [(app.engineer(), "another engineer"), (app.viewer(), "a viewer")] {
            let refused = decide(&caller, id, "reopen").await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{why} after {action}");
        }
        app.advance(TimeDelta::seconds(59));
        let version = format!("\"v{}\"", decided["version"]);
        let drift = decide(&engineer.with_header("if-match", &version), id, "reopen").await.data();
        assert_eq!(drift["status"], "detected");
        assert_eq!((&drift["approvedBy"], &drift["rejectedBy"]), (&Value::Null, &Value::Null));
    }

    decide(&engineer, &ids[0], "approve").await.data();
    app.advance(TimeDelta::seconds(61));
    decide(&engineer, &ids[0], "reopen").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    decide(&app.caller(Role::Admin), &ids[0], "reopen").await.data();
    // The time starts again with the next decision, which another person makes.
    decide(&app.engineer(), &ids[0], "reject").await.data();
    decide(&engineer, &ids[0], "reopen").await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn a_bulk_decision_is_withdrawn_only_where_it_is_ones_own(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let ids = ids(&app).await;
    let engineer = app.engineer();
    decide(&engineer, &ids[0], "approve").await.data();
    decide(&app.engineer(), &ids[1], "approve").await.data();
    let body = json!({"action": "reopen", "ids": &ids[..3]});
    app.viewer().post("/api/v1/drifts/bulk", &body).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let outcomes = engineer.post("/api/v1/drifts/bulk", &body).await.data();
    let statuses: Vec<&Value> =
        outcomes.as_array().unwrap().iter().map(|outcome| &outcome["status"]).collect();
    assert_eq!(statuses, [200, 403, 409]);
    assert_eq!(outcomes[1]["error"]["code"], "FORBIDDEN");
}

#[rstest]
#[actix_web::test]
async fn an_alert_that_an_approval_closed_stays_closed(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    ids(&app).await;
    let engineer = app.engineer();
    let alerts = app.viewer().get("/api/v1/alerts?limit=1").await.data();
    let id = alerts[0]["driftId"].as_str().unwrap();
    decide(&engineer, id, "approve").await.data();
    decide(&engineer, id, "reopen").await.data();
    let alerts = app.viewer().get(&format!("/api/v1/alerts?driftId={id}")).await.data();
    assert_eq!(alerts[0]["isRead"], true);
}
