use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};
use uuid::Uuid;

use crate::app::{App, walk};

pub(crate) fn report(name: &str, size: i64) -> Value {
    json!({
        "resourceId": name, "resourceType": "aws_instance", "region": "eu-west-1", "stack": "hand",
        "expectedState": {"size": 1, "token": "t0ken"}, "actualState": {"size": size, "token": "t0ken"},
        "costImpactMonthly": 12.5,
    })
}

/// Reports a drift. Returns its path.
pub(crate) async fn reported(caller: &Client, name: &str) -> String {
    let drift = caller.post("/api/v1/drifts", &report(name, 2)).await.data();
    format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap())
}

#[rstest]
#[actix_web::test]
async fn a_reported_drift_is_rated_redacted_and_not_duplicated(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let first = engineer.post("/api/v1/drifts", &report("i-1", 2)).await;
    let drift = first.expect(StatusCode::CREATED)["data"].take();
    assert_eq!((&drift["severity"], &drift["kind"]), (&json!("warning"), &json!("changed")));
    assert_eq!(
        drift["difference"],
        json!([{"path": ["size"], "sensitive": false, "change": "changed", "class": "warning"}])
    );
    assert_eq!(drift["actualState"], json!({"size": 2, "token": "(sensitive value)"}));
    assert_eq!((&drift["costImpactMonthly"], &drift["deduplicated"]), (&json!(12.5), &json!(false)));

    let again =
        engineer.post("/api/v1/drifts", &report("i-1", 2)).await.expect(StatusCode::OK)["data"].take();
    assert_eq!((&again["id"], &again["deduplicated"]), (&drift["id"], &json!(true)));
    assert_eq!((&again["occurrences"], &again["version"]), (&json!(2), &json!(1)));
    let other =
        engineer.post("/api/v1/drifts", &report("i-1", 3)).await.expect(StatusCode::OK)["data"].take();
    assert_eq!((&other["id"], &other["actualState"]["size"]), (&drift["id"], &json!(3)));
    app.expect_events("drift:created", 1).await;
    app.expect_events("drift:updated", 1).await;
}

#[rstest]
#[actix_web::test]
async fn an_invalid_report_is_refused_by_field_s53(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    for (field, value) in [
        ("resourceId", json!("")),
        ("resourceId", json!("a\0b")),
        ("region", json!("a\0b")),
        ("address", json!("a\0b")),
        ("resourceId", json!("x".repeat(1025))),
        ("resourceType", json!("x".repeat(257))),
        ("region", json!("x".repeat(65))),
        ("accountId", json!("x".repeat(65))),
        ("accountId", json!("global")),
        ("accountId", json!("a/b")),
        ("stack", json!("x".repeat(257))),
        ("address", json!("x".repeat(2049))),
        ("severity", json!("fatal")),
        ("kind", json!("odd")),
        ("costImpactMonthly", json!(0.001)),
        ("costImpactMonthly", json!(10_000_000)),
        ("detectedAt", json!("2999-01-01T00:00:00Z")),
        ("detectedAt", json!("yesterday")),
        ("actualState", json!({"x": "y".repeat(300_000)})),
        ("actualState", serde_json::from_str(&deep).unwrap()),
        ("status", json!("approved")),
    ] {
        let mut body = report("i-1", 2);
        body[field] = value;
        let error =
            engineer.post("/api/v1/drifts", &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field, "{error}");
    }
    assert!(app.drifts(&engineer).await.is_empty());
}

#[rstest]
#[actix_web::test]
async fn a_drift_can_be_corrected(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    for (body, field) in
        [(json!({}), "body"), (json!({"status": "approved"}), "status"), (json!({"region": ""}), "region")]
    {
        let error = engineer.patch(&path, &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
        assert_eq!(error["details"][0]["field"], field);
    }
    let change = json!({"severity": "critical", "costImpactMonthly": -3.25, "region": "us-east-1"});
    let stale = engineer.with_header("if-match", "\"v7\"").patch(&path, &change).await;
    stale.error(StatusCode::PRECONDITION_FAILED, "PRECONDITION_FAILED");
    let drift = engineer.with_header("if-match", "\"v1\"").patch(&path, &change).await.data();
    assert_eq!((&drift["severity"], &drift["costImpactMonthly"]), (&json!("critical"), &json!(-3.25)));
    assert_eq!((&drift["region"], &drift["version"]), (&json!("us-east-1"), &json!(2)));

    let events = app.expect_events("drift:updated", 1).await;
    assert_eq!(events[0]["payload"]["costImpactMonthly"], -3.25);
    let alerts = app.anonymous.get("/api/v1/alerts?type=severity_escalated").await.data();
    assert_eq!(alerts[0]["driftId"], drift["id"]);
    // The same report is still the same drift.
    let again =
        engineer.post("/api/v1/drifts", &report("i-1", 2)).await.expect(StatusCode::OK)["data"].take();
    assert_eq!(again["id"], drift["id"]);
}

#[rstest]
#[actix_web::test]
async fn an_admin_can_withdraw_a_decision(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    let reopen = format!("{path}/reopen");
    app.admin().post(&reopen, &json!({})).await.error(StatusCode::CONFLICT, "INVALID_TRANSITION");
    engineer.post(&format!("{path}/approve"), &json!({"reason": "ok"})).await.data();
    app.engineer().post(&reopen, &json!({})).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    let drift = app.admin().post(&reopen, &json!({"reason": "too early"})).await.data();
    assert_eq!((&drift["status"], &drift["approvedBy"]), (&json!("detected"), &Value::Null));

    let history = walk(&app.viewer(), &format!("{path}/history?limit=2")).await;
    let actions: Vec<&Value> = history.iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, ["drift.reopen", "drift.approve", "drift.create"]);
    assert_eq!((&history[0]["from"], &history[0]["to"]), (&json!("approved"), &json!("detected")));
    assert_eq!(history[0]["reason"], "too early");
    app.anonymous.get(&format!("{path}/history")).await.error(StatusCode::UNAUTHORIZED, "AUTH_ERROR");
}

#[rstest]
#[actix_web::test]
async fn a_resolved_drift_is_final_and_reappears_as_a_new_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = reported(&engineer, "i-1").await;
    let request = engineer.request(testing::Method::POST, &format!("{path}/resolve"));
    let drift = engineer.send(request).await.data();
    assert_eq!((&drift["status"], &drift["resolvedHow"]), (&json!("resolved"), &json!("manual")));
    app.expect_events("drift:resolved", 1).await;
    for action in ["approve", "reject", "resolve", "reopen"] {
        let answer = app.admin().post(&format!("{path}/{action}"), &json!({"reason": "x"})).await;
        assert_eq!(answer.error(StatusCode::CONFLICT, "INVALID_TRANSITION")["details"]["allowed"], json!([]));
    }
    engineer
        .patch(&path, &json!({"severity": "info"}))
        .await
        .error(StatusCode::CONFLICT, "INVALID_TRANSITION");

    let next =
        engineer.post("/api/v1/drifts", &report("i-1", 2)).await.expect(StatusCode::CREATED)["data"].take();
    assert_ne!(next["id"], drift["id"]);
    assert_eq!(next["previousDriftId"], drift["id"]);
}

#[rstest]
#[actix_web::test]
async fn deleting_a_drift_deletes_its_alerts_and_keeps_its_history(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let mut critical = report("i-1", 2);
    critical["severity"] = json!("critical");
    let drift = app.engineer().post("/api/v1/drifts", &critical).await.data();
    let path = format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap());
    app.engineer().delete(&path).await.error(StatusCode::FORBIDDEN, "FORBIDDEN");
    assert_eq!(app.admin().delete(&path).await.data(), Value::Null);
    app.admin().delete(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    app.anonymous.get(&path).await.error(StatusCode::NOT_FOUND, "NOT_FOUND");
    assert_eq!(app.anonymous.get("/api/v1/alerts").await.data(), json!([]));
    let history = walk(&app.viewer(), &format!("{path}/history?limit=10")).await;
    assert_eq!(history[0]["action"], "drift.delete");
    assert_eq!(app.expect_events("drift:resolved", 1).await[0]["payload"]["resolvedHow"], "deleted");
}

#[rstest]
#[actix_web::test]
async fn a_bulk_decision_reports_each_outcome(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let mut ids = Vec::new();
    for name in ["a", "b"] {
        ids.push(reported(&engineer, name).await.rsplit('/').next().unwrap().to_owned());
    }
    ids.push(Uuid::new_v4().to_string());
    ids.push(ids[0].clone());
    let body = json!({"action": "approve", "ids": ids, "reason": "planned"});
    let outcomes = engineer.post("/api/v1/drifts/bulk", &body).await.data();
    let statuses: Vec<&Value> =
        outcomes.as_array().unwrap().iter().map(|outcome| &outcome["status"]).collect();
    assert_eq!(statuses, [200, 200, 404, 409]);
    assert_eq!(
        (&outcomes[3]["id"], &outcomes[3]["error"]["code"]),
        (&json!(ids[0]), &json!("INVALID_TRANSITION"))
    );
    app.expect_events("drift:approved", 2).await;

    for body in [
        json!({"action": "approve", "ids": [], "reason": "x"}),
        json!({"action": "approve", "ids": vec![Uuid::new_v4(); 101], "reason": "x"}),
        json!({"action": "approve", "ids": [Uuid::new_v4()]}),
        json!({"action": "delete", "ids": [Uuid::new_v4()], "reason": "x"}),
    ] {
        engineer.post("/api/v1/drifts/bulk", &body).await.error(StatusCode::BAD_REQUEST, "VALIDATION_ERROR");
    }
}

#[rstest]
#[actix_web::test]
async fn a_write_with_a_key_is_executed_once(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let path = format!("{}/approve", reported(&engineer, "i-1").await);
    let keyed = engineer.with_header("idempotency-key", "k-1");
    let first = keyed.post(&path, &json!({"reason": "ok"})).await;
    let again = keyed.post(&path, &json!({"reason": "ok"})).await;
    assert_eq!((first.data(), again.header("idempotency-replayed")), (again.data(), "true"));
    app.expect_events("drift:approved", 1).await;
    keyed
        .post(&path, &json!({"reason": "else"}))
        .await
        .error(StatusCode::UNPROCESSABLE_ENTITY, "UNPROCESSABLE");
    // The same key of another actor is a different key.
    let other =
        app.engineer().with_header("idempotency-key", "k-1").post(&path, &json!({"reason": "ok"})).await;
    other.error(StatusCode::CONFLICT, "INVALID_TRANSITION");

    let parallel = (0..8).map(|_| async {
        keyed.post("/api/v1/drifts", &report("i-2", 2)).await.expect(StatusCode::CREATED)["data"]["id"].take()
    });
    let ids = futures_util::future::join_all(parallel).await;
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");

    app.advance(chrono::TimeDelta::hours(25));
    let engineer_later = app.engineer().with_header("idempotency-key", "k-1");
    engineer_later
        .post(&path, &json!({"reason": "ok"}))
        .await
        .error(StatusCode::CONFLICT, "INVALID_TRANSITION");
}

#[rstest]
#[actix_web::test]
async fn each_role_sees_only_its_part_of_a_drift(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let app = App::start(backend).await;
    let path = reported(&app.engineer(), "i-1").await;
    app.engineer().post(&format!("{path}/reject"), &json!({"reason": "no"})).await.data();
    let seen = async |caller: &Client| {
        let drift = caller.get(&path).await.data();
        ["expectedState", "actualState", "rejectedReason", "rejectedBy", "difference"]
            .map(|key| drift.as_object().unwrap().contains_key(key))
    };
    assert_eq!(seen(&app.anonymous).await, [false; 5]);
    assert_eq!(seen(&app.viewer()).await, [false, false, true, true, true]);
    assert_eq!(seen(&app.engineer()).await, [true; 5]);
    assert_eq!(seen(&app.admin()).await, [true; 5]);
}

#[rstest]
#[actix_web::test]
async fn the_numbers_of_a_state_keep_every_digit(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    const DIGITS: &str = "123456789012345678901234567890.123456789";
    let app = App::start(backend).await;
    let engineer = app.engineer();
    let body = report("i-1", 2).to_string().replace("\"size\":2", &format!("\"size\":{DIGITS}"));
    let request = engineer.request(testing::Method::POST, "/api/v1/drifts");
    let made = engineer.send(request.header("content-type", "application/json").body(body)).await;
    assert!(made.text.contains(DIGITS), "{}", made.text);
    let path = format!("/api/v1/drifts/{}", made.data()["id"].as_str().unwrap());
    assert!(engineer.get(&path).await.text.contains(DIGITS));
    let approved = engineer.post(&format!("{path}/approve"), &json!({"reason": "ok"})).await;
    assert!(approved.text.contains(DIGITS));
}
